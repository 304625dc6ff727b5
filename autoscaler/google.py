"""Compute Engine: the spot workers as instances of the stage's template.

Sources: Compute Engine API v1 (instances.insert with sourceInstanceTemplate, requestId,
setMetadata with fingerprint, getGuestAttributes, aggregated lists with a filter), google-cloud-compute 1.45.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from google.api_core.exceptions import BadRequest, Conflict, Forbidden, GoogleAPICallError, NotFound
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import compute_v1 as compute
from google.cloud.compute_v1.services.global_operations.transports import GlobalOperationsRestTransport
from google.cloud.compute_v1.services.instances.transports import InstancesRestTransport
from requests.exceptions import RequestException

from autoscaler.cloud import (
    DRAIN_ITEM,
    EPOCH_LABEL,
    EXPIRY_LABEL,
    GUEST_KEY,
    GUEST_NAMESPACE,
    OUT_OF_STOCK,
    OWNER_LABEL,
    CloudError,
)
from autoscaler.records import Delete, Drain, Failure, Instance, Inventory, Launch, Report, Status

TIMEOUT_SECONDS = 20.0
NO_RETRY: Retry | None = None
"""The next tick asks again; a client that retries for minutes would only delay what it decides."""


def clients(
    host: str = "compute.googleapis.com", scheme: str = "https", credentials: Credentials | None = None
) -> tuple[compute.InstancesClient, compute.GlobalOperationsClient]:
    """Return the two clients; without `credentials` they are the environment's (Application Default Credentials)."""
    instances = InstancesRestTransport(host=host, url_scheme=scheme, credentials=credentials)
    operations = GlobalOperationsRestTransport(host=host, url_scheme=scheme, credentials=credentials)
    return compute.InstancesClient(transport=instances), compute.GlobalOperationsClient(transport=operations)


def anonymous() -> Credentials:
    """Return what a stand-in takes for a credential: none."""
    return AnonymousCredentials()  # type: ignore[no-untyped-call]


class GoogleCloud:
    """The instances of one project that carry `owner`'s label, in any zone."""

    def __init__(
        self,
        project: str,
        owner: str,
        template: str,
        *,
        instances: compute.InstancesClient,
        operations: compute.GlobalOperationsClient,
    ) -> None:
        self._project, self._owner, self._template = project, owner, template
        self._instances, self._operations = instances, operations
        self._refused: dict[str, Failure] = {}

    def inventory(self, now: float) -> Inventory:
        """Return the owner's instances with what they say of themselves, and the creations that failed."""
        found = _asked(lambda: list(self._listed()))
        failed = _asked(lambda: list(self._failed()))
        return Inventory(taken_at=now, instances=tuple(found), failures=(*self._refused.values(), *failed))

    def launch(self, action: Launch) -> None:
        """Insert an instance from the template with its own end; a refusal for good is remembered as a failure."""
        request = compute.InsertInstanceRequest(
            project=self._project,
            zone=action.zone,
            source_instance_template=self._template,
            request_id=action.request_id,
            instance_resource=_instance(action),
        )
        try:
            _asked(lambda: self._instances.insert_unary(request=request, retry=NO_RETRY, timeout=TIMEOUT_SECONDS))
        except CloudError as error:
            cause = error.__cause__
            if isinstance(cause, Conflict):
                return
            if isinstance(cause, (BadRequest, Forbidden)) and "rateLimitExceeded" not in str(cause):
                self._refused[action.name] = Failure(
                    name=action.name, request_id=action.request_id, stock_out=False, message=str(cause)[:300]
                )
            raise

    def drain(self, action: Drain) -> None:
        """Add the item that the worker waits for to its metadata."""

        def add() -> None:
            found = self._instances.get(
                project=self._project,
                zone=action.zone,
                instance=action.name,
                retry=NO_RETRY,
                timeout=TIMEOUT_SECONDS,
            )
            items = [item for item in found.metadata.items if item.key != DRAIN_ITEM]
            if len(items) < len(found.metadata.items):
                return
            metadata = compute.Metadata(
                fingerprint=found.metadata.fingerprint,
                items=[*items, compute.Items(key=DRAIN_ITEM, value=str(int(action.since)))],
            )
            self._instances.set_metadata_unary(
                project=self._project,
                zone=action.zone,
                instance=action.name,
                metadata_resource=metadata,
                retry=NO_RETRY,
                timeout=TIMEOUT_SECONDS,
            )

        _unless_gone(add)

    def delete(self, action: Delete) -> None:
        """Delete the instance."""
        _unless_gone(
            lambda: self._instances.delete_unary(
                project=self._project,
                zone=action.zone,
                instance=action.name,
                retry=NO_RETRY,
                timeout=TIMEOUT_SECONDS,
            )
        )

    def _listed(self) -> Iterable[Instance]:
        request = compute.AggregatedListInstancesRequest(
            project=self._project, filter=f"labels.{OWNER_LABEL}={self._owner}", return_partial_success=False
        )
        pages = self._instances.aggregated_list(request=request, retry=NO_RETRY, timeout=TIMEOUT_SECONDS)
        for scope, found in pages:
            for one in found.instances:
                yield self._read(one, scope.rsplit("/", 1)[-1])

    def _read(self, one: compute.Instance, zone: str) -> Instance:
        status = Status(one.status) if one.status in set(Status) else Status.RUNNING
        items = {item.key: item.value for item in one.metadata.items}
        return Instance(
            name=one.name,
            zone=zone,
            status=status,
            created_at=datetime.fromisoformat(one.creation_timestamp).timestamp(),
            expires_at=_number(one.labels.get(EXPIRY_LABEL)),
            draining_since=_number(items.get(DRAIN_ITEM)),
            report=self._report(one.name, zone) if status is Status.RUNNING else None,
        )

    def _report(self, name: str, zone: str) -> Report | None:
        """Return what the worker says of itself, or null while it has said nothing."""
        request = compute.GetGuestAttributesInstanceRequest(
            project=self._project, zone=zone, instance=name, query_path=f"{GUEST_NAMESPACE}/"
        )
        try:
            said = self._instances.get_guest_attributes(request=request, retry=NO_RETRY, timeout=TIMEOUT_SECONDS)
        except NotFound:
            return None
        values = {one.key: one.value for one in said.query_value.items}
        value = values.get(GUEST_KEY)
        return Report(value) if value in set(Report) else None

    def _failed(self) -> Iterable[Failure]:
        """Yield the insertions that ended in an error. Operations are kept for days; names are never used again."""
        request = compute.AggregatedListGlobalOperationsRequest(
            project=self._project, filter='(operationType = "insert") AND (status = "DONE")'
        )
        for _, found in self._operations.aggregated_list(request=request, retry=NO_RETRY, timeout=TIMEOUT_SECONDS):
            for one in found.operations:
                name = one.target_link.rsplit("/", 1)[-1]
                codes = [error.code for error in one.error.errors]
                if codes and name.startswith(f"{self._owner}-"):
                    yield Failure(
                        name=name,
                        request_id=one.client_operation_id,
                        stock_out=not OUT_OF_STOCK.isdisjoint(codes),
                        message=", ".join(codes),
                    )


def _instance(action: Launch) -> compute.Instance:
    """Return what differs from the template; a scheduling replaces the template's as a whole."""
    return compute.Instance(
        name=action.name,
        labels={
            OWNER_LABEL: action.owner,
            EXPIRY_LABEL: str(int(action.expires_at)),
            EPOCH_LABEL: str(action.epoch),
        },
        scheduling=compute.Scheduling(
            provisioning_model="SPOT",
            preemptible=True,
            automatic_restart=False,
            on_host_maintenance="TERMINATE",
            instance_termination_action="DELETE",
            max_run_duration=compute.Duration(seconds=action.max_run_seconds),
        ),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None


def _asked(call: Callable[[], Any]) -> Any:
    """Return what the call returns; whatever the network, Google or its answer do wrong is one kind of error."""
    try:
        return call()
    except (GoogleAPICallError, GoogleAuthError, RequestException, ValueError) as error:
        raise CloudError(f"Compute Engine: {error}") from error


def _unless_gone(call: Callable[[], Any]) -> None:
    try:
        _asked(call)
    except CloudError as error:
        if not isinstance(error.__cause__, NotFound):
            raise
