"""`python -m tests.recovery [STAGE [CASE]]`: lose a stage's state, rehearsed, and recover it as documented."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from dreamseed.commands import recover as command
from dreamseed.commands.rehearse import rehearsed_project
from dreamseed.config import STAGE_NAMES
from tests.recovery.cases import CASES, export
from tests.recovery.site import STACK, copied, standing


def main(stage: str = "stage-a", only: str = "") -> int:
    """Try every case on `stage`, or only one; return the exit status."""
    if stage not in STAGE_NAMES:
        sys.stderr.write(f"there is no stage {stage!r}: write one of {', '.join(STAGE_NAMES)}\n")
        return 2
    command.PAUSE_SECONDS = 0.0
    project = rehearsed_project()
    before_it = STAGE_NAMES[max(0, STAGE_NAMES.index(stage) - 1)]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="dreamseed-recovery-") as root:
        stack = Path(root, "stack")
        with standing(project, stack, stage) as site:
            assert site.engine.create_stack(STACK, like=stage).succeeded
            site.up(before_it)
            older = export(site, Path(root, "older.json"))
            site.up(stage)
            before = site.before()
        for number, (name, case) in enumerate(CASES.items()):
            if only and name != only:
                continue
            began = time.monotonic()
            with copied(project, stack, Path(root, f"case-{number}"), stage) as site:
                try:
                    case(site, before, older)
                    wrong = site.wrong(before)
                except AssertionError as error:
                    wrong = [str(error)]
            failed += bool(wrong)
            said = f"{'FAIL' if wrong else 'PASS'}: {stage}, {name} ({time.monotonic() - began:.0f} s)\n"
            sys.stdout.write(said + "".join(f"  {line}\n" for line in wrong))
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
