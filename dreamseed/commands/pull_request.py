"""`dreamseed pull-request`: what a change does to every stage and promotion, before it is merged."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.commands.cost import NOT_POSTED
from dreamseed.commands.posting import posted, pull_request_named
from dreamseed.commands.rehearse import REHEARSAL_PASSPHRASE, traits
from dreamseed.config import find_project
from dreamseed.github.pull_request import FORM
from dreamseed.pull_request import revision
from dreamseed.pull_request.comment import MARKER, comment
from dreamseed.pull_request.findings import Action, Effect, Findings, Promotion, Touched
from dreamseed.pull_request.leaks import leaks
from dreamseed.pull_request.stages import costs, plan_both, reached, survival, with_neighbours
from rehearsal.providers.host import HostFailedError, ProviderHost
from rehearsal.runner import Project, Setting
from rehearsal.runner.compare import Comparison, Step, compare
from rehearsal.runner.display import watching
from rehearsal.runner.events import Change
from rehearsal.runner.resources import Action as EngineAction
from rehearsal.toolchain import ToolchainError, ensure_engine

ACTIONS = {
    EngineAction.CREATE: Action.CREATE,
    EngineAction.UPDATE: Action.UPDATE,
    EngineAction.REPLACE: Action.REPLACE,
    EngineAction.DELETE: Action.DELETE,
}


def pull_request(
    base: Annotated[str, typer.Argument(help="The revision that the change grew from, such as origin/main.")],
    post: Annotated[str | None, typer.Option(metavar=FORM, help="Also make it the comment on a pull request.")] = None,
    promotions: Annotated[bool, typer.Option(help="Rehearse the promotions into and out of the stages, too.")] = True,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print the comment on a change: resources by stage and promotion, state lost, cost, policies, what is survived.

    The tree as it is, committed or not, against where it parted from BASE. One state is brought through the stages that
    it reaches by the program of BASE, and this program is previewed on each; no account is asked and no secret read.
    Exit status 1 when the change may not be merged, 3 when it may but the comment could not be posted.
    """
    folder, today, said = find_project(project or Path.cwd()), datetime.now(UTC).date(), Console(stderr=True)
    target = pull_request_named(post)
    try:
        findings = examine(folder, base, today, said, promotions=promotions)
    except (ToolchainError, HostFailedError) as error:
        said.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    text, sound = comment(findings), not list(findings.reasons())
    typer.echo(text, nl=False)
    if target is not None and not posted(text, MARKER, target, os.environ) and sound:
        raise typer.Exit(NOT_POSTED)
    raise typer.Exit(0 if sound else 1)


def examine(project: Path, base: str, today: date, said: Console, *, promotions: bool = True) -> Findings:
    """Return everything about the tree in `project` against where it parted from `base`, with or without promotions."""
    commit = revision.commit_of(base, project)
    stages = reached(revision.changed_files(commit, project))
    planned, refused = plan_both(stages, project, commit)
    findings = Findings(
        base=base,
        today=today,
        costs=tuple(costs(planned, today)),
        survival=tuple(survival(planned)),
        leaks=tuple(leaks(revision.added(commit, project))),
        refused=refused,
    )
    if refused or not stages:
        return findings
    found = _rehearsed(project, commit, with_neighbours(stages) if promotions else stages, said, promote=promotions)
    seen = tuple(_effect(step.stage, step) for step in found.stages if step.stage in stages)
    promoted = tuple(_promotions(found, stages)) if promotions else ()
    return replace(findings, stages=seen, promotions=promoted)


def _rehearsed(project: Path, commit: str, ladder: Sequence[str], said: Console, *, promote: bool) -> Comparison:
    toolchain = ensure_engine(said)
    with tempfile.TemporaryDirectory(prefix="dreamseed-pull-request-", ignore_cleanup_errors=True) as scratch:
        root, hosts = Path(scratch), ExitStack()
        revision.unpack(commit, project, root / "base")
        with hosts:
            before, after = (
                Setting(
                    project=Project(directory=directory, stacks=tuple(ladder), passphrase=REHEARSAL_PASSPHRASE),
                    toolchain=toolchain,
                    workspace=root / f"workspace-{name}",
                    providers=hosts.enter_context(ProviderHost(root / f"cloud-{name}")).environment(),
                    classify=traits,
                    policy_pack=pack,
                )
                for name, directory, pack in (("base", root / "base", None), ("tree", project, project / "policy"))
            )
            with watching(said, "ladder") as (watch,):
                found = compare(before, after, watch, promote=promote)
    for failure in found.failures_before:
        said.print(f"the revision itself could not be rehearsed: {failure}", style="yellow", markup=False)
    return found


def _promotions(found: Comparison, stages: Iterable[str]) -> list[Promotion]:
    reached_stages = set(stages)
    before = {(step.before, step.stage): _effect("", step).counts for step in found.promotions_before}
    return [
        Promotion(
            # How far one came that failed is chance.
            effect=_effect(
                f"{step.before or 'nothing'} → {step.stage}", replace(step, changes=()) if step.errors else step
            ),
            counts_before=before.get((step.before, step.stage)),
        )
        for step in found.promotions_after
        if step.errors or reached_stages & {step.before, step.stage}
    ]


def _effect(name: str, step: Step) -> Effect:
    # The engine puts the rule's description on the lines before the message, and tells violations in any order.
    broken = {(broken.rule, broken.message.splitlines()[-1]) for broken in step.broken if broken.mandatory}
    return Effect(
        name=name,
        touched=tuple(map(_touched, step.changes)),
        broken=tuple(sorted(broken)),
        errors=step.errors,
    )


def _touched(change: Change) -> Touched:
    return Touched(
        action=ACTIONS[change.action],
        type=change.resource.type,
        name=change.resource.name,
        stateful=traits(change.resource).stateful,
        inputs=change.properties,
    )
