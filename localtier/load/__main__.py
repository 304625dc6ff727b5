"""`python -m localtier.load run|figures|verify FOLDER`: the load of a folder that holds targets.json and secrets.json.

`run` runs until SIGTERM. The other two print a report as JSON; `verify` exits with 1 when anything is missing.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from localtier.load.report import report_of, verify
from localtier.load.runner import TARGETS_FILE, Rates, read_secrets, serve
from localtier.load.targets import read_targets


def main(words: Sequence[str]) -> int:
    """Do one of the jobs and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m localtier.load", description=__doc__)
    parser.add_argument("job", choices=("run", "figures", "verify"))
    parser.add_argument("folder", type=Path)
    for rate in fields(Rates):
        parser.add_argument(f"--{rate.name.replace('_', '-')}", type=float, default=rate.default, help="per second")
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if arguments.job == "run":
        serve(arguments.folder, Rates(**{rate.name: getattr(arguments, rate.name) for rate in fields(Rates)}))
        return 0
    if arguments.job == "figures":
        sys.stdout.write(report_of(arguments.folder).to_json() + "\n")
        return 0
    report = verify(arguments.folder, read_targets(arguments.folder / TARGETS_FILE), read_secrets(arguments.folder))
    sys.stdout.write(report.to_json() + "\n")
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
