"""How each rule on a resource can be broken: the mutants that it must catch, on every resource that it guards."""

from __future__ import annotations

from collections.abc import Mapping

from policy.model import Resource
from policy.rules.containers import service_of
from policy.rules.names import LABELS
from policy.rules.secrets import ALWAYS_SECRET
from policy.rules.state import GUARDED
from tests.policy.injection import GONE, Injection, add, put

TOKEN = "ghp_" + "a1B2" * 9
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----"
SERVICE = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
API_INVOKER = "dreamseed-api-invoker"
CONTAINERS = "template.containers[*]"
TASKS = "template.template.containers[*]"


def _kind(*types: str) -> dict[str, object]:
    return {"of": lambda resource: resource.type in types}


def _except(*names: str) -> dict[str, object]:
    return {"of": lambda resource: resource.name not in names}


def _marked(resource: Resource) -> bool:
    uploads = resource.inputs.get("uploads", [])
    to_secrets = any(str(upload["file"]).startswith("/run/secrets/") for upload in uploads)
    return bool(resource.secrets) and (resource.type in ALWAYS_SECRET or to_secrets)


SECRETS = (
    put("description", f"deploys with {TOKEN}"),
    put("note", KEY),
    put("note", "AKIA" + "ABCD2345" * 2),
    put("endpoint", "postgresql://dreamseed:hunter22@10.20.0.11:6432/dreamseed"),
    put("note", "hf_" + "aBcD" * 9),
    put("settings_text", "port 6379\nrequirepass hunter22hunter22\n"),
    add("envs", "DATABASE_PASSWORD=hunter22", **_kind("docker:index/container:Container")),
    add(f"{CONTAINERS}.envs", {"name": "VLLM_API_KEY", "value": "hunter22"}, **_kind(SERVICE)),
    add(f"{TASKS}.envs", {"name": "TARGET_PASSWORD", "value": "hunter22"}, **_kind(JOB)),
    Injection(name="secrets unmarked", unmark_secrets=True, of=_marked),
)
ROLES = (
    put("role", "roles/owner"),
    put("role", "roles/editor"),
    put("role", "roles/secretmanager.admin"),
    put("role", "roles/iam.serviceAccountAdmin"),
    put("role", "roles/run.developer", **_kind("gcp:projects/iAMMember:IAMMember")),
)
MEMBERS = (
    put("member", "allAuthenticatedUsers"),
    put("member", "allUsers", **_except(API_INVOKER)),
    put("role", "roles/run.developer", of=lambda resource: resource.name == API_INVOKER),
    put("name", "another-service", of=lambda resource: resource.name == API_INVOKER),
)
CONDITION = "attributeCondition"
REPOSITORY = 'assertion.repository == "dreamseedai/infrastructure"'
IDENTITY = (
    put(CONDITION, GONE),
    put(CONDITION, REPOSITORY),
    put(CONDITION, 'assertion.ref == "refs/heads/main"'),
    put(CONDITION, 'assertion.repository == "somebody/else" && assertion.ref == "refs/heads/main"'),
    put(CONDITION, f'{REPOSITORY} && assertion.ref == "refs/heads/main" || true'),
    put("oidc.issuerUri", "https://issuer.invalid"),
)
FIREWALLS = (
    put("sourceRanges", ["0.0.0.0/0"]),
    put("sourceRanges", ["10.20.0.0/24", "203.0.113.0/24"]),
    put("sourceRanges", ["::/0"]),
    put("sourceRanges", GONE),
    put("allows[*].ports", GONE),
    put("allows[*].protocol", "all"),
)
MACHINES = (
    put("networkInterfaces[*].accessConfigs", [{}], **_except("dreamseed-burst")),
    put("shieldedInstanceConfig", GONE),
    put("shieldedInstanceConfig.enableSecureBoot", False),
    put("metadata.block-project-ssh-keys", "FALSE"),
)
SQL = "settings.ipConfiguration"
RUN_TASKS = (
    *(put(f"{at}.image", "gcr.io/project/api:latest") for at in (CONTAINERS, TASKS)),
    *(put(f"{at}.image", "gcr.io/project/api:v1@sha256:12") for at in (CONTAINERS, TASKS)),
    *(put(f"{at}.resources.limits", GONE) for at in (CONTAINERS, TASKS)),
    *(put(f"{at}.resources.limits.memory", "64Gi") for at in (CONTAINERS, TASKS)),
    *(put(f"{at}.resources.limits.cpu", "16") for at in (CONTAINERS, TASKS)),
    put(f"{CONTAINERS}.livenessProbe", GONE),
    put(f"{CONTAINERS}.startupProbe", GONE),
)
RULESETS = (
    put("rules", []),
    put("rules[*].enabled", False),
    put("rules[*].action", "log"),
    put("rules[*].action", "skip"),
)
BUCKET = (
    put("versioning.enabled", False),
    put("lifecycleRules", []),
    put("publicAccessPrevention", "inherited"),
    put("uniformBucketLevelAccess", False),
    put("forceDestroy", True),
    put("softDeletePolicy.retentionDurationSeconds", 0),
)
ADMINISTERS = ("packet-filter", "wireguard")
CONTAINER_RIGHTS = (
    put("securityOpts", []),
    add("securityOpts", "seccomp=unconfined"),
    put("privileged", True),
    put("capabilities", {"adds": ["CAP_SYS_ADMIN"], "drops": ["ALL"]}),
    put("capabilities", GONE),
    put("capabilities.drops", ["NET_RAW"]),
    put("readOnly", False, of=lambda resource: not resource.inputs.get("uploads")),
    put("readOnly", GONE, of=lambda resource: not resource.inputs.get("uploads")),
    put("user", GONE, of=lambda resource: "user" in resource.inputs),
    put("user", "root"),
    put("pidMode", "host"),
    put("capabilities.adds", ["NET_ADMIN"], of=lambda resource: service_of(resource) not in ADMINISTERS),
    put("devices", [{"hostPath": "/dev/net/tun"}], of=lambda resource: service_of(resource) != "wireguard"),
    put("devices", [{"hostPath": "/dev/kmsg"}]),
    put("capabilities.adds", ["NET_ADMIN", "NET_RAW"]),
    put(
        "networkMode",
        "host",
        of=lambda resource: service_of(resource) not in ADMINISTERS and not resource.name.endswith("-node-exporter"),
    ),
    put("user", "0:0"),
    add("volumes", {"hostPath": "/var/run/docker.sock", "containerPath": "/docker.sock", "readOnly": True}),
    add("volumes", {"hostPath": "/etc", "containerPath": "/host", "readOnly": False}),
)
MUTANTS: Mapping[str, tuple[Injection, ...]] = {
    "no-plain-secret": SECRETS,
    "least-privilege-roles": ROLES,
    "no-public-grant": MEMBERS,
    "narrow-custom-roles": tuple(
        add("permissions", name)
        for name in ("resourcemanager.projects.setIamPolicy", "cloudsql.instances.delete", "iam.serviceAccounts.actAs")
    ),
    "only-our-workflows-deploy": IDENTITY,
    "published-on-private-addresses": tuple(
        put("ports[*].ip", value) for value in ("0.0.0.0", "203.0.113.9", "::", "", GONE)
    ),
    "firewall-opens-to-ours-only": FIREWALLS,
    "database-without-public-address": (
        put(f"{SQL}.ipv4Enabled", True),
        put(f"{SQL}.ipv4Enabled", GONE),
        put(f"{SQL}.privateNetwork", GONE),
        put(f"{SQL}.authorizedNetworks", [{"value": "0.0.0.0/0"}]),
    ),
    "machines-are-closed": MACHINES,
    "network-of-our-own": (put("autoCreateSubnetworks", True), put("autoCreateSubnetworks", GONE)),
    "vpn-by-ikev2": (put("ikeVersion", 1), put("ikeVersion", GONE)),
    "names-are-proxied": (put("proxied", False), put("proxied", GONE)),
    "tls-strict": (
        put("value", "off"),
        put("value", "flexible", of=lambda resource: resource.inputs["settingId"] == "ssl"),
        put("value", "full", of=lambda resource: resource.inputs["settingId"] == "ssl"),
        put("value", "1.0", of=lambda resource: resource.inputs["settingId"] == "min_tls_version"),
    ),
    "waf-on": RULESETS,
    "access-before-private-names": (
        put("policies", []),
        put("policies", GONE),
        put("serviceAuth401Redirect", False),
    ),
    "access-by-service-token": (
        put("decision", "allow"),
        put("decision", "bypass"),
        put("includes", [{"everyone": {}}]),
        add("includes", {"emailDomain": {"domain": "gmail.com"}}),
    ),
    "tunnel-verifies": (
        put("config.originRequest", {"noTlsVerify": True}),
        put("config.ingresses[*].originRequest", {"noTlsVerify": True}),
    ),
    "state-is-protected": (Injection(name="unprotected", unprotect=True),),
    "provider-refuses-deletion": tuple(
        put(name, value, of=lambda resource, name=name: GUARDED[resource.type][0] == name)
        for name, values in (
            ("deletionProtection", (False, GONE)),
            ("deleteProtection", (False, GONE)),
            ("deletionPolicy", ("DELETE", "ABANDON", GONE)),
        )
        for value in values
    ),
    "bucket-keeps-versions": BUCKET,
    "object-store-keeps-versions": (
        put("hidden_days", 1),
        put("hidden_days", GONE),
        put("lock_days", 1, of=lambda resource: "backups" in resource.name),
        put("lock_days", GONE, of=lambda resource: "backups" in resource.name),
    ),
    "database-is-recoverable": (
        put("settings.deletionProtectionEnabled", False),
        put("settings.retainBackupsOnDelete", GONE),
        put(f"{SQL}.sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED"),
        put("settings.backupConfiguration", GONE, of=lambda r: r.at("settings.availabilityType") == "REGIONAL"),
        put("settings.backupConfiguration.pointInTimeRecoveryEnabled", False),
        put("settings.backupConfiguration.backupRetentionSettings.retainedBackups", 1),
        put("settings.availabilityType", "ZONAL"),
    ),
    "images-stay-what-they-are": (put("dockerConfig.immutableTags", False), put("cleanupPolicies", [])),
    "secret-versions-are-kept": (put("deletionPolicy", "DELETE"), put("deletionPolicy", GONE)),
    "images-by-digest": (
        put("name", "redis:latest"),
        put("name", "redis"),
        put("name", "redis@sha256:12"),
        put("name", GONE),
    ),
    "containers-run-declared-images": (put("image", "redis:latest"), put("image", GONE)),
    "containers-are-checked": (
        put("healthcheck", GONE, of=lambda resource: "healthcheck" in resource.inputs),
        put("healthcheck.tests", ["NONE"]),
        put("healthcheck.tests", []),
        put("wait", False, of=lambda resource: "healthcheck" in resource.inputs),
    ),
    "containers-have-limits": (
        put("memory", GONE),
        put("memory", 0),
        put("memorySwap", -1),
        put("ulimits", GONE, of=lambda resource: "user" in resource.inputs),
        put("ulimits", [{"name": "nproc", "soft": 1_000_000, "hard": 1_000_000}], of=lambda r: "user" in r.inputs),
        put("cpuShares", GONE),
        put("logOpts", GONE),
        put("logOpts.max-size", GONE),
    ),
    "containers-have-few-rights": CONTAINER_RIGHTS,
    "containers-come-back": (
        put("restart", "unless-stopped"),
        put("restart", "no", of=lambda resource: resource.at("attach") is not True),
        put("restart", "always", of=lambda resource: resource.at("attach") is True),
    ),
    "cloud-run-within-the-stage": (
        put("template.scaling.maxInstanceCount", 1000),
        put("template.scaling.maxInstanceCount", GONE),
        put("template.scaling.minInstanceCount", 100),
        put("template.maxInstanceRequestConcurrency", 1000),
    ),
    "no-way-around-the-edge": (
        put("defaultUriDisabled", False),
        put("defaultUriDisabled", GONE),
        put("ingress", "INGRESS_TRAFFIC_INTERNAL_ONLY"),
        put("ingress", GONE),
    ),
    "cloud-run-by-its-own-account": (
        put("template.serviceAccount", GONE, **_kind(SERVICE)),
        put("template.serviceAccount", "123456-compute@developer.gserviceaccount.com", **_kind(SERVICE)),
        put("template.template.serviceAccount", GONE, **_kind(JOB)),
        put("template.template.serviceAccount", "123456-compute@developer.gserviceaccount.com", **_kind(JOB)),
    ),
    "cloud-run-containers": RUN_TASKS,
    "budget-is-announced": (
        put("amount.specifiedAmount.units", "100000"),
        put("amount.specifiedAmount.units", "0"),
        put("thresholdRules", []),
        put("thresholdRules[*].spendBasis", "CURRENT_SPEND"),
        put("thresholdRules[*].thresholdPercent", 2),
        put("allUpdatesRule.monitoringNotificationChannels", []),
    ),
    "in-the-stage-s-region": (
        *(
            put(name, value, of=lambda resource, name=name: name in resource.inputs)
            for name, value in (
                *(("location", "europe-west1"), ("region", "asia-east1"), ("zone", "us-east1-b")),
                ("project", "another-project"),
            )
        ),
        put("accountId", "f" * 32, of=lambda r: r.type.startswith("cloudflare:") and "accountId" in r.inputs),
    ),
    "labelled": (
        *(
            put(name, GONE, of=lambda r, name=name: LABELS.get(r.type, "labels") == name)
            for name in ("labels", "userLabels")
        ),
        put("settings.userLabels", {"service": "another"}),
        put("labels", {"managed-by": "hand"}, of=lambda r: LABELS.get(r.type) == "labels"),
        put("labels", [{"label": "managed-by", "value": "hand"}], of=lambda r: r.type not in LABELS),
    ),
}
"""Rule → injections. Two rules on cost read the stage file alone: tests/policy/test_rules.py breaks it."""
