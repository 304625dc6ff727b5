"""Drills in namespaces of their own: their addresses, mounts and processes end with them, and two never meet.

The command starts this module's `perform` as the first process of new network, mount and process namespaces, tells it
what to do on standard input, and reads what it found from a file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dreamseed.planning.planner import plan_stage_file
from localtier.drills.root import ensure_root
from localtier.drills.server import DrillError
from localtier.images import ImageError, ensure_binary
from localtier.images.machine import PACKAGE_OF, command_path, ensure_commands

NAMESPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
CLOCK = {"faketime": "faketime"}
"""The package with the library that lets a process see another time."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to perform: a name of `PARTS`, the stage's file, its project, and the part's own settings."""

    part: str
    stage_file: str
    project: str
    settings: dict[str, Any]


def enclose(order: Order, console: Console) -> dict[str, Any]:
    """Perform `order` in namespaces of its own; return what it found.

    Raises `DrillError` when it cannot be brought to its end, ImageError and ToolchainError when what it needs cannot be
    made here.
    """
    if os.geteuid() != 0:
        raise ImageError("a drill has network, mount and process namespaces of its own", "run the command as root")
    ensure_commands(console, {**PACKAGE_OF, **CLOCK})
    plan = plan_stage_file(Path(order.stage_file), Path(order.project))
    image = ensure_root(plan.config.postgres.image, console)
    # Below /var/tmp, as /tmp may be memory: the copy's speed is to be that of a disk.
    folder = Path(tempfile.mkdtemp(prefix="dreamseed-drill-", dir="/var/tmp"))
    found = folder / "found.json"
    told = {**asdict(order), "image": str(image), "versitygw": str(ensure_binary("versitygw")), "folder": str(folder)}
    try:
        done = subprocess.run(
            # Ends with this process, however that ends: unshare itself ignores a polite request.
            [
                *(command_path("setpriv"), "--pdeathsig", "KILL"),
                *(command_path("unshare"), *NAMESPACES, sys.executable, "-m", "localtier.drills"),
            ],
            input=json.dumps(told),
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        if not found.exists():
            raise DrillError(f"the drill ended with {done.returncode} and found nothing")
        answer: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if "error" in answer:
        raise DrillError(answer["error"])
    return answer


def perform(text: str) -> int:
    """Do what `text` orders, inside the namespaces; write what it found; return the exit status."""
    from localtier.drills.parts import PARTS
    from localtier.drills.sandbox import Sandbox

    told = json.loads(text)
    folder = Path(told["folder"])
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 150)
    sandbox = Sandbox(
        plan=plan_stage_file(Path(told["stage_file"]), Path(told["project"])),
        image=Path(told["image"]),
        versitygw=Path(told["versitygw"]),
        folder=folder,
    )
    try:
        sandbox.start()
        found = PARTS[told["part"]](sandbox, told["settings"], lambda words: console.print(words, markup=False))
    except DrillError as error:
        found = {"error": str(error)}
    (folder / "found.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 1 if "error" in found else 0
