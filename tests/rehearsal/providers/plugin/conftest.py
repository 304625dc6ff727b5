"""A judge that asks what plays a vendor's plugin, without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rehearsal.providers.judge.plugin_judge import PluginJudge
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.client import Waits
from rehearsal.providers.plugin.finding import Plugin
from rehearsal.providers.plugin.pool import PluginPool
from rehearsal.tables import facts, shapes
from tests.rehearsal.providers.plugin.installed import TABLES, install

# Ample for a start on a busy machine.
SECONDS = 120.0

CACHES = (
    facts.own_folders,
    facts.packages,
    facts.meta_of,
    facts.rows_of,
    facts._lifecycles,
    facts.facts_for,
    facts.lifecycle_for,
    shapes._raw,
    shapes._object,
    shapes.config_shape,
    shapes.resource_shape,
)


def forget() -> None:
    """Read tables anew: which folders hold them has changed."""
    for cached in CACHES:
        cached.cache_clear()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tables of the made-up package beside ours."""
    monkeypatch.setenv(facts.OWN_TABLES, str(TABLES))
    forget()
    yield
    monkeypatch.delenv(facts.OWN_TABLES)
    forget()


@pytest.fixture
def pool_of(tmp_path: Path) -> Iterator[Callable[..., PluginPool]]:
    """Make the pool of a plugin that behaves as it is told; its processes end with the test."""
    with ExitStack() as stack:

        def make(mode: str = "well", seconds: float = SECONDS, major: str = "") -> PluginPool:
            plugin = Plugin("acme", install(tmp_path / "home", mode), "2.3.0", major)
            pool = PluginPool(plugin, tmp_path / "plugins", Waits(seconds, seconds))
            stack.callback(pool.stop)
            return pool

        yield make


@pytest.fixture
def judge_of(tables: None, pool_of: Callable[..., PluginPool]) -> Callable[..., PluginJudge]:
    """Make the judge over such a pool."""
    return lambda *given, **named: PluginJudge(pool_of(*given, **named), TableJudge())
