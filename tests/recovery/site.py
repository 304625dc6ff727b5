"""A stack whose state is damaged on purpose, the person who recovers it by the documented commands, and the judge."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.commands.rehearse import traits
from dreamseed.recovery.worksheet import Worksheet
from rehearsal.chaos.verdict import differences, existing
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project, Workspace
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.resources import Action
from rehearsal.runner.scaffold import PLAINTEXT
from rehearsal.toolchain import ensure_engine

STACK = "production"
TRIES = 6
NOT_A_FILE = frozenset({"PULUMI_SKIP_CHECKPOINTS", "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS"})
"""What rehearsals turn off, and a stack of the user's own has: a checkpoint after each step, and copies of it."""


@dataclass(frozen=True)
class Before:
    """The state before it was damaged, with its secrets: what servers, Secret Manager and consoles still know."""

    state: dict[str, Any]
    objects: Counter[str]

    @property
    def ids(self) -> dict[str, str]:
        return {r["urn"]: r["id"] for r in self.state["deployment"]["resources"] if r.get("id")}

    def value(self, urn: str, name: str) -> str:
        outputs = next(r for r in self.state["deployment"]["resources"] if r["urn"] == urn)["outputs"]
        value = outputs[name]
        return str(json.loads(value[PLAINTEXT]) if isinstance(value, Mapping) else value)

    @property
    def passwords(self) -> dict[str, str]:
        rows = self.state["deployment"]["resources"]
        return {r["urn"]: self.value(r["urn"], "result") for r in rows if r["type"].endswith(":RandomPassword")}


@dataclass
class Site:
    """One stack on a fake cloud; `forgets` are the ends of URNs of which the person says that nothing is there."""

    project: Project
    folder: Path
    stage: str
    engine: Engine
    config_file: Path
    said: list[str] = field(default_factory=list)
    forgets: tuple[str, ...] = ()

    @property
    def state_file(self) -> Path:
        return next(self.folder.glob(f"engine/backend/.pulumi/stacks/*/{STACK}.json"))

    def up(self, stage: str) -> Run:
        run = self.engine.up(STACK, stage, lambda _: None)
        assert run.succeeded, run.errors
        return run

    def before(self) -> Before:
        with self.cloud() as cloud:
            objects = Counter(token for token, _ in existing(cloud))
        return Before(self.engine.read_state(STACK, show_secrets=True), objects)

    @contextmanager
    def cloud(self) -> Iterator[FakeCloud]:
        cloud = FakeCloud(self.folder / "cloud")
        try:
            yield cloud
        finally:
            cloud.close()

    def run(self, *words: str) -> Result:
        """Run one of the project's commands on the stack."""
        options = ["--stack", STACK, "--config-file", str(self.config_file)]
        result = CliRunner().invoke(build([words[0]]), [*words, *options])
        self.said.append(result.output)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def recover(self, before: Before, *words: str) -> Result:
        """Recover as the page says: run, look up, run again."""
        sheet = self.folder / "recovery.json"
        for _ in range(TRIES):
            result = self.run("recover", "--worksheet", str(sheet), *words)
            if result.exit_code == 0 or not self._look_up(sheet, before):
                break
        return result

    def _look_up(self, path: Path, before: Before) -> bool:
        """Fill the worksheet in; return whether there was anything to fill in."""
        sheet = Worksheet.read(path, {})
        with self.cloud() as cloud:
            for row in sheet.rows.values():
                if "delete it by hand" in row.look_up and before.ids.get(row.urn):
                    token = row.urn.split("::")[2].rpartition("$")[2]
                    if any(found.id == before.ids[row.urn] for found in cloud.list(token)):
                        cloud.remove(token, before.ids[row.urn])
        changed = False
        for row in sheet.rows.values():
            if not row.open:
                continue
            changed = True
            there = row.urn in before.ids and not row.urn.endswith(self.forgets or ("::",))
            row.id = before.ids[row.urn] if there else None
            row.values = {name: before.value(row.urn, name) if there else None for name in row.values}
        sheet.write(path)
        return changed

    def wrong(self, before: Before) -> list[str]:
        """Return what is wrong after the next `up`: nothing stateful may go or come, nothing be double or lost."""
        run = self.up(self.stage)
        lost = [c for c in run.events.changes() if c.action is not Action.UPDATE and traits(c.resource).stateful]
        told = [f"{change.action} {change.resource.urn}" for change in lost]
        again = self.engine.preview(STACK, self.stage, lambda _: None)
        told += [f"second preview: {error}" for error in again.errors]
        told += [f"second preview: {c.action} {c.resource.urn}" for c in again.events.all_changes()]
        after = self.before()
        with self.cloud() as cloud:
            told += differences(after.state, cloud, before.objects)
        told += [f"another password: {urn}" for urn, text in before.passwords.items() if after.passwords[urn] != text]
        return told


@contextmanager
def standing(project: Project, folder: Path, stage: str) -> Iterator[Site]:
    """Give the stack in `folder`, with its cloud and its environment, as it stands at `stage`."""
    workspace = Workspace(project, folder / "engine")
    workspace.prepare()
    toolchain = ensure_engine()
    with ProviderHost(folder / "cloud") as host:
        environment = workspace.environment(toolchain, host.environment())
        environment = {name: value for name, value in environment.items() if name not in NOT_A_FILE}
        engine = Engine(toolchain, workspace, environment)
        kept = dict(os.environ)
        os.environ.update(environment)
        try:
            yield Site(project, folder, stage, engine, workspace.config_file(stage))
        finally:
            os.environ.clear()
            os.environ.update(kept)


@contextmanager
def copied(project: Project, start: Path, folder: Path, stage: str) -> Iterator[Site]:
    """Give a copy of a stack that stands."""
    shutil.copytree(start, folder)
    with standing(project, folder, stage) as site:
        yield site


def with_passphrase(site: Site, passphrase: str) -> Site:
    """Return the site as somebody sees it who has another passphrase."""
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = passphrase
    environment = {**site.engine.environment, "PULUMI_CONFIG_PASSPHRASE": passphrase}
    project = replace(site.project, passphrase=passphrase)
    return replace(site, project=project, engine=replace(site.engine, environment=environment))
