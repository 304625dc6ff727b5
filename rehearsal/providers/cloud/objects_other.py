"""The fake Docker hosts, Cloudflare account and Grafana Cloud organisation. Forms from the providers' documentation,
2026-11-23; values are made up."""

from __future__ import annotations

from rehearsal.tables.objects import TIME, ObjectRule, Template

COMMON: dict[str, dict[str, Template]] = {
    "docker": {"driver": "local"},
    "cloudflare": {
        "createdOn": TIME,
        "modifiedOn": TIME,
        "createdAt": TIME,
        "updatedAt": TIME,
        "activatedOn": TIME,
        "lastUpdated": TIME,
        "expiresOn": "2041-01-01T00:00:00Z",
        "expiresAt": "2027-01-01T00:00:00Z",
        "status": "active",
        "editable": True,
    },
    "grafana": {"createdAt": TIME, "updatedAt": TIME, "status": "active", "clusterSlug": "prod-us-east-0"},
    "random": {},
}

DOCKER = {
    "network:Network": ObjectRule(
        "{hex:64}",
        unique="{name}",
        outputs={
            "driver": "bridge",
            "scope": "local",
            "ipamConfigs": [{"subnet": "172.{octet}.0.0/16", "gateway": "172.{octet}.0.1"}],
        },
    ),
    "volume:Volume": ObjectRule("{name}", upsert=True, outputs={"mountpoint": "/var/lib/docker/volumes/{name}/_data"}),
    "container:Container": ObjectRule(
        "{hex:64}",
        unique="{name}",
        outputs={
            "hostname": "{hex:12}",
            "ipcMode": "private",
            "logDriver": "json-file",
            "runtime": "runc",
            "shmSize": 64,
            "exitCode": 0,
            "ports[].external": "{port}",
            "networkDatas": [{"networkName": "bridge", "ipAddress": "172.17.0.{octet}", "gateway": "172.17.0.1"}],
        },
    ),
    # Pulling an image again gives the same image.
    "remoteImage:RemoteImage": ObjectRule(
        "sha256:{hex:64}{name}",
        upsert=True,
        outputs={"imageId": "sha256:{hex:64}", "repoDigest": "{repository}@sha256:{digest}"},
        seed="{name}",
    ),
    "image:Image": ObjectRule(
        "{imageName}",
        upsert=True,
        outputs={"repoDigest": "{imageName}@sha256:{hex:64}", "baseImageName": "{imageName}"},
    ),
}

CLOUDFLARE = {
    "zone:Zone": ObjectRule(
        "{hex:32}",
        unique="{account.id}/{name}",
        outputs={
            "nameServers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
            "status": "pending",
            "verificationKey": "{number:9}-{number:9}",
        },
    ),
    "zoneSetting:ZoneSetting": ObjectRule("{settingId}", unique="{zoneId}/{settingId}", upsert=True),
    "zoneSubscription:ZoneSubscription": ObjectRule(
        "{zoneId}", upsert=True, outputs={"currency": "USD", "state": "Paid", "frequency": "monthly"}
    ),
    "dnsRecord:DnsRecord": ObjectRule(
        "{hex:32}", unique="{zoneId}/{name}/{type}/{content}", outputs={"proxiable": True}
    ),
    # A zone or account holds one entry-point ruleset a phase.
    "ruleset:Ruleset": ObjectRule("{hex:32}", unique="{zoneId}{accountId}/{kind}/{phase}", outputs={"version": "1"}),
    "tieredCache:TieredCache": ObjectRule("{zoneId}", upsert=True),
    "zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": ObjectRule(
        "{uuid}",
        unique="{accountId}/{name}",
        outputs={"accountTag": "{accountId}", "status": "inactive", "tunType": "cfd_tunnel", "remoteConfig": True},
    ),
    "zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": ObjectRule(
        "{tunnelId}", upsert=True, outputs={"version": 1, "source": "cloudflare"}
    ),
    "zeroTrustAccessApplication:ZeroTrustAccessApplication": ObjectRule(
        "{uuid}", outputs={"aud": "{hex:64}", "sessionDuration": "24h", "type": "self_hosted"}
    ),
    "zeroTrustAccessPolicy:ZeroTrustAccessPolicy": ObjectRule("{uuid}", outputs={"reusable": True}),
    "zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": ObjectRule(
        "{uuid}", outputs={"clientId": "{hex:32}.access", "clientSecret": "{hex:64}"}
    ),
    "loadBalancer:LoadBalancer": ObjectRule("{hex:32}", unique="{zoneId}/{name}"),
    "loadBalancerPool:LoadBalancerPool": ObjectRule("{hex:32}", unique="{accountId}/{name}"),
    "loadBalancerMonitor:LoadBalancerMonitor": ObjectRule("{hex:32}", outputs={"method": "GET", "path": "/"}),
    "originCaCertificate:OriginCaCertificate": ObjectRule(
        "{number:39}",
        outputs={"certificate": "-----BEGIN CERTIFICATE-----\n{hex:64}\n-----END CERTIFICATE-----\n"},
    ),
    "authenticatedOriginPulls:AuthenticatedOriginPulls": ObjectRule("{zoneId}", upsert=True),
    "healthcheck:Healthcheck": ObjectRule("{hex:32}", outputs={"status": "unknown"}),
    "rateLimit:RateLimit": ObjectRule("{hex:32}"),
}

GRAFANA = {
    "stack:Stack": ObjectRule(
        "{number:6}",
        unique="{slug}",
        outputs={
            "url": "https://{slug}.grafana.net",
            "regionSlug": "us",
            "prometheusUrl": "https://prometheus-prod-13-prod-us-east-0.grafana.net",
            "prometheusRemoteEndpoint": "https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom",
            "prometheusRemoteWriteEndpoint": "https://prometheus-prod-13-prod-us-east-0.grafana.net/api/prom/push",
            "prometheusUserId": "{number:7}",
            "logsUrl": "https://logs-prod-006.grafana.net",
            "logsUserId": "{number:6}",
            "tracesUrl": "https://tempo-prod-04-prod-us-east-0.grafana.net",
            "tracesUserId": "{number:6}",
            "otlpUrl": "https://otlp-gateway-prod-us-east-0.grafana.net/otlp",
            "alertmanagerUrl": "https://alertmanager-prod-us-east-0.grafana.net",
            "orgId": "{number:6}",
            "orgSlug": "{slug}",
            "orgName": "{slug}",
        },
        guard="deleteProtection",
    ),
    "accessPolicy:AccessPolicy": ObjectRule(
        "{region}:{uuid}", unique="{region}/{name}", outputs={"policyId": "{uuid}"}
    ),
    "accessPolicyToken:AccessPolicyToken": ObjectRule(
        "{region}:{uuid}", unique="{region}/{name}", outputs={"token": "glc_{hex:64}"}
    ),
}

# Results live in the engine's state only (random.json); `generators.py` draws them.
RANDOM = {
    "randomPassword:RandomPassword": ObjectRule("none", local=True),
    "randomString:RandomString": ObjectRule("{result}", local=True),
    "randomId:RandomId": ObjectRule("{b64Url}", local=True),
}

RULES = (
    {f"docker:index/{key}": rule for key, rule in DOCKER.items()}
    | {f"cloudflare:index/{key}": rule for key, rule in CLOUDFLARE.items()}
    | {f"grafana:cloud/{key}": rule for key, rule in GRAFANA.items()}
    | {f"random:index/{key}": rule for key, rule in RANDOM.items()}
)
