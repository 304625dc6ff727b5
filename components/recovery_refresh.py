"""The scheduled load of the Cloud SQL instance: a Cloud Run job, and the clock that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import cloudrunv2, cloudscheduler, projects, serviceaccount, sql

from components.api import Egress
from components.base import Component
from components.labels import labels
from components.secret_manager import StoredSecret, store_secret
from dreamseed.config.service import Service
from dreamseed.planning.api import SIDECAR_CHECK_PATH, SIDECAR_CHECK_PORT
from dreamseed.planning.recovery import REFRESH_TIMEOUT_SECONDS, RecoveryPlan, secret_prefix

SIDECAR = "tunnel"
JOB_SECRETS = {"SOURCE_PASSWORD": "source-password", "TARGET_PASSWORD": "target-password"}
SIDECAR_SECRETS = {
    "TUNNEL_SERVICE_TOKEN_ID": "tunnel-client-id",
    "TUNNEL_SERVICE_TOKEN_SECRET": "tunnel-client-secret",
}
"""Variables and the names of their secrets."""


@dataclass(frozen=True, kw_only=True)
class RefreshArgs:
    """What the load needs; `secrets` by the names above."""

    service: Service
    plan: RecoveryPlan
    image: str
    tunnel_image: str
    egress: Egress
    instance: sql.DatabaseInstance
    secrets: Mapping[str, pulumi.Input[str]]
    enabled: Sequence[pulumi.Resource]


def declare_refresh(parent: Component, args: RefreshArgs) -> cloudrunv2.Job:
    """Declare the job, what its account may do (start and stop Cloud SQL, read its secrets), and the clock."""
    service, name = args.service, args.plan.refresh_job
    account = _account(parent, service, name, "Loads Cloud SQL", args.enabled)
    stored = {
        secret: store_secret(
            parent, service, f"{secret_prefix(service.name)}-{secret}", args.secrets[secret], account, args.enabled
        )
        for secret in (*JOB_SECRETS.values(), *SIDECAR_SECRETS.values())
    }
    role = projects.IAMCustomRole(
        name,
        role_id=name.replace("-", "_"),
        project=service.gcp_project,
        title="Starts and stops Cloud SQL",
        permissions=["cloudsql.instances.get", "cloudsql.instances.update"],
        opts=parent.child(depends_on=list(args.enabled)),
    )
    grant = projects.IAMMember(
        name, project=service.gcp_project, role=role.name, member=account.member, opts=parent.child()
    )
    after = [grant, *(secret.access for secret in stored.values())]
    job = _job(parent, args, name, account, stored, after)
    _clock(parent, args, name, job)
    return job


def _account(
    parent: Component, service: Service, name: str, title: str, enabled: Sequence[pulumi.Resource]
) -> serviceaccount.Account:
    return serviceaccount.Account(
        name,
        account_id=name,
        project=service.gcp_project,
        display_name=title,
        opts=parent.child(depends_on=list(enabled)),
    )


def _job(
    parent: Component,
    args: RefreshArgs,
    name: str,
    account: serviceaccount.Account,
    stored: Mapping[str, StoredSecret],
    after: Sequence[pulumi.Resource],
) -> cloudrunv2.Job:
    env = cloudrunv2.JobTemplateTemplateContainerEnvArgs
    route = args.plan.source
    load = cloudrunv2.JobTemplateTemplateContainerArgs(
        name="load",
        image=args.image,
        commands=["/bin/bash", "-c"],
        args=[args.plan.refresh_script],
        depends_ons=[SIDECAR],
        envs=[
            env(name="INSTANCE", value=args.instance.name),
            env(name="TARGET_HOST", value=args.instance.private_ip_address),
            *_references(JOB_SECRETS, stored),
        ],
        resources=_resources("1000m", "1Gi"),
    )
    sidecar = cloudrunv2.JobTemplateTemplateContainerArgs(
        name=SIDECAR,
        image=args.tunnel_image,
        envs=[
            env(name="TUNNEL_ROUTES", value=f"{route.local_port}={route.hostname}"),
            env(name="CHECK_PORT", value=str(SIDECAR_CHECK_PORT)),
            *_references(SIDECAR_SECRETS, stored),
        ],
        startup_probe=cloudrunv2.JobTemplateTemplateContainerStartupProbeArgs(
            http_get=cloudrunv2.JobTemplateTemplateContainerStartupProbeHttpGetArgs(
                path=SIDECAR_CHECK_PATH, port=SIDECAR_CHECK_PORT
            ),
            period_seconds=2,
            timeout_seconds=2,
            failure_threshold=60,
        ),
        resources=_resources("1000m", "512Mi"),
    )
    interface = cloudrunv2.JobTemplateTemplateVpcAccessNetworkInterfaceArgs(
        network=args.egress.network, subnetwork=args.egress.subnetwork
    )
    return cloudrunv2.Job(
        name,
        name=name,
        project=args.service.gcp_project,
        location=args.service.region,
        labels=labels(args.service.name),
        # Nothing is lost with it: it holds no data.
        deletion_protection=False,
        template=cloudrunv2.JobTemplateArgs(
            template=cloudrunv2.JobTemplateTemplateArgs(
                service_account=account.email,
                execution_environment="EXECUTION_ENVIRONMENT_GEN2",
                timeout=f"{REFRESH_TIMEOUT_SECONDS}s",
                max_retries=1,
                containers=[load, sidecar],
                vpc_access=cloudrunv2.JobTemplateTemplateVpcAccessArgs(
                    network_interfaces=[interface], egress="PRIVATE_RANGES_ONLY"
                ),
            )
        ),
        opts=parent.child(depends_on=list(after)),
    )


def _clock(parent: Component, args: RefreshArgs, name: str, job: cloudrunv2.Job) -> None:
    """Declare when the job runs, and an account that may run it and nothing else."""
    service = args.service
    clock = _account(parent, service, f"{secret_prefix(service.name)}-clock", "Runs the load", args.enabled)
    invoker = cloudrunv2.JobIamMember(
        name,
        name=job.name,
        project=service.gcp_project,
        location=service.region,
        role="roles/run.invoker",
        member=clock.member,
        opts=parent.child(),
    )
    host = f"https://run.googleapis.com/v2/projects/{service.gcp_project}/locations/{service.region}"
    cloudscheduler.Job(
        name,
        name=name,
        project=service.gcp_project,
        region=service.region,
        schedule=args.plan.schedule,
        time_zone=service.time_zone,
        http_target=cloudscheduler.JobHttpTargetArgs(
            uri=f"{host}/jobs/{name}:run",
            http_method="POST",
            oauth_token=cloudscheduler.JobHttpTargetOauthTokenArgs(service_account_email=clock.email),
        ),
        opts=parent.child(depends_on=[invoker]),
    )


def _references(
    variables: Mapping[str, str], stored: Mapping[str, StoredSecret]
) -> list[cloudrunv2.JobTemplateTemplateContainerEnvArgs]:
    """Return variables that name a numbered version of their secret."""
    references = []
    for variable, secret in variables.items():
        version = stored[secret].version
        reference = cloudrunv2.JobTemplateTemplateContainerEnvValueSourceSecretKeyRefArgs(
            secret=version.secret, version=version.version
        )
        source = cloudrunv2.JobTemplateTemplateContainerEnvValueSourceArgs(secret_key_ref=reference)
        references.append(cloudrunv2.JobTemplateTemplateContainerEnvArgs(name=variable, value_source=source))
    return references


def _resources(cpu: str, memory: str) -> cloudrunv2.JobTemplateTemplateContainerResourcesArgs:
    return cloudrunv2.JobTemplateTemplateContainerResourcesArgs(limits={"cpu": cpu, "memory": memory})
