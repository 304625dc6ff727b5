from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError, NotFound
from requests import ConnectionError as Refused

from localtier.checks.site import AskFailed, visit
from localtier.checks.stage import run
from tests.planning.stages import container, shipped

A = shipped("stage-a")


class Engine:
    """As much of docker-py's client as the checks use; `answer` is what a command returns."""

    def __init__(self, answer: Any) -> None:
        self.api = SimpleNamespace(containers=self._list, inspect_container=self._inspect)
        self.containers = SimpleNamespace(get=lambda name: self)
        self.answer = answer
        self.filters: Any = None

    def _list(self, *, all: bool, filters: Any) -> list[dict[str, str]]:  # noqa: A002 - docker-py's name
        assert all
        self.filters = filters
        return [{"Id": "1"}, {"Id": "2"}]

    def _inspect(self, name: str) -> dict[str, str]:
        if name == "2":
            raise NotFound("gone")
        return {"Name": "/etcd-1"}

    def exec_run(self, argv: list[str], *, environment: dict[str, str], demux: bool) -> Any:
        assert demux
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(exit_code=self.answer[0], output=self.answer[1:])


def engines(answer: Any) -> dict[str, docker.DockerClient]:
    return {"server-1": cast(docker.DockerClient, Engine(answer))}


def test_a_container_that_goes_while_it_is_looked_at_is_left_out() -> None:
    site = visit(A, engines((0, b"", None)), {})
    assert site.inspected == {"server-1": {"etcd-1": {"Name": "/etcd-1"}}}


def test_what_a_command_prints_is_told_without_its_complaints() -> None:
    assert visit(A, engines((0, b"yes\n", b"warning")), {}).exec_text("etcd-1", ["etcdctl"]) == "yes\n"
    assert visit(A, engines((0, None, None)), {}).exec_text("etcd-1", ["etcdctl"]) == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((1, b"", b"no such member\n"), "etcd-1: etcdctl: ended with 1: no such member"),
        ((7, b"refused", None), "etcd-1: etcdctl: ended with 7: refused"),
        (APIError("is not running"), "is not running"),
        (Refused("no such socket"), "no such socket"),
    ],
)
def test_a_command_that_fails_says_where_and_why(answer: Any, said: str) -> None:
    with pytest.raises(AskFailed, match=said):
        visit(A, engines(answer), {}).exec_text("etcd-1", ["etcdctl"])


def test_a_host_whose_engine_does_not_answer_is_said() -> None:
    def refused(**_: Any) -> None:
        raise Refused("no such socket")

    away = Engine((0, b"", None))
    away.api.containers = refused
    site = visit(A, {"server-1": cast(docker.DockerClient, away)}, {})
    assert site.inspected == {}
    [finding] = run("containers", site)
    assert (finding.ok, finding.detail) == (False, "its Docker Engine does not answer")


def test_a_host_without_an_engine_is_said() -> None:
    with pytest.raises(AskFailed, match="server-1 has no Docker Engine"):
        visit(A, {}, {}).exec_text("etcd-1", ["etcdctl"])


def test_a_container_is_asked_from_one_that_shares_a_network_with_it() -> None:
    site = visit(shipped("stage-e"), {}, {})
    image = site.plan.config.postgres.image
    assert site.beside(container(site.plan, "pgbouncer-3"), image) == "pg-1-4"
    assert site.beside(container(site.plan, "vllm-router-3"), "vllm") == "server-2-vllm-1"
    with pytest.raises(AskFailed, match="no container of vllm on server-1"):
        site.beside(container(site.plan, "prometheus"), "vllm")
