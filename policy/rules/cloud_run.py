"""Cloud Run: within the stage's bounds, reached by the edge only, images by digest, checked and limited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dreamseed.config.cloud import Exposure
from policy.model import UNKNOWN, Resource, Rule, Stage, of_type
from policy.rules.containers import BY_DIGEST

SERVICE = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
INGRESS_OF_EDGE = {
    Exposure.DOMAIN_MAPPING: "INGRESS_TRAFFIC_ALL",  # a mapped domain needs it; the service's own address is off
    Exposure.LOAD_BALANCER: "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}


def _bounds(resource: Resource, stage: Stage) -> Iterator[str]:
    api, scaling = stage.config.api, resource.at("template.scaling", {})
    for name, most in (("minInstanceCount", api.min_instances), ("maxInstanceCount", api.max_instances)):
        count = scaling.get(name)
        if count is None or count > most:
            yield f"{name} is {count}, and the stage allows {most}"
    concurrency = resource.at("template.maxInstanceRequestConcurrency")
    if concurrency != api.concurrency:
        yield f"an instance takes {concurrency} requests at once, and the stage says {api.concurrency}"


def _ingress(resource: Resource, stage: Stage) -> Iterator[str]:
    if resource.at("defaultUriDisabled") is not True:
        yield "its own address (run.app) answers around the edge"
    wanted = INGRESS_OF_EDGE[stage.config.api.exposure]
    if resource.at("ingress") != wanted:
        yield f"its ingress is {resource.at('ingress')}, and a {stage.config.api.exposure.value} needs {wanted}"


def _outgoing(resource: Resource, _: Stage) -> Iterator[str]:
    account = task_of(resource).get("serviceAccount")
    if account is None or re.search(r"\d+-compute@developer", str(account)):
        yield "it acts as the project's default account"


def _containers(resource: Resource, stage: Stage) -> Iterator[str]:
    ceiling = {"cpu": stage.config.api.cpu * 1000, "memory": stage.config.api.memory_gib * 1024}
    for container in task_of(resource).get("containers", []):
        name, image = container.get("name"), container.get("image")
        if image is not UNKNOWN and not BY_DIGEST.fullmatch(str(image)):
            yield f"{name} runs {image}, which names no digest"
        limits = container.get("resources", {}).get("limits", {})
        for kind, most in ceiling.items():
            if not limits.get(kind):
                yield f"{name} has no limit of {kind}"
            elif _amount(limits[kind]) > most:
                yield f"{name} may take {limits[kind]} of {kind}, above an instance of the stage"
        if resource.type == SERVICE and not (container.get("startupProbe") and container.get("livenessProbe")):
            yield f"{name} has no startup or no liveness probe"


def _amount(written: object) -> float:
    """Return thousandths of a CPU, or MiB."""
    text = str(written)
    for unit, factor in (("Gi", 1024.0), ("Mi", 1.0), ("m", 1.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text) * 1000


def task_of(resource: Resource) -> dict[str, Any]:
    """Return what an instance of a service, or a run of a job, is made from; something else of other types."""
    found: dict[str, Any] = resource.at("template.template", resource.at("template", {}))
    return found


RULES = (
    Rule(
        name="cloud-run-within-the-stage",
        description="Cloud Run scales within the stage's bounds.",
        remedy="change api in the stage file, where its cost is counted",
        guards=of_type(SERVICE),
        faults=_bounds,
    ),
    Rule(
        name="no-way-around-the-edge",
        description="Cloud Run answers to the edge only.",
        remedy="set defaultUriDisabled, and the ingress of the stage's exposure",
        guards=of_type(SERVICE),
        faults=_ingress,
    ),
    Rule(
        name="cloud-run-by-its-own-account",
        description="What runs on Cloud Run acts by an account of its own.",
        remedy="name a service account that has only what it needs",
        guards=of_type(SERVICE, JOB),
        faults=_outgoing,
    ),
    Rule(
        name="cloud-run-containers",
        description="Containers of Cloud Run are named by digest, limited, and those of a service probed.",
        remedy="write the image by digest, limits of CPU and memory, and both probes",
        guards=of_type(SERVICE, JOB),
        faults=_containers,
    ),
)
