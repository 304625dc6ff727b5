"""Whether each container that runs has the rights that it was planned with, by the kernel's word for its process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dreamseed.planning.container import Container
from dreamseed.planning.rights import capabilities_of, is_read_only, limits_of
from localtier.checks.finding import Finding, none_of

if TYPE_CHECKING:
    from localtier.checks.site import Site

CAPABILITIES = {"NET_ADMIN": 1 << 12}
"""Source: linux/capability.h."""
FILTERED = "2"
"""Seccomp's mode with a filter. Source: proc(5)."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What the kernel says of a container's first process; what it starts has no more rights.

    `capabilities` are all that it has or could get, as a set of bits; `processes` is the limit of its user's.
    """

    uid: int
    capabilities: int
    no_new_privileges: bool
    filtered: bool
    processes: int | None
    read_only: bool


def kernel_says(pid: int) -> Process:
    """Return what the kernel says of the process `pid` of this machine; raises `LookupError` when it is gone."""
    folder = Path("/proc") / str(pid)
    try:
        lines = (folder / "status").read_text(encoding="utf-8").splitlines()
        limits = (folder / "limits").read_text(encoding="utf-8").splitlines()
        mounts = (folder / "mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LookupError(f"process {pid} is gone") from error
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    most = next(line.split()[-2] for line in limits if line.startswith("Max processes"))
    # Fields of a line: two numbers, the device, the root, the mount point, its options.
    root = next(fields for line in reversed(mounts) if (fields := line.split())[4] == "/")
    sets = (int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    capabilities = 0
    for one in sets:
        capabilities |= one
    return Process(
        uid=int(status["Uid"].split()[0]),
        capabilities=capabilities,
        no_new_privileges=status["NoNewPrivs"] == "1",
        filtered=status["Seccomp"] == FILTERED,
        processes=None if most == "unlimited" else int(most),
        read_only="ro" in root[5].split(","),
    )


def rights(site: Site) -> Iterator[Finding]:
    """Return a finding for each host: what its containers may do, as the kernel holds them to it."""
    for host, seen in site.inspected.items():
        planned = {one.name: one for one in site.plan.containers if one.host == host}
        running = [(planned[name], one["State"].get("Pid")) for name, one in seen.items() if name in planned]
        faults = [
            f"{container.name} {fault}"
            for container, pid in running
            if pid
            for fault in _faults(container, site.process(pid))
        ]
        yield none_of(f"rights of containers on {host}", faults)


def _faults(container: Container, process: Process) -> Iterator[str]:
    uid = int((container.user or "0").partition(":")[0])
    if process.uid != uid:
        yield f"runs as {process.uid}, planned {uid}"
    planned = sum(CAPABILITIES[name] for name in capabilities_of(container))
    if process.capabilities != planned:
        yield f"has capabilities {process.capabilities:#x}, planned {planned:#x}"
    if not process.no_new_privileges:
        yield "may gain privileges"
    if not process.filtered:
        yield "calls the kernel without a filter"
    limit = limits_of(container).get("nproc")
    if limit is not None and (process.processes is None or process.processes > limit):
        yield f"may have {process.processes or 'any number of'} processes, planned {limit}"
    if is_read_only(container) and not process.read_only:
        yield "can write its root file system"
