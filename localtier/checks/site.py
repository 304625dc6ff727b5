"""The running stage as the checks see it: what Docker says of each container, and commands run inside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import docker
from docker.errors import DockerException, NotFound
from requests import RequestException

from dreamseed.planning.container import Container
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks.rights import Process, kernel_says
from localtier.crossing import Crossing, watch

MANAGED = "managed-by=dreamseed"
"""The label of what the program declares. Source: components/containers.py."""
LOG_LINES = 20_000
"""So many of a container's last lines are read."""
Answer = TypeVar("Answer")
Listening = Callable[[str], frozenset[tuple[str, int]]]
"""From a host's name to the (address, port) pairs that are listened on in its network namespace."""


class AskFailed(Exception):  # noqa: N818 - a question that got no answer
    """A command inside a container did not run or did not succeed."""

    def __init__(self, container: str, argv: Sequence[str], why: str) -> None:
        super().__init__(f"{container}: {argv[0]}: {why.strip() or 'no answer'}")


class Exec(Protocol):
    """How a command is run in a container."""

    def __call__(self, container: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Return what `argv` prints in `container`; raises `AskFailed` when it does not end with 0."""


class Watch(Protocol):
    """How what crosses a cable is watched, as `localtier.crossing.watch` does; `pid` is of the server's network."""

    def __call__(
        self, pid: int, own: str, others: Sequence[str], over: Callable[[], bool], *, port: int, beside: str
    ) -> Crossing:
        """Return what was seen."""


def watch_at(
    pid: int, own: str, others: Sequence[str], over: Callable[[], bool], *, port: int, beside: str
) -> Crossing:
    """Return what crosses the cable of the network that the process `pid` of this machine is in."""
    return watch(Path("/proc") / str(pid) / "ns" / "net", own, others, over, port=port, beside=beside)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A stage that runs. `inspected` are all declared containers of each host by name, as Docker inspects them.

    `process` tells of a process of theirs, by its number on this machine, `crossing` what crosses the cable of its
    network. `log` and `process_list` return what a container has written last and the command lines of its processes;
    they raise `AskFailed` when nobody answers.
    """

    plan: StagePlan
    inspected: Mapping[str, Mapping[str, Mapping[str, Any]]]
    exec_text: Exec
    credentials: Mapping[str, str]
    listening: Listening | None = None
    process: Callable[[int], Process] = kernel_says
    crossing: Watch = watch_at
    log: Callable[[str], str]
    process_list: Callable[[str], str]

    def services(self, service: str) -> Iterator[Container]:
        """Return the planned containers of a service, jobs left out."""
        return (one for one in self.plan.containers if one.service == service and not one.job)

    def beside(self, container: Container, image: str) -> str:
        """Return a container of `image` on the same host and a network of `container`'s, to ask it from.

        Raises `AskFailed` when there is none.
        """
        for other in self.plan.containers:
            beside = other.host == container.host and bool(set(other.networks) & set(container.networks))
            if beside and other.image == image and not other.job:
                return other.name
        raise AskFailed(container.name, ["asked"], f"no container of {image} on {container.host} can reach it")


def visit(
    plan: StagePlan,
    engines: Mapping[str, docker.DockerClient],
    credentials: Mapping[str, str],
    listening: Listening | None = None,
) -> Site:
    """Return the site as it is now; a host whose engine is not given or does not answer is not in `inspected`."""
    host_of = {container.name: container.host for container in plan.containers}

    def asked(container: str, argv: Sequence[str], ask: Callable[[docker.DockerClient], Answer]) -> Answer:
        host = host_of.get(container, "")
        engine = engines.get(host)
        if engine is None:
            raise AskFailed(container, argv, f"{host or 'nobody who planned it'} has no Docker Engine")
        try:
            return ask(engine)
        except (DockerException, RequestException) as error:
            raise AskFailed(container, argv, str(error)) from error

    def exec_text(container: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        answer = asked(
            container,
            argv,
            lambda engine: engine.containers.get(container).exec_run(
                list(argv), environment=dict(environment or {}), demux=True
            ),
        )
        # With `demux` the output is a pair, standard output and error, each None when empty; its type does not say so.
        parts: tuple[Any, Any] = answer.output  # type: ignore[assignment]
        said, complained = ((part or b"").decode(errors="replace") for part in parts)
        if answer.exit_code != 0:
            why = f"ended with {answer.exit_code}: {(complained or said).strip()[-300:]}"
            raise AskFailed(container, argv, why)
        return said

    def log(container: str) -> str:
        lines: bytes = asked(container, ["logs"], lambda engine: engine.api.logs(container, tail=LOG_LINES))
        return lines.decode(errors="replace")

    def process_list(container: str) -> str:
        listed = asked(container, ["ps"], lambda engine: engine.api.top(container, ps_args="-eo pid,args"))
        return "\n".join(" ".join(row) for row in listed["Processes"] or ())

    return Site(
        plan=plan,
        inspected={host: seen for host, engine in engines.items() if (seen := _inspected(engine)) is not None},
        exec_text=exec_text,
        credentials=credentials,
        listening=listening,
        log=log,
        process_list=process_list,
    )


def _inspected(engine: docker.DockerClient) -> dict[str, dict[str, Any]] | None:
    found: dict[str, dict[str, Any]] = {}
    try:
        for one in engine.api.containers(all=True, filters={"label": MANAGED}):
            try:
                attributes = engine.api.inspect_container(one["Id"])
            except NotFound:  # gone since it was listed
                continue
            found[attributes["Name"].lstrip("/")] = attributes
    except (DockerException, RequestException):
        return None
    return found
