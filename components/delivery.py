"""What the program and the owners' workflows need at Google Cloud before anything runs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import artifactregistry, iam, projects, serviceaccount, storage

from components.base import Component
from components.labels import labels
from dreamseed.catalog.gcp import APIS, GITHUB_ISSUER
from dreamseed.config.service import Service
from dreamseed.planning.state_bucket import KEPT_VERSIONS, SOFT_DELETE_SECONDS, VERSION_DAYS, state_bucket

DEPLOYING_REF = "refs/heads/main"
UNTAGGED_IMAGE_SECONDS = 30 * 86_400


@dataclass(frozen=True, kw_only=True)
class DeliveryArgs:
    """What `Delivery` needs."""

    service: Service


class Delivery(Component):
    """Enabled APIs, the image repository, the state bucket, and a keyless account for the owners' workflows.

    Workflows of one repository's main branch, and no other, act as the deployer by workload identity. Here
    it may push images and write the state; that it may deploy the API and act as the API's account is
    granted beside the API, on these two resources only. Declares no service account key. The state bucket
    must exist before it can hold the state: `dreamseed state bootstrap` makes it, `dreamseed recover` takes
    it over.
    """

    token = "dreamseed:delivery:Delivery"  # noqa: S105 - a resource's type token, not a secret

    enabled: Sequence[pulumi.Resource]
    """What resources of other components wait for."""
    deployer: pulumi.Output[str]
    """The deployer as a member of IAM policies."""
    repository: pulumi.Output[str]
    """Where images are pushed: ``REGION-docker.pkg.dev/PROJECT/NAME``."""
    state_bucket: pulumi.Output[str]
    identity_provider: pulumi.Output[str]
    """What workflows name as ``workload_identity_provider``."""

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service = args.service
        self.enabled = [
            projects.Service(api, service=api, project=service.gcp_project, disable_on_destroy=False, opts=self.child())
            for api in APIS
        ]
        deployer = serviceaccount.Account(
            f"{service.name}-deployer",
            account_id=f"{service.name}-deployer",
            project=service.gcp_project,
            display_name="Deploys from GitHub",
            opts=self._ready(),
        )
        provider = self._trust_github(service, deployer)
        repository = self._repository(service, deployer)
        bucket = self._state_bucket(service, deployer)
        self.publish(
            deployer=deployer.member,
            repository=repository.name.apply(
                lambda text: f"{service.region}-docker.pkg.dev/{service.gcp_project}/{text}"
            ),
            state_bucket=bucket.name,
            identity_provider=provider.name,
        )

    def _ready(self) -> pulumi.ResourceOptions:
        return self.child(depends_on=list(self.enabled))

    def _trust_github(self, service: Service, deployer: serviceaccount.Account) -> iam.WorkloadIdentityPoolProvider:
        pool = iam.WorkloadIdentityPool(
            f"{service.name}-github",
            workload_identity_pool_id=f"{service.name}-github",
            project=service.gcp_project,
            opts=self._ready(),
        )
        provider = iam.WorkloadIdentityPoolProvider(
            f"{service.name}-github",
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github-actions",
            project=service.gcp_project,
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                "attribute.ref": "assertion.ref",
            },
            attribute_condition=(
                f'assertion.repository == "{service.github_repository}" && assertion.ref == "{DEPLOYING_REF}"'
            ),
            oidc=iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=GITHUB_ISSUER),
            opts=self.child(),
        )
        serviceaccount.IAMMember(
            f"{service.name}-deployer-github",
            service_account_id=deployer.name,
            role="roles/iam.workloadIdentityUser",
            member=pool.name.apply(
                lambda text: (
                    f"principalSet://iam.googleapis.com/{text}/attribute.repository/{service.github_repository}"
                )
            ),
            opts=self.child(),
        )
        return provider

    def _repository(self, service: Service, deployer: serviceaccount.Account) -> artifactregistry.Repository:
        """Declare the repository. Tags never move, and what has none, so no release names it, goes after a month."""
        repository = artifactregistry.Repository(
            service.name,
            repository_id=service.name,
            project=service.gcp_project,
            location=service.region,
            format="DOCKER",
            docker_config=artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
            cleanup_policies=[
                artifactregistry.RepositoryCleanupPolicyArgs(
                    id="untagged",
                    action="DELETE",
                    condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
                        tag_state="UNTAGGED", older_than=f"{UNTAGGED_IMAGE_SECONDS}s"
                    ),
                )
            ],
            labels=labels(service.name),
            deletion_policy="PREVENT",
            opts=self.stateful(depends_on=list(self.enabled)),
        )
        artifactregistry.RepositoryIamMember(
            f"{service.name}-deployer-writer",
            repository=repository.name,
            project=service.gcp_project,
            location=service.region,
            role="roles/artifactregistry.writer",
            member=deployer.member,
            opts=self.child(),
        )
        return repository

    def _state_bucket(self, service: Service, deployer: serviceaccount.Account) -> storage.Bucket:
        """Declare the bucket of the program's own state: private, every version kept for long."""
        plan = state_bucket(service)
        superseded = storage.BucketLifecycleRuleArgs(
            action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
            condition=storage.BucketLifecycleRuleConditionArgs(
                days_since_noncurrent_time=VERSION_DAYS, num_newer_versions=KEPT_VERSIONS
            ),
        )
        bucket = storage.Bucket(
            plan.name,
            name=plan.name,
            project=plan.project,
            location=plan.location,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=SOFT_DELETE_SECONDS),
            lifecycle_rules=[superseded],
            force_destroy=False,
            labels=labels(service.name),
            deletion_policy="PREVENT",
            opts=self.stateful(depends_on=list(self.enabled)),
        )
        storage.BucketIAMMember(
            f"{plan.name}-deployer",
            bucket=bucket.name,
            role="roles/storage.objectUser",
            member=deployer.member,
            opts=self.child(),
        )
        return bucket
