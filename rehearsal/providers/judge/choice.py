"""Who judges which package: its official plugin, or the tables."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rehearsal.providers.judge.plugin_judge import MissingPluginJudge, PluginJudge
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.client import SECONDS, Waits
from rehearsal.providers.plugin.finding import JudgeMode, find_plugin, install_command, wanted
from rehearsal.providers.plugin.pool import PluginPool
from rehearsal.providers.plugin.settling import SettledCloud
from rehearsal.providers.seams import Cloud, Judge


@dataclass(frozen=True)
class Judging:
    """Who is to judge, and how many seconds a plugin may take for each answer; to start, no fewer than `SECONDS`.

    `directory` is the program's: there plugins find files that inputs name.
    """

    mode: JudgeMode = JudgeMode.TABLES
    seconds: float = SECONDS
    directory: Path | None = None


@dataclass(frozen=True)
class Chosen:
    """The judge of a package, and what it is called."""

    judge: Judge
    name: str

    def before(self, cloud: Cloud) -> Cloud:
        """The cloud as this judge needs it."""
        return SettledCloud(cloud, self.judge.schema) if isinstance(self.judge, PluginJudge) else cloud


def judges_of(packages: Iterable[str], judging: Judging, home: Path, stack: ExitStack) -> dict[str, Chosen]:
    """The judge of each package; `home` is a folder for plugins, which end with the stack."""
    tables = TableJudge()
    return {package: _judge_of(package, judging, home, stack, tables) for package in packages}


def _judge_of(package: str, judging: Judging, home: Path, stack: ExitStack, tables: TableJudge) -> Chosen:
    if judging.mode is JudgeMode.TABLES:
        return Chosen(tables, "tables")
    plugin = find_plugin(package)
    if plugin is not None:
        waits = Waits(start=max(judging.seconds, SECONDS), answer=judging.seconds)
        pool = PluginPool(plugin, home / package, waits, judging.directory)
        stack.callback(pool.stop)
        return Chosen(PluginJudge(pool, tables), f"{plugin}; tables add what its Check lets through")
    if judging.mode is JudgeMode.OFFICIAL:
        return Chosen(MissingPluginJudge(), f"nobody: {install_command(package)}")
    return Chosen(tables, f"tables (the official plugin{_version(package)} is not installed)")


def _version(package: str) -> str:
    asked = wanted(package).version
    return f" {asked}" if asked else ""
