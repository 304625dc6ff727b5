"""Start a policy pack whatever language host the engine has.

An engine that finds a language host lets it run the pack. The host that is built here (rehearsal/toolchain/pins.py) is
older than that and runs the folder of the project instead (seen 2026-11-26). For a runtime without a host the engine
starts `pulumi-analyzer-policy-RUNTIME` from PATH: so the pack gets a stand-in with a runtime of its own, started by the
engine's own script for Python. Source: sdk/v3 3.259.0, go/common/resource/plugin/analyzer_plugin.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rehearsal.toolchain import Toolchain

RUNTIME = "rehearsal"
SCRIPT = "pulumi-analyzer-policy-python"


@dataclass(frozen=True)
class StandIn:
    """The folder to name as policy pack, and the one to put first on PATH."""

    pack: Path
    bin_dir: Path


def stand_in(pack: Path, toolchain: Toolchain, root: Path) -> StandIn:
    """Make, under `root`, what runs the Python policy pack in the folder `pack`."""
    made = StandIn(root / "policy", root / "policy-bin")
    for folder in (made.pack, made.bin_dir):
        folder.mkdir(parents=True, exist_ok=True)
    (made.pack / "PulumiPolicy.yaml").write_text(f"runtime: {RUNTIME}\n", encoding="utf-8")
    program = f"import runpy\n\nrunpy.run_path({str(pack)!r}, run_name='__main__')\n"
    (made.pack / "__main__.py").write_text(program, encoding="utf-8")
    link = made.bin_dir / f"pulumi-analyzer-policy-{RUNTIME}"
    link.unlink(missing_ok=True)
    link.symlink_to(toolchain.bin_dir / SCRIPT)
    return made
