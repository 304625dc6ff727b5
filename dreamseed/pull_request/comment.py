"""The comment on a pull request: the verdict first, then what each stage and promotion sees, cost, policies, losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from dreamseed.cost.diff import CostDiff
from dreamseed.cost.report.comment import MARKS
from dreamseed.pull_request.findings import Action, Effect, Findings, Touched, new_failures

MARKER = "<!-- dreamseed-pull-request -->"
MOST_RESOURCES = 25
MOST_LINES = 12
MOST_SURVIVAL = 10
MOST_WORDS = 600
DEARER, SAME = "❌", "⚪"


def comment(findings: Findings) -> str:
    """Return the comment; its first line is `MARKER`, by which it is found again."""
    return "\n".join(_lines(findings)) + "\n"


def _lines(findings: Findings) -> Iterator[str]:
    reasons = list(findings.reasons())
    yield MARKER
    yield f"### {'❌ May not be merged' if reasons else '✅ May be merged'}"
    yield ""
    yield from (f"- {reason}" for reason in reasons)
    if not reasons:
        yield "No state is lost, no policy broken, no guardrail of cost newly failed."
    yield ""
    yield from _refused(findings.refused)
    yield from _leaks(findings)
    yield from _stages(findings)
    yield from _promotions(findings)
    yield from _costs(findings)
    yield from _survival(findings)
    yield f"Compared with {findings.base}, by a rehearsal against attached providers: no account was asked."


def _refused(refused: Mapping[str, str]) -> Iterator[str]:
    for stage, words in refused.items():
        yield f"#### {stage} is wrong"
        yield from ("", "```text", words, "```", "")


def _leaks(findings: Findings) -> Iterator[str]:
    if findings.leaks:
        yield "#### Secrets in the change"
        yield ""
        yield from (f"- **{leak.file}, line {leak.line}**: looks like {leak.shape}" for leak in findings.leaks)
        yield ""
        yield "Take them back at their issuer now: what was pushed is known, also after it is removed here."
        yield ""


def _stages(findings: Findings) -> Iterator[str]:
    yield "#### Resources"
    yield ""
    if not findings.stages:
        yield from ("Nothing was rehearsed: no stage is reached, or a stage file is wrong.", "")
        return
    yield "| stage | created | updated | replaced | deleted | stateful, replaced or deleted | policies broken |"
    yield "| --- | ---: | ---: | ---: | ---: | --- | ---: |"
    for effect in findings.stages:
        cells = (*map(str, effect.counts.values()), _lost(effect), str(len(effect.broken)))
        yield f"| {effect.name} | {' | '.join(cells)} |"
    yield ""
    for effect in findings.stages:
        yield from _details(effect)


def _lost(effect: Effect) -> str:
    lost = sorted(f"**{each.name} ({each.action.value})**" for each in effect.touched if each.loses_state)
    return ", ".join(lost) or "none"


def _details(effect: Effect) -> Iterator[str]:
    yield from (f"- {effect.name}, policy `{rule}`: {fault}" for rule, fault in sorted(effect.broken))
    if effect.errors and not effect.broken:
        text = "\n".join(effect.errors)
        yield from (f"The engine refuses {effect.name}:", "", "```text", text[:MOST_WORDS], "```")
    if effect.touched:
        yield from (f"<details><summary>{effect.name}: what changes</summary>", "")
        ordered = sorted(effect.touched, key=lambda each: (not each.loses_state, each.action, each.type, each.name))
        yield from map(_resource, islice(ordered, MOST_RESOURCES))
        if len(ordered) > MOST_RESOURCES:
            yield f"- and {len(ordered) - MOST_RESOURCES} more"
        yield from ("", "</details>")
    if effect.touched or effect.errors or effect.broken:
        yield ""


def _resource(touched: Touched) -> str:
    kind = touched.type.rsplit(":", 1)[-1]
    inputs = f": {', '.join(touched.inputs)}" if touched.inputs and touched.action is not Action.CREATE else ""
    text = f"{touched.action.value} {kind} `{touched.name}`"
    return f"- **{text}, which holds state**{inputs}" if touched.loses_state else f"- {text}{inputs}"


def _promotions(findings: Findings) -> Iterator[str]:
    if not findings.promotions:
        if findings.stages:
            yield from ("No promotion was rehearsed.", "")
        return
    yield "| promotion | created, updated, replaced, deleted | before the change | stateful, replaced or deleted |"
    yield "| --- | --- | --- | --- |"
    for promotion in findings.promotions:
        effect = promotion.effect
        now = "it fails" if effect.errors else _counted(effect.counts)
        before = promotion.counts_before and _counted(promotion.counts_before)
        yield f"| {effect.name} | {now} | {'the same' if now == before else before or '–'} | {_lost(effect)} |"
    yield ""
    if not any(effect.errors for effect in findings.stages):  # otherwise the previews tell why, and all of it
        for promotion in findings.promotions:
            if promotion.effect.errors:
                yield from _details(promotion.effect)


def _counted(counts: Mapping[Action, int]) -> str:
    return ", ".join(str(counts[action]) for action in Action)


def _costs(findings: Findings) -> Iterator[str]:
    yield "#### Cost, expected USD a month"
    yield ""
    if not findings.costs:
        yield from ("No line changes.", "")
        return
    yield "| stage | before | after | change | budget |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for diff in findings.costs:
        before, after = diff.before.total.expected, diff.after.total.expected
        change = f"**{diff.change_usd:+,.2f}** ({diff.change_ratio:+.1%})"
        yield f"| {diff.after.plan.name} | {before:,.2f} | {after:,.2f} | {change} | {diff.after.budget_usd:,.0f} |"
    yield ""
    for diff in findings.costs:
        yield from _cost(diff, findings)


def _cost(diff: CostDiff, findings: Findings) -> Iterator[str]:
    name, failed = diff.after.plan.name, new_failures(diff, findings.today)
    for rule in diff.guardrails:
        if rule in failed:
            yield f"- {DEARER} {name}, {rule.name}: {rule.found}"
        elif MARKS[rule.verdict] == DEARER:
            yield f"- {SAME} {name}, {rule.name}: {rule.found} (so before the change, too)"
    yield from ("", f"<details><summary>{name}: lines</summary>", "", "| | before | after | change |")
    yield "| --- | ---: | ---: | ---: |"
    for change in diff.changes[:MOST_LINES]:
        cells = ("–" if usd is None else f"{usd:,.2f}" for usd in (change.before_usd, change.after_usd))
        yield f"| {change.name} | {' | '.join(cells)} | {change.change_usd:+,.2f} |"
    yield from ("", "</details>", "")


def _survival(findings: Findings) -> Iterator[str]:
    yield "#### What is survived"
    yield ""
    if not findings.survival:
        yield from ("No claim changes.", "")
        return
    ordered = sorted(findings.survival, key=lambda each: not each.worse)
    for each in ordered[:MOST_SURVIVAL]:
        words = f"{each.before or 'there was none'} → {each.after or 'is no more'}"
        yield f"- {'**worse** ' if each.worse else ''}{each.stage}, {each.loss}: {words}"
    if len(ordered) > MOST_SURVIVAL:
        yield f"- and {len(ordered) - MOST_SURVIVAL} more"
    yield ""
