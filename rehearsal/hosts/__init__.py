"""Hosts with a Docker Engine each, on one Linux machine: networks of their own, and the faults of real ones."""

from rehearsal.hosts.errors import HostsError
from rehearsal.hosts.spec import HostSpec, Lan
from rehearsal.hosts.world import World

__all__ = ["HostSpec", "HostsError", "Lan", "World"]
