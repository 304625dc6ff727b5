"""`dreamseed rehearse`: what `pulumi up` would do, for every stage and promotion, without a credential."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.catalog.stateful import PASSWORD_TYPE, is_stateful
from dreamseed.commands.options import known_stage
from dreamseed.config.load import STAGE_NAMES, find_project
from rehearsal import guards
from rehearsal.providers.host import HostFailedError, ProviderHost
from rehearsal.providers.judge.choice import Judging
from rehearsal.providers.plugin.finding import JudgeMode, NoPluginError, require
from rehearsal.providers.serving import Announcement
from rehearsal.runner import Project, Setting, preview_with_diff
from rehearsal.runner import rehearse as rehearse_project
from rehearsal.runner.display import watching
from rehearsal.runner.report import show
from rehearsal.runner.resources import Resource, Traits, by_default
from rehearsal.tables.facts import PACKAGES
from rehearsal.toolchain import ToolchainError, ensure_engine

PASSPHRASE_VARIABLE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - a variable's name
# Opens the example secrets of the committed stage files; whoever runs the service writes their own.
REHEARSAL_PASSPHRASE = "rehearsal"  # noqa: S105 - public on purpose

JSON_HELP = "Write the outcome to this file too, for machines."
JUDGE_HELP = (
    "Who judges: auto (the vendors' official plugins where they are installed), tables, or official (an error where "
    "one is missing)."
)
PROGRAM = ("components.topology", "dreamseed.config", "dreamseed.planning.planner", "dreamseed.planning.secrets")
GCP = (
    *("artifactregistry", "billing", "cloudrun", "cloudrunv2", "cloudscheduler", "iam", "monitoring", "organizations"),
    *("projects", "pubsub", "serviceaccount", "servicenetworking", "sql", "storage"),
)
PRELOADED = (*PROGRAM, *(f"pulumi_gcp.{name}" for name in GCP), "pulumiverse_grafana.cloud")
"""What `__main__.py` imports, and the packages that the SDKs load when they are first used.

None of it reads anything of a run while it is imported."""

STAGE_HELP = "Preview this stage alone, with its full diff: " + ", ".join(STAGE_NAMES) + "."


def rehearse(
    stage: Annotated[str | None, typer.Option(help=STAGE_HELP)] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help=JSON_HELP)] = None,
    judge: Annotated[JudgeMode, typer.Option(help=JUDGE_HELP)] = JudgeMode.AUTO,
) -> None:
    """Preview all stages from nothing and climb the ladder in one state, with the real engine, offline.

    Exit status 0: every preview succeeded, every second preview was empty, and no promotion replaced or
    deleted a stateful resource. Otherwise 1.
    """
    if stage is not None:
        known_stage(stage)
    console = Console()
    try:
        if judge is JudgeMode.OFFICIAL:
            require(PACKAGES)
        with _setting(console, judge) as setting:
            passed = _preview(setting, stage, console) if stage else _rehearse(setting, json_file, console)
    except (ToolchainError, HostFailedError, NoPluginError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    raise typer.Exit(0 if passed else 1)


def rehearsed_project() -> Project:
    """Return the project around the current folder, with the environment's passphrase or the rehearsal's."""
    passphrase = os.environ.get(PASSPHRASE_VARIABLE, REHEARSAL_PASSPHRASE)
    return Project(directory=find_project(Path.cwd()), stacks=STAGE_NAMES, passphrase=passphrase, preloaded=PRELOADED)


def traits(resource: Resource) -> Traits:
    """Return which component a resource counts for, and whether it is stateful: by the catalogue, or protected.

    A password that is not protected is none in use: it is the previous generation of one that is exchanged.
    """
    ordinary = by_default(resource)
    known = is_stateful(resource.type, resource.inputs) and resource.type != PASSWORD_TYPE
    return Traits(ordinary.component, ordinary.stateful or known)


def say_judges(announcement: Announcement, console: Console) -> None:
    """Print who judges each package."""
    for package, name in announcement.judges.items():
        console.print(f"judge of {package}: {name}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _setting(console: Console, judge: JudgeMode) -> Iterator[Setting]:
    toolchain, project = ensure_engine(), rehearsed_project()
    judging = Judging(judge, directory=project.directory)
    with tempfile.TemporaryDirectory(prefix="dreamseed-rehearsal-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        with ProviderHost(root / "cloud", judging=judging) as host:
            say_judges(host.announcement, console)
            yield Setting(
                project=project,
                toolchain=toolchain,
                workspace=root / "workspace",
                providers=host.environment(),
                classify=traits,
                before_destroy=lambda: _lift_guards(root / "cloud", console),
                judges=host.announcement.judges,
            )


def _rehearse(setting: Setting, json_file: Path | None, console: Console) -> bool:
    with watching(console, "previews", "ladder") as (previews, ladder):
        outcome = rehearse_project(setting, previews, ladder)
    show(outcome, console)
    if json_file:
        record = outcome.as_json() | {"judges": dict(setting.judges)}
        json_file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return outcome.passed


def _preview(setting: Setting, stage: str, console: Console) -> bool:
    with watching(console, "preview") as (watch,):
        run = preview_with_diff(setting, stage, watch)
    console.print(run.output, markup=False, highlight=False, soft_wrap=True)
    if not run.succeeded:
        console.print(f"✗ the preview of {stage} failed; what the engine said:", style="bold red")
        for error in run.errors:
            console.print(error, markup=False, highlight=False, soft_wrap=True)
    return run.succeeded


def _lift_guards(state_dir: Path, console: Console) -> None:
    lifted = guards.lift(state_dir)
    if lifted:
        console.print(
            f"before the destroy: the deletion protection of {lifted} objects was lifted in the fake cloud by hand, "
            "as their owner would have to",
            soft_wrap=True,
        )
