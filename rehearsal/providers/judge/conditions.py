"""The conditions of the tables' `replace_if`, in code; each is named by its type and path.

A condition that cannot be told from inputs and state alone (the old primary's side of a Cloud SQL switchover) is not
here: such a change replaces, the safe side.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.providers.values import UNKNOWN, Value, Values


@dataclass(frozen=True)
class Change:
    """One change with its surroundings: the blocks that hold it and the whole resource, before and after."""

    old: Value
    new: Value
    old_block: Values
    new_block: Values
    old_resource: Values
    new_resource: Values


def _is_smaller(change: Change) -> bool:
    if change.new is UNKNOWN:
        return True
    return isinstance(change.old, int | float) and isinstance(change.new, int | float) and change.new < change.old


def _from_value_to_none(change: Change) -> bool:
    return change.new is UNKNOWN or (bool(change.old) and not change.new)


def _from_true(change: Change) -> bool:
    return change.new is UNKNOWN or (change.old is True and not change.new)


def _is_set(change: Change) -> bool:
    return change.new is not None


def _unless_expanded(change: Change) -> bool:
    try:
        old, new = ipaddress.IPv4Network(str(change.old)), ipaddress.IPv4Network(str(change.new))
    except ValueError:
        return True
    return not old.subnet_of(new)


def _unless_script_moved(change: Change) -> bool:
    """The same script may stand in `metadataStartupScript` or in the metadata key `startup-script`."""

    def script(resource: Values) -> Value:
        metadata = resource.get("metadata")
        return resource.get("metadataStartupScript") or (metadata or {}).get("startup-script")

    return script(change.old_resource) != script(change.new_resource)


def _own_address_only(change: Change) -> bool:
    stays = all(
        change.old_block.get(key) == change.new_block.get(key) for key in ("network", "subnetwork", "subnetworkProject")
    )
    return change.new is not None and stays


def _unless_hyperdisk(change: Change) -> bool:
    return "hyperdisk" not in str(change.new_resource.get("type", ""))


def _unless_empty_to_unset(change: Change) -> bool:
    return bool(change.old) or bool(change.new)


CONDITIONS: dict[tuple[str, str], Callable[[Change], bool]] = {
    ("random:index/randomPassword:RandomPassword", "overrideSpecial"): _unless_empty_to_unset,
    ("random:index/randomString:RandomString", "overrideSpecial"): _unless_empty_to_unset,
    ("gcp:sql/databaseInstance:DatabaseInstance", "settings.diskSize"): _is_smaller,
    ("gcp:sql/databaseInstance:DatabaseInstance", "settings.ipConfiguration.privateNetwork"): _from_value_to_none,
    ("gcp:sql/databaseInstance:DatabaseInstance", "settings.autoUpgradeEnabled"): _from_true,
    ("gcp:compute/subnetwork:Subnetwork", "ipCidrRange"): _unless_expanded,
    ("gcp:compute/instance:Instance", "metadataStartupScript"): _unless_script_moved,
    ("gcp:compute/instance:Instance", "networkInterfaces[].networkIp"): _own_address_only,
    ("gcp:compute/instanceGroupManager:InstanceGroupManager", "resourcePolicies.workloadPolicy"): _from_value_to_none,
    ("gcp:compute/disk:Disk", "size"): _is_smaller,
    ("gcp:compute/disk:Disk", "provisionedIops"): _unless_hyperdisk,
    ("gcp:storage/bucket:Bucket", "retentionPolicy.isLocked"): _from_true,
    ("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "configSrc"): _is_set,
    ("cloudflare:index/originCaCertificate:OriginCaCertificate", "requestedValidity"): _is_set,
}


def is_no_change(token: str, path: str, change: Change) -> bool:
    """A change that the plan drops: a smaller Cloud SQL disk while it grows by itself."""
    if (token, path) != ("gcp:sql/databaseInstance:DatabaseInstance", "settings.diskSize"):
        return False
    return _is_smaller(change) and change.new is not UNKNOWN and change.new_block.get("diskAutoresize") is True
