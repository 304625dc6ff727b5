"""The stand-in behind the autoscaler's interface, without a network: for millions of steps."""

from __future__ import annotations

from autoscaler.cloud import DRAIN_ITEM, EXPIRY_LABEL, OUT_OF_STOCK, OWNER_LABEL, CloudError
from autoscaler.records import Delete, Drain, Failure, Instance, Inventory, Launch, Report, Status
from simulator.compute.model import Compute, LostError, Machine, RefusedError


class DirectCloud:
    """Calls the model as the real client's requests would; `now` is the caller's clock."""

    def __init__(self, compute: Compute, owner: str) -> None:
        self.compute, self.owner, self.now = compute, owner, 0.0

    def inventory(self, now: float) -> Inventory:
        """Return the owner's machines and failed insertions."""
        self.now = now
        try:
            machines = self.compute.listed(now)
        except RefusedError as error:
            raise CloudError(str(error)) from error
        return Inventory.model_construct(
            taken_at=now,
            instances=tuple(_instance(one, now) for one in machines if one.labels[OWNER_LABEL] == self.owner),
            failures=tuple(
                Failure.model_construct(
                    name=one.target,
                    request_id=one.request_id,
                    stock_out=one.error in OUT_OF_STOCK,
                    message=one.error or "",
                )
                for one in self.compute.failed(now)
            ),
        )

    def launch(self, action: Launch) -> None:
        """Insert a machine."""
        labels = {OWNER_LABEL: action.owner, EXPIRY_LABEL: str(int(action.expires_at))}
        try:
            self.compute.insert(action.name, action.zone, labels, action.max_run_seconds, action.request_id, self.now)
        except (RefusedError, LostError) as error:
            if not (isinstance(error, RefusedError) and error.status == 409):
                raise CloudError(str(error)) from error

    def drain(self, action: Drain) -> None:
        """Set the metadata that says so."""
        machine = self.compute.find(action.name, action.zone, self.now)
        if machine is None or DRAIN_ITEM in machine.metadata:
            return
        metadata = {**machine.metadata, DRAIN_ITEM: str(int(action.since))}
        try:
            self.compute.drain(action.name, action.zone, metadata, str(machine.fingerprint), self.now)
        except (RefusedError, LostError) as error:
            raise CloudError(str(error)) from error

    def delete(self, action: Delete) -> None:
        """Delete a machine."""
        try:
            self.compute.delete(action.name, action.zone, self.now)
        except (RefusedError, LostError) as error:
            if not (isinstance(error, RefusedError) and error.status == 404):
                raise CloudError(str(error)) from error


def _instance(machine: Machine, now: float) -> Instance:
    report, drain = machine.report(now), machine.metadata.get(DRAIN_ITEM)
    return Instance.model_construct(
        name=machine.name,
        zone=machine.zone,
        status=Status(machine.status(now)),
        created_at=machine.created_at,
        expires_at=float(machine.labels[EXPIRY_LABEL]),
        draining_since=float(drain) if drain is not None else None,
        report=Report(report) if report is not None else None,
    )
