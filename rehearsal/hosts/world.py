"""A world: hosts with a Docker Engine each, and everything outside of them, on one Linux machine.

    world = World(root=folder, prefix="local", lans=lans, hosts=hosts)
    world.start()
    world.client("server-1").containers.list()
    world.stop()

Needs root. What was started stands in the world's folder, so another process finds it, adds hosts, or ends it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from rehearsal.hosts import engine
from rehearsal.hosts.commands import check_machine, run
from rehearsal.hosts.errors import HostsError
from rehearsal.hosts.layout import EngineFolder, Layout
from rehearsal.hosts.network import OUTSIDE, Network
from rehearsal.hosts.processes import digest, end, last_lines, recorded, start_detached
from rehearsal.hosts.spec import HostSpec, Lan, check
from rehearsal.hosts.state import remember, remembered
from rehearsal.toolchain.cache import locked

SERVICE_GRACE_SECONDS = 10.0
LISTENING = ("ss", "-Hltn")


@dataclass(frozen=True, kw_only=True)
class World:
    """The hosts and LANs of one world.

    `root` takes all its files, `prefix` begins the names of its namespaces and control groups.
    `waiting` is called when another command is changing the world and this one has to wait.
    Every method raises `HostsError` when something cannot be done.
    """

    root: Path
    prefix: str
    lans: tuple[Lan, ...]
    hosts: tuple[HostSpec, ...]
    waiting: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        check(self.prefix, self.hosts, self.lans)

    @property
    def layout(self) -> Layout:
        """Return where the world keeps its files."""
        return Layout(root=self.root)

    @property
    def network(self) -> Network:
        """Return the world's namespaces."""
        return Network(prefix=self.prefix)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the world for a change: one command at a time."""
        check_machine()
        with locked(self.layout.lock, self.waiting):
            yield

    def start(self) -> None:
        """Start what is missing: namespaces, cables, engines. What runs is left alone; returns when engines answer."""
        with self.changing():
            self._claim()
            self.network.ensure_outside(self.lans)
            for host in self.hosts:
                self.power_up(host)
            for host in self.hosts:
                engine.wait(self._folder(host.name), host.name)

    def stop(self) -> None:
        """End everything that was started over this root, also by others; the data roots stay.

        The engines stop their containers first, all at once.
        """
        with self.changing():
            started = self._started()
            hosts = sorted(started - {OUTSIDE})
            engine.stop([self._folder(name) for name in hosts])
            # Last, so that a store or a name is there while the containers put their things away.
            for record in sorted(self.layout.services.glob("*.json")):
                end(record, grace_seconds=SERVICE_GRACE_SECONDS)
            for name in hosts:
                self.clear(name)
            if OUTSIDE in started:
                self.network.remove_outside()
            self.layout.state.unlink(missing_ok=True)

    def forget(self) -> None:
        """Stop, and delete the data of every host and service too."""
        self.stop()
        with self.changing():
            engine.unmount_below(self.root)
            for path in self.root.iterdir():
                if path != self.layout.lock:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def is_running(self, host: str) -> bool:
        """Tell whether a host's engine runs."""
        return recorded(self._folder(host).record) is not None

    def socket(self, host: str) -> Path:
        """Return the socket of a host's engine."""
        return self._folder(host).socket

    def client(self, host: str) -> docker.DockerClient:
        """Return a client of a host's engine; the caller closes it."""
        return engine.client(self._folder(host))

    def address(self, host: str) -> str:
        """Return a host's address."""
        return self.host(host).address

    def host(self, name: str) -> HostSpec:
        """Return the host of that name."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise HostsError(f"there is no host {name!r}", f"write one of {known}")

    def outside(self, command: Sequence[str]) -> list[str]:
        """Return the command as it is run outside of the hosts."""
        return [*self.network.enter(OUTSIDE), *command]

    def inside(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command as it is run in a host's own network, as by somebody who is logged in there."""
        return [*self.network.enter(self.host(host).name), *command]

    def listening(self, host: str) -> frozenset[tuple[str, int]]:
        """Return the addresses and TCP ports that a host listens on, containers' own networks apart."""
        return listening_sockets(run(self.inside(host, LISTENING)))

    def listening_outside(self) -> frozenset[tuple[str, int]]:
        """Return the addresses and TCP ports that are listened on outside."""
        return listening_sockets(run(self.outside(LISTENING)))

    def give_outside(self, addresses: Sequence[str]) -> None:
        """Give the outside further addresses, e.g. of services on the internet; hosts reach them as anything there."""
        with self.changing():
            self.network.ensure_outside(self.lans, addresses)

    def start_service(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a command outside, detached, under a name. Kept when it runs so already, else started again."""
        with self.changing():
            record = self.layout.services / f"{name}.json"
            words = self.outside(command)
            running = recorded(record)
            if running is not None and running.command_digest == digest(words, environment):
                return
            end(record, grace_seconds=SERVICE_GRACE_SECONDS)
            start_detached(words, log=self.service_log(name), record=record, environment=environment)

    def stop_service(self, name: str) -> None:
        """End a service outside, if it runs."""
        with self.changing():
            end(self.layout.services / f"{name}.json", grace_seconds=SERVICE_GRACE_SECONDS)

    def is_service_running(self, name: str) -> bool:
        """Tell whether a service outside runs."""
        return recorded(self.layout.services / f"{name}.json") is not None

    def service_log(self, name: str) -> Path:
        """Return the log of a service outside."""
        return self.layout.services / f"{name}.log"

    def service_error(self, name: str, what: str) -> HostsError:
        """Return the error that a service outside `what`, with its last words."""
        log = self.service_log(name)
        return HostsError(f"{name} {what}; its log {log} ends:\n{last_lines(log)}", "mend what the log names")

    def power_up(self, host: HostSpec) -> None:
        """Start a host without waiting for its engine. Only while the world is held, see `changing`."""
        folder = self._folder(host.name)
        if not self.network.exists(host.name):
            # Nothing runs: what memory would hold is from before a reboot of this machine.
            shutil.rmtree(folder.running, ignore_errors=True)
        self.network.ensure_host(host)
        group = self.control_group(host.name)
        engine.start(folder, enter=self.network.enter(host.name), control_group=group, dns=host.network.gateway)

    def clear(self, host: str) -> None:
        """SIGKILL what still runs on a host and remove what only memory would hold; its data stays."""
        folder = self._folder(host)
        engine.kill_everything(folder, namespace=self.network.path(host), control_group=self.control_group(host))
        engine.unmount_below(folder.root)
        shutil.rmtree(folder.running, ignore_errors=True)
        engine.remove_control_group(self.control_group(host))
        self.network.remove_host(host)

    def control_group(self, host: str) -> str:
        """Return the control group that holds a host's containers."""
        return f"/{self.network.namespace(host)}"

    def _folder(self, host: str) -> EngineFolder:
        return self.layout.engine(host)

    def _started(self) -> frozenset[str]:
        """Return the namespaces that were started over this root, without their prefix."""
        state = remembered(self.layout.state, self.prefix)
        return frozenset() if state is None else frozenset({OUTSIDE, *state.hosts})

    def _claim(self) -> None:
        """Write down what is about to be started; refuse namespaces that another world has."""
        started = self._started()
        names = {OUTSIDE, *(host.name for host in self.hosts)}
        for name in sorted(names - started):
            if self.network.exists(name):
                raise HostsError(
                    f"the network namespace {self.network.namespace(name)} is there, but not of {self.root}",
                    f"another prefix than {self.prefix!r}, or stop the other world",
                )
        for host in self.hosts:
            self.layout.check(host.name)
        remember(self.layout.state, self.prefix, (names | started) - {OUTSIDE})


def listening_sockets(lines: str) -> frozenset[tuple[str, int]]:
    """Return the local ends that `ss -Hltn` printed; an IPv6 address without its brackets and interface."""
    ends = (line.split()[3].rpartition(":") for line in lines.splitlines())
    return frozenset((address.partition("%")[0].strip("[]"), int(port)) for address, _, port in ends)
