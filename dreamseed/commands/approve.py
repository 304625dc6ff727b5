"""`dreamseed approve`: two people sign what a promotion is decided on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from dreamseed.approvals.basis import basis
from dreamseed.approvals.ledger import APPROVALS_FOLDER, ApprovalError, Ledger
from dreamseed.approvals.record import ROLES, Approval, draw_up
from dreamseed.commands.gate import DRILLS_HELP, STORE_HELP, decisions
from dreamseed.config import STAGE_NAMES, Stage, find_project
from dreamseed.gates.gather import Places, gather
from dreamseed.gates.model import Verdict
from dreamseed.gates.waiver import WAIVERS_FOLDER, WaiverRecord, write_waiver
from playbook.engine_plan import EnginePlan

app = typer.Typer(help="Two people sign what a promotion is decided on.", no_args_is_help=True)
PROJECT_HELP = "The folder with Pulumi.yaml (default: found upwards)."
KEY_HELP = "Your SSH key: the private key's file, or the public key's when an agent holds it."
Project = Annotated[Path | None, typer.Option(help=PROJECT_HELP)]


@app.command()
def prepare(
    to: Annotated[str, typer.Option(help=f"The next stage: one of {', '.join(STAGE_NAMES[1:])}.")],
    plan: Annotated[Path, typer.Option(help="What the engine would do: dreamseed promote --to STAGE --plan FILE.")],
    on: Annotated[str | None, typer.Option(help="Not before this day, as YYYY-MM-DD (default: at once).")] = None,
    store: Annotated[Path | None, typer.Option(help=STORE_HELP)] = None,
    drills: Annotated[Path | None, typer.Option(help=DRILLS_HELP)] = None,
    project: Project = None,
) -> None:
    """Draw up the record of a promotion whose gate passes, for the CTO and the CFO to sign.

    Exit status 1 while a line of the gate is neither passed nor waived.
    """
    folder = find_project(project or Path.cwd())
    target, places, now = stage_named(to), Places.of(folder, store, drills), datetime.now(UTC)
    here = list(Stage)[target.rank - 1]
    situation = gather(folder, places, now)
    (decision,) = decisions(situation, (here,), down=False)
    if decision.gate.verdict is not Verdict.PASS:
        missing = ", ".join(f"{line.key} ({line.verdict})" for line in decision.gate.missing)
        raise ApprovalError(
            f"approve › {to}",
            f"the gate is not passed: {missing}",
            "all ticked, or it is waited for: unknown is not pass",
            "the missing facts, or a signed waiver: dreamseed approve waive",
        )
    previewed = EnginePlan.read(plan)
    if (previewed.from_stage, previewed.to_stage) != (f"stage-{here.lower()}", to):
        raise ApprovalError(
            str(plan),
            f"is of {previewed.from_stage} to {previewed.to_stage}",
            "an approval is bound to the plan of its own promotion",
            f"dreamseed promote --to {to} --plan FILE",
        )
    ledger = Ledger(folder / APPROVALS_FOLDER, places.trust)
    approval = draw_up(
        decision.gate,
        basis(folder, situation, decision.gate, previewed.digest),
        number=len(ledger.chain()) + 1,
        previous=ledger.head,
        now=now,
        not_before=_day(on) if on else now,
    )
    typer.echo(f"{ledger.add(approval)}\n{_shown(approval)}\nplan: {previewed.summary()}")
    typer.echo(f"now both sign: dreamseed approve sign {approval.number} --as {' | '.join(ROLES)} --key KEY")


@app.command("sign")
def sign_record(
    number: Annotated[int, typer.Argument(help="The number of the approval.")],
    role: Annotated[str, typer.Option("--as", help=f"Your role: {' or '.join(ROLES)}.")],
    key: Annotated[Path, typer.Option(help=KEY_HELP)],
    project: Project = None,
) -> None:
    """Sign a record with your own key. Read it first: everything that it names is what you answer for."""
    if role not in ROLES:
        raise typer.BadParameter(f"there is no role {role!r}: write {' or '.join(ROLES)}")
    folder = find_project(project or Path.cwd())
    ledger = Ledger(folder / APPROVALS_FOLDER, Places.of(folder).trust)
    approval = _numbered(ledger, number)
    typer.echo(f"{_shown(approval)}\nsigned as {role}: {ledger.sign(approval, role, key)}")


@app.command("list")
def listed(project: Project = None) -> None:
    """Print every approval of the chain and who signed it; exit status 1 where the chain is broken."""
    folder = find_project(project or Path.cwd())
    ledger = Ledger(folder / APPROVALS_FOLDER, Places.of(folder).trust)
    for approval in ledger.chain():
        try:
            signers = ledger.signers(approval, approval.drawn_up_at)
            signed = "signed by " + ", ".join(f"{one.principal} {one.fingerprint}" for one in signers)
        except ApprovalError as error:
            signed = error.what
        typer.echo(f"{_shown(approval)}\n  {signed}")


@app.command()
def waive(
    to: Annotated[str, typer.Option(help=f"The next stage: one of {', '.join(STAGE_NAMES[1:])}.")],
    line: Annotated[str, typer.Option(help="The line of the gate, such as api-p95 (see dreamseed gate --json).")],
    reason: Annotated[str, typer.Option(help="Why it may be passed over, in a sentence.")],
    until: Annotated[str, typer.Option(help="The last day it holds, as YYYY-MM-DD.")],
    role: Annotated[str, typer.Option("--as", help="cto for metrics and technical lines, cfo for finance.")],
    key: Annotated[Path, typer.Option(help=KEY_HELP)],
    project: Project = None,
) -> None:
    """Let one line of one gate pass for a time, signed by the role that answers for it. Never the restore drill."""
    folder = find_project(project or Path.cwd())
    target = stage_named(to)
    here = list(Stage)[target.rank - 1]
    try:
        record = WaiverRecord(
            from_stage=here,
            to_stage=target,
            line=line,
            role=role,
            reason=reason,
            made_on=datetime.now(UTC).date(),
            until=_day(until).date(),
        )
    except ValidationError as error:
        faults = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        raise typer.BadParameter(f"{faults}. A reason is a sentence of at least 20 characters.") from error
    typer.echo(write_waiver(folder / WAIVERS_FOLDER, record, key))


def stage_named(name: str) -> Stage:
    """Return the stage that a command's --to names; the first one cannot be promoted to."""
    if name not in STAGE_NAMES[1:]:
        raise typer.BadParameter(f"--to {name!r} is no stage to go to: write one of {', '.join(STAGE_NAMES[1:])}")
    return list(Stage)[STAGE_NAMES.index(name)]


def _numbered(ledger: Ledger, number: int) -> Approval:
    chain = ledger.chain()
    if not 1 <= number <= len(chain):
        raise typer.BadParameter(f"there is no approval {number}: {len(chain)} stand in {ledger.folder}")
    return chain[number - 1]


def _shown(approval: Approval) -> str:
    one = approval.basis
    waived = [key for key, verdict in approval.lines.items() if verdict is Verdict.WAIVED]
    return (
        f"{approval.number:04} stage {approval.from_stage} → {approval.to_stage}: {len(approval.lines)} lines met"
        f"{f', of them waived: {chr(44).join(waived)}' if waived else ''}\n"
        f"  cost {one.cost.before_usd:,.2f} → {one.cost.after_usd:,.2f} USD a month, program {one.commit[:12]}\n"
        f"  gate {one.gate}\n  plan {one.plan}\n  prices {one.prices}\n"
        f"  from {approval.not_before:%Y-%m-%d %H:%M} until {approval.expires_at:%Y-%m-%d %H:%M} UTC"
    )


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: write it as YYYY-MM-DD") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
