from __future__ import annotations

from collections.abc import Callable

import pytest

from localtier.checks.secrets import secrets
from localtier.checks.site import AskFailed
from tests.localtier.checks.healthy import Stage
from tests.planning.stages import shipped

PASSWORD = "a-password-of-the-service"


def faults(stage: Stage) -> list[str]:
    return [one.detail for one in secrets(stage.site) if not one.ok]


def in_its_environment(stage: Stage) -> None:
    stage.inspected["server-1"]["pgbouncer-1"]["Config"] = {"Env": ["PATH=/bin", f"PASSWORD={PASSWORD}"]}


def in_its_labels(stage: Stage) -> None:
    stage.inspected["server-1"]["pgbouncer-1"]["Config"] = {"Labels": {PASSWORD: ""}}


def in_its_log(stage: Stage) -> None:
    stage.logs["pgbouncer-1"] = f"connecting as dreamseed:{PASSWORD}@server\n"


def in_a_command_line(stage: Stage) -> None:
    stage.process_lists["pgbouncer-1"] = f"12 psql postgres://dreamseed:{PASSWORD}@server"


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        (in_its_environment, "what Docker says"),
        (in_its_labels, "what Docker says"),
        (in_its_log, "the log"),
        (in_a_command_line, "the processes"),
    ],
)
def test_a_secret_that_shows_is_told_by_its_name_and_place_alone(shown: Callable[[Stage], None], place: str) -> None:
    stage = Stage(shipped("stage-e"))
    assert faults(stage) == []
    shown(stage)
    assert faults(stage) == [f"postgres-application stands in {place} of pgbouncer-1"]


def test_a_name_that_opens_nothing_may_be_said() -> None:
    stage = Stage(shipped("stage-e"))
    stage.logs["prometheus"] = f"writes as {stage.credentials['grafana-cloud-user']}"
    assert faults(stage) == []


def test_where_no_secret_is_known_nothing_was_shown() -> None:
    stage = Stage(shipped("stage-e"))
    stage.credentials.clear()
    assert faults(stage) == ["no container holds one"]


def test_a_container_that_does_not_tell_is_a_fault() -> None:
    class Silent(dict[str, str]):
        def get(self, key: str, default: object = None) -> str:
            raise AskFailed(key, ["logs"], "Connection refused")

    stage = Stage(shipped("stage-a"))
    stage.logs = Silent()
    assert any("Connection refused" in fault for fault in faults(stage))
