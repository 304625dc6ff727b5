"""Who may do what: least privilege, nobody unknown, no key that lives long."""

from __future__ import annotations

from collections.abc import Iterator

from policy.model import Resource, Rule, Stage, of_type

EVERYONE = ("allUsers", "allAuthenticatedUsers")
BASIC_ROLES = ("roles/owner", "roles/editor", "roles/viewer", "roles/browser")
WIDE_ENDINGS = (".admin", "/admin", "Admin")
PROJECT_GRANTS = ("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
INVOKER = "roles/run.invoker"
SERVICE_GRANT = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
IDENTITY_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
DISPOSABLE = frozenset({"compute.instances.delete"})
"""What a job may delete: the machines that hold something refuse it (`provider-refuses-deletion`)."""
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"


def is_grant(resource: Resource) -> bool:
    """Tell whether the resource gives somebody a role at Google Cloud."""
    kind = resource.type.rsplit(":", 1)[-1]
    return resource.type.startswith("gcp:") and kind.lower().endswith(("iammember", "iambinding", "iampolicy"))


def _roles(resource: Resource, _: Stage) -> Iterator[str]:
    role = str(resource.at("role", ""))
    if role in BASIC_ROLES:
        yield f"{role} reaches everything in the project"
    elif role.endswith(WIDE_ENDINGS):
        yield f"{role} may change who else may"
    if resource.type in PROJECT_GRANTS and role.startswith("roles/"):
        yield f"{role} holds for the whole project"


def _members(resource: Resource, stage: Stage) -> Iterator[str]:
    members = [resource.at("member"), *resource.at("members", [])]
    public = [member for member in members if member in EVERYONE]
    is_api = (resource.type, resource.at("name")) == (SERVICE_GRANT, stage.config.api.name)
    if public and not (is_api and resource.at("role") == INVOKER and public == ["allUsers"]):
        yield f"{', '.join(public)} may act by {resource.at('role')}"


def _custom_role(resource: Resource, _: Stage) -> Iterator[str]:
    for permission in resource.at("permissions", []):
        if permission.endswith((".setIamPolicy", ".delete", ".actAs", ".*")) and permission not in DISPOSABLE:
            yield f"{permission} is more than a job needs"


def _identity(resource: Resource, stage: Stage) -> Iterator[str]:
    condition = str(resource.at("attributeCondition", ""))
    repository = f'assertion.repository == "{stage.config.service.github_repository}"'
    if repository not in condition:
        yield f"the condition does not hold workflows to {stage.config.service.github_repository}"
    if 'assertion.ref == "refs/heads/main"' not in condition or "||" in condition:
        yield "the condition lets other branches than main act"
    if resource.at("oidc.issuerUri") != "https://token.actions.githubusercontent.com":
        yield f"{resource.at('oidc.issuerUri')} is not GitHub's issuer"


RULES = (
    Rule(
        name="least-privilege-roles",
        description="No grant of a basic or an administrator's role, and none but a custom one over the whole project.",
        remedy="grant the narrowest role on the one resource, or a custom role with the permissions that are used",
        guards=is_grant,
        faults=_roles,
    ),
    Rule(
        name="no-public-grant",
        description="Nobody unknown is granted anything but to call the API's service.",
        remedy="name the service account that needs it",
        guards=is_grant,
        faults=_members,
    ),
    Rule(
        name="narrow-custom-roles",
        description="A custom role neither grants roles, nor deletes what is not guarded, nor acts as somebody else.",
        remedy="list only the permissions that the job calls",
        guards=of_type(CUSTOM_ROLE),
        faults=_custom_role,
    ),
    Rule(
        name="only-our-workflows-deploy",
        description="Only workflows of the project's repository on its main branch get an identity at Google Cloud.",
        remedy="set the condition to the one repository and refs/heads/main",
        guards=of_type(IDENTITY_PROVIDER),
        faults=_identity,
    ),
)
