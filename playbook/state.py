"""What stands, read from the engine's state file: engines, the API's bounds, the monitoring's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.saga import StepError

CONTAINER = "docker:index/container:Container"
API_SERVICE = "gcp:cloudrunv2/service:Service"
RULES = "/etc/prometheus/rules.yml"
PARALLEL = "--tensor-parallel-size"


def resources(backend: Path, stack: str) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of `stack` as the engine's file backend in the folder `backend` holds them.

    Source of the form: pulumi 3.259.0, sdk/go/common/apitype (DeploymentV3).
    """
    for path in backend.glob(f".pulumi/stacks/*/{stack}.json"):
        latest = json.loads(path.read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
        yield from latest.get("resources") or ()


def engines(plan: StagePlan, found: list[Mapping[str, Any]]) -> str:
    """Return each engine of `plan` with its parallelism as it stands; raises `StepError` where one differs."""
    wanted = {engine_name(replica): replica.tensor_parallel for replica in plan.layout.replicas}
    standing = {}
    for one in found:
        name, command = _name(one), one.get("inputs", {}).get("command") or []
        if one["type"] == CONTAINER and PARALLEL in command:
            standing[name] = int(command[command.index(PARALLEL) + 1])
    if standing != wanted:
        raise _differs("vllm", "the engines", standing, wanted)
    return ", ".join(f"{name} tp{size}" for name, size in sorted(standing.items()))


def api_bounds(plan: StagePlan, found: list[Mapping[str, Any]]) -> str:
    """Return the API's bounds as they stand; raises `StepError` where they are not those of `plan`."""
    wanted = (plan.config.api.min_instances, plan.config.api.max_instances)
    standing = [
        (scaling.get("minInstanceCount", 0), scaling.get("maxInstanceCount"))
        for one in found
        if one["type"] == API_SERVICE
        for scaling in [one["outputs"]["template"]["scaling"]]
    ]
    if standing != [wanted]:
        raise _differs("api-bounds", "the API's minimum and maximum", standing, [wanted])
    return f"{wanted[0]} to {wanted[1]} instances"


def thresholds(plan: StagePlan, found: list[Mapping[str, Any]]) -> str:
    """Return how many rule files stand as `plan` has them; raises `StepError` where one differs."""
    wanted = {
        container.name: file.text
        for container in plan.monitoring.containers
        for file in container.files
        if file.path == RULES
    }
    standing = {
        _name(one): upload["content"]
        for one in found
        if one["type"] == CONTAINER
        for upload in one.get("inputs", {}).get("uploads") or ()
        if isinstance(upload, dict) and upload.get("file") == RULES
    }
    if standing != wanted:
        raise _differs("thresholds", "the rules", sorted(standing), sorted(wanted))
    alerts = sum(text.count('"alert"') + text.count("alert:") for text in wanted.values())
    return f"the rules of {', '.join(sorted(wanted))} are those of {plan.name}: {alerts} alerts"


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[-1]


def _differs(step: str, what: str, standing: object, wanted: object) -> StepError:
    return StepError(
        f"promote › {step}",
        f"{what} are {standing}, planned are {wanted}",
        "what was declared must be what stands",
        "dreamseed rehearse shows what the program declares; then the same command again",
    )
