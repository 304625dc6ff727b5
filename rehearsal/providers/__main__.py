"""`python -m rehearsal.providers`: serve the attached providers until told to stop."""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.providers.judge.choice import Judging
from rehearsal.providers.plugin.client import SECONDS
from rehearsal.providers.plugin.finding import JudgeMode
from rehearsal.providers.serving import serve


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.providers", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory in which the fake cloud keeps its state")
    parser.add_argument("--announce", type=Path, required=True, help="file to write the ports to, as JSON")
    parser.add_argument(
        "--docker-hosts", type=Path, help="JSON file of Docker hosts and their engines' URLs: docker resources are real"
    )
    parser.add_argument("--parent", type=int, help="stop when the process with this id is gone")
    parser.add_argument("--judge", type=JudgeMode, choices=list(JudgeMode), default=JudgeMode.TABLES, help="who judges")
    parser.add_argument("--judge-seconds", type=float, default=SECONDS, help="how long a plugin may take for an answer")
    parser.add_argument("--judge-directory", type=Path, help="the program's folder, in which plugins run")
    arguments = parser.parse_args()
    judging = Judging(arguments.judge, arguments.judge_seconds, arguments.judge_directory)
    serve(arguments.state, arguments.announce, arguments.parent, arguments.docker_hosts, judging)


if __name__ == "__main__":
    main()
