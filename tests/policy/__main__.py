"""`make policy-test`: the mutation score of every rule, what is waived, and what the shipped stages break today."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from dreamseed.config import STAGE_NAMES
from policy.judge import judge
from policy.waivers import shipped_waivers
from tests.policy.recorded import resources, shipped
from tests.policy.score import ENOUGH, READS_THE_STAGE_ONLY, ratio, scores


def main() -> int:
    """Print all of it; return 1 where a stage breaks a rule, or too few injections are caught."""
    lines = [f"{'rule':<34}{'guards':>8}{'injected':>10}{'caught':>8}"]
    found = scores()
    for score in found:
        lines.append(f"{score.rule:<34}{score.guarded:>8}{len(score.tried):>10}{score.caught:>8}")
        missed = [one for one in score.tried if not one.caught]
        lines += [f"    missed: {one.stage} {one.resource}: {one.injection}" for one in missed[:5]]
    alone = " and ".join(sorted(READS_THE_STAGE_ONLY))
    lines.append(f"    ({alone} read the stage file alone; their mutants: tests/policy/test_rules.py)")
    today = datetime.now(UTC).date()
    broken = 0
    for name in STAGE_NAMES:
        judged = judge(resources(name), shipped(name, today), shipped_waivers())
        broken += len(judged.violations)
        lines.append(f"{name}: {len(judged.violations)} violations, {len(judged.waived)} waived")
        lines += [f"    {violation.rule}: {violation}" for violation in judged.violations]
        lines += [f"    waived until {w.until}: {v.rule}, {v.resource}: {v.fault}" for v, w in judged.waived]
    injected = sum(len(score.tried) for score in found)
    share = ratio(found)
    sound = not broken and share >= ENOUGH
    verdict = "PASS" if sound else "FAIL"
    lines.append(
        f"{verdict}: {len(found)} rules, {injected} injected violations, {share:.1%} caught "
        f"(at least {ENOUGH:.0%}), {broken} violations in the shipped stages"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
