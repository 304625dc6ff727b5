"""The two containers of the API's Cloud Run service: the API itself and the tunnel sidecar beside it."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_gcp import cloudrunv2, secretmanager

from dreamseed.config.cloud import Api, Billing
from dreamseed.planning.api import (
    API_SECRETS,
    CHECK_PATH,
    LISTEN_PORT,
    SIDECAR_CHECK_PATH,
    SIDECAR_CHECK_PORT,
    SIDECAR_CPU_MILLICORES,
    SIDECAR_MEMORY_MIB,
    SIDECAR_SECRETS,
    ApiPlan,
    ApiSecret,
)

SIDECAR = "tunnel"
Versions = Mapping[ApiSecret, secretmanager.SecretVersion]
"""The version of each secret that the containers read."""


def containers(api: Api, plan: ApiPlan, versions: Versions) -> list[cloudrunv2.ServiceTemplateContainerArgs]:
    """Return the API's container, which serves, and the sidecar, which must be ready before it."""
    return [_api(api, plan, versions), _sidecar(api, plan, versions)]


def _api(api: Api, plan: ApiPlan, versions: Versions) -> cloudrunv2.ServiceTemplateContainerArgs:
    return cloudrunv2.ServiceTemplateContainerArgs(
        name="api",
        image=api.image,
        depends_ons=[SIDECAR],
        envs=_environment(plan.environment, API_SECRETS, versions),
        ports=cloudrunv2.ServiceTemplateContainerPortsArgs(container_port=LISTEN_PORT),
        resources=_resources(api, str(api.cpu), f"{api.memory_gib}Gi"),
        startup_probe=cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
            http_get=cloudrunv2.ServiceTemplateContainerStartupProbeHttpGetArgs(path=CHECK_PATH, port=LISTEN_PORT),
            period_seconds=2,
            timeout_seconds=2,
            failure_threshold=60,
        ),
        liveness_probe=cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
            http_get=cloudrunv2.ServiceTemplateContainerLivenessProbeHttpGetArgs(path=CHECK_PATH, port=LISTEN_PORT),
            period_seconds=30,
            timeout_seconds=5,
            failure_threshold=3,
        ),
    )


def _sidecar(api: Api, plan: ApiPlan, versions: Versions) -> cloudrunv2.ServiceTemplateContainerArgs:
    return cloudrunv2.ServiceTemplateContainerArgs(
        name=SIDECAR,
        image=api.tunnel_image,
        envs=_environment(plan.sidecar_environment, SIDECAR_SECRETS, versions),
        resources=_resources(api, f"{SIDECAR_CPU_MILLICORES}m", f"{SIDECAR_MEMORY_MIB}Mi"),
        startup_probe=cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
            http_get=cloudrunv2.ServiceTemplateContainerStartupProbeHttpGetArgs(
                path=SIDECAR_CHECK_PATH, port=SIDECAR_CHECK_PORT
            ),
            period_seconds=2,
            timeout_seconds=2,
            failure_threshold=60,
        ),
        liveness_probe=cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
            http_get=cloudrunv2.ServiceTemplateContainerLivenessProbeHttpGetArgs(
                path=SIDECAR_CHECK_PATH, port=SIDECAR_CHECK_PORT
            ),
            period_seconds=30,
            timeout_seconds=5,
            failure_threshold=3,
        ),
    )


def _resources(api: Api, cpu: str, memory: str) -> cloudrunv2.ServiceTemplateContainerResourcesArgs:
    """Return limits with the CPU billed as asked. Said explicitly: left out it would mean always on."""
    return cloudrunv2.ServiceTemplateContainerResourcesArgs(
        limits={"cpu": cpu, "memory": memory},
        cpu_idle=api.billing is Billing.REQUEST,
        startup_cpu_boost=True,
    )


def _environment(
    plain: Mapping[str, str], secrets: Mapping[str, ApiSecret], versions: Versions
) -> list[cloudrunv2.ServiceTemplateContainerEnvArgs]:
    """Return variables in order of name, those of secrets as references to a numbered version, never as values."""
    variables = [cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value=plain[name]) for name in sorted(plain)]
    for name in sorted(secrets):
        version = versions[secrets[name]]
        reference = cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
            secret=version.secret, version=version.version
        )
        source = cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(secret_key_ref=reference)
        variables.append(cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value_source=source))
    return variables
