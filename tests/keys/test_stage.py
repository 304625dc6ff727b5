"""The real engine on the whole of stage A: a role's password in PostgreSQL is exchanged under all that uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamseed.commands.rehearse import traits
from rehearsal.runner.engine import Engine, Reached, Run
from rehearsal.runner.resources import Action
from tests.keys.site import a_copy, named, secret, stand
from tests.program import PROJECT
from tests.recovery.site import STACK

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("keys")]


def test_the_api_s_role_is_exchanged_and_only_its_holders_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stood = stand(PROJECT / "__main__.py", "stage-a", tmp_path / "stood")
    ups: list[Run] = []
    up = Engine.up

    def seen(engine: Engine, name: str, stage: str, reached: Reached) -> Run:
        ups.append(up(engine, name, stage, reached))
        return ups[-1]

    with a_copy(stood, tmp_path / "copy", monkeypatch) as site:
        old = secret(named(site, "RandomPassword")["postgres-application"], "result")
        monkeypatch.setattr(Engine, "up", seen)
        result = site.run("keys", "rotate", "postgres-application")
        assert result.exit_code == 0, result.output
        assert old not in json.dumps(site.engine.read_state(STACK, show_secrets=True))
    switch, over = ([(c.action, c.resource) for c in run.events.changes()] for run in ups)
    touched = {(action, resource.name) for action, resource in switch}
    assert touched == {
        (Action.CREATE, "postgres-application-2"),
        (Action.CREATE, "pg-1-exchange"),
        (Action.REPLACE, "pg-1-configure"),
        (Action.REPLACE, "pgbouncer-1"),
        (Action.REPLACE, "pgbouncer-2"),
        (Action.REPLACE, "dreamseed-database-password"),
        (Action.UPDATE, "dreamseed-api"),
    }
    order = [resource.name for _, resource in switch]
    assert order.index("pg-1-exchange") < order.index("pgbouncer-1") < order.index("dreamseed-database-password")
    assert {(action, resource.name) for action, resource in over} == {
        (Action.DELETE, "postgres-application"),
        (Action.DELETE, "pg-1-exchange"),
    }
    lost = [r.name for action, r in switch + over if action in (Action.REPLACE, Action.DELETE) and traits(r).stateful]
    assert lost == []
