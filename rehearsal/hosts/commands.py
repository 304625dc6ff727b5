"""Run a command of the system to its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rehearsal.hosts.errors import HostsError

PROGRAMS = {
    "ip": "iproute2",
    "ss": "iproute2",
    "nsenter": "util-linux",
    "umount": "util-linux",
    "sysctl": "procps",
    "iptables": "iptables",
    "dockerd": "docker.io",
    "containerd": "containerd",
}
"""What is called, and the Debian package it is in."""

BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
TIMEOUT_SECONDS = 60.0


def run(command: Sequence[str], *, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Return what the command printed. Raises `HostsError` with its own words when it fails."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False, timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        raise HostsError(f"`{' '.join(command)}` took over {timeout_seconds:.0f} s", "see what holds it up") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise HostsError(f"`{' '.join(command)}` failed: {words}", "mend what it names, then run the same again")
    return done.stdout


def succeeds(command: Sequence[str]) -> bool:
    """Tell whether the command exits with 0."""
    return subprocess.run(list(command), capture_output=True, check=False).returncode == 0


def check_machine() -> None:
    """Raise `HostsError` when this machine cannot hold a world: it takes Linux, root and a few programs."""
    if sys.platform != "linux":
        raise HostsError(f"hosts are network namespaces of Linux, this is {sys.platform}", "run it on Linux")
    if os.geteuid() != 0:
        raise HostsError("making network namespaces and running engines takes root", "run it as root")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
        raise HostsError(f"{', '.join(missing)} not on PATH", f"on Debian: apt-get install {packages}")
    if not BRIDGE_FILTER.exists() and not (shutil.which("modprobe") and succeeds(["modprobe", "br_netfilter"])):
        raise HostsError(
            f"the kernel has no {BRIDGE_FILTER}: a link between two hosts of one network could not be cut",
            "load the module br_netfilter",
        )
