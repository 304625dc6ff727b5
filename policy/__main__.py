"""The pack that the engine loads: ``pulumi preview --policy-pack policy``."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine runs this folder by its path; the project around it is what holds the rules.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.pack import load

load()
