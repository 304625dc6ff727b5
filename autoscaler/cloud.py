"""The one small interface behind which a cloud stands."""

from __future__ import annotations

from typing import Protocol

from autoscaler.records import Delete, Drain, Inventory, Launch


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
