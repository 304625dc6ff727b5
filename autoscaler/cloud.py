"""The one small interface behind which a cloud stands, and the words that the daemon and a worker exchange.

A worker is told to drain by an item of its metadata, and says how far it is in its guest attributes: channels that need
no way in to it.
"""

from __future__ import annotations

from typing import Protocol

from autoscaler.records import Delete, Drain, Inventory, Launch

OWNER_LABEL = "dreamseed-owner"
EXPIRY_LABEL = "dreamseed-expires-at"
EPOCH_LABEL = "dreamseed-epoch"
DRAIN_ITEM = "dreamseed-drain-since"
GUEST_NAMESPACE, GUEST_KEY = "dreamseed", "phase"
OUT_OF_STOCK = frozenset({"ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "STOCKOUT"})
"""Codes of a creation's error that say that a zone has none left."""


class CloudError(Exception):
    """The cloud could not be asked, or did not do it. Nothing is lost: the next tick looks at its list again."""


class Cloud(Protocol):
    """Machines with this owner's label. Every call may be made again and does nothing the second time."""

    def inventory(self, now: float) -> Inventory:
        """Return what there is, and which creations were refused for good. Raises `CloudError`."""

    def launch(self, action: Launch) -> None:
        """Ask for a machine; that it is asked for says nothing about whether it comes. Raises `CloudError`."""

    def drain(self, action: Drain) -> None:
        """Tell a machine to finish its requests. Raises `CloudError`; one that is gone is no error."""

    def delete(self, action: Delete) -> None:
        """Ask for a machine's end. Raises `CloudError`; one that is gone is no error."""
