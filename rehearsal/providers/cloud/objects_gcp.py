"""The fake Google Cloud. Id forms: the import formats in pulumi-gcp 10.2, 2026-11-23; values are made up."""

from __future__ import annotations

from rehearsal.tables.objects import TIME, ObjectRule, Template, grant, named

COMPUTE = "https://www.googleapis.com/compute/v1/{id}"
GLOBAL = "projects/{project}/global"
REGIONAL = "projects/{project}/regions/{base:region}"
ZONAL = "projects/{project}/zones/{base:zone}"
RUN = "projects/{project}/locations/{location}"
CERTIFICATES = "projects/{project}/locations/global"

# Filled in for every gcp type that has such an output and no rule of its own for it.
COMMON: dict[str, Template] = {
    "selfLink": COMPUTE,
    "createTime": TIME,
    "creationTimestamp": TIME,
    "updateTime": TIME,
    "timeCreated": TIME,
    "updated": TIME,
    "etag": "BwY{hex:9}=",
    "fingerprint": "{hex:10}=",
    "labelFingerprint": "{hex:10}=",
    "metadataFingerprint": "{hex:10}=",
    "tagsFingerprint": "{hex:10}=",
    "uid": "{uuid}",
    "generation": "1",
    "observedGeneration": "1",
    "state": "ACTIVE",
    "networkTier": "PREMIUM",
}

COMPUTE_RULES = {
    "network:Network": named(
        f"{GLOBAL}/networks/{{name}}",
        numericId="{number:19}",
        networkId="{number:15}",
        mtu=1460,
        routingMode="REGIONAL",
    ),
    "subnetwork:Subnetwork": named(
        f"{REGIONAL}/subnetworks/{{name}}",
        gatewayAddress="10.{octet}.0.1",
        subnetworkId="{number:15}",
        purpose="PRIVATE",
        stackType="IPV4_ONLY",
        privateIpv6GoogleAccess="DISABLE_GOOGLE_ACCESS",
        state="READY",
    ),
    "address:Address": named(f"{REGIONAL}/addresses/{{name}}", address="34.{octet}.{octet}.{octet}", prefixLength=0),
    "globalAddress:GlobalAddress": named(f"{GLOBAL}/addresses/{{name}}", address="34.{octet}.{octet}.{octet}"),
    "firewall:Firewall": named(f"{GLOBAL}/firewalls/{{name}}", direction="INGRESS"),
    "router:Router": named(f"{REGIONAL}/routers/{{name}}"),
    "routerNat:RouterNat": named("{project}/{base:region}/{base:router}/{name}", minPortsPerVm=64),
    "routerInterface:RouterInterface": named("{base:region}/{base:router}/{name}", ipVersion="IPV4"),
    "routerPeer:RouterPeer": named(
        f"{REGIONAL}/routers/{{base:router}}/{{name}}",
        ipAddress="169.254.{octet}.1",
        peerIpAddress="169.254.{octet}.2",
        managementType="MANAGED_BY_USER",
    ),
    "haVpnGateway:HaVpnGateway": named(
        f"{REGIONAL}/vpnGateways/{{name}}",
        vpnInterfaces=[
            {"id": 0, "ipAddress": "35.242.{octet}.{octet}"},
            {"id": 1, "ipAddress": "35.220.{octet}.{octet}"},
        ],
    ),
    "externalVpnGateway:ExternalVpnGateway": named(f"{GLOBAL}/externalVpnGateways/{{name}}"),
    "vPNTunnel:VPNTunnel": named(
        f"{REGIONAL}/vpnTunnels/{{name}}",
        detailedStatus="Waiting for peer.",
        peerIp="203.0.113.{octet}",
        sharedSecretHash="{hex:40}",
        tunnelId="{number:19}",
    ),
    "regionNetworkEndpointGroup:RegionNetworkEndpointGroup": named(f"{REGIONAL}/networkEndpointGroups/{{name}}"),
    "backendService:BackendService": named(
        f"{GLOBAL}/backendServices/{{name}}",
        generatedId="{number:15}",
        protocol="HTTP",
        sessionAffinity="NONE",
        timeoutSec=30,
    ),
    "uRLMap:URLMap": named(f"{GLOBAL}/urlMaps/{{name}}", mapId="{number:15}"),
    "targetHttpsProxy:TargetHttpsProxy": named(f"{GLOBAL}/targetHttpsProxies/{{name}}", proxyId="{number:15}"),
    "globalForwardingRule:GlobalForwardingRule": named(
        f"{GLOBAL}/forwardingRules/{{name}}",
        ipAddress="34.{octet}.{octet}.{octet}",
        ipProtocol="TCP",
        forwardingRuleId="{number:15}",
    ),
    "managedSslCertificate:ManagedSslCertificate": named(
        f"{GLOBAL}/sslCertificates/{{name}}", certificateId="{number:15}", expireTime="2026-04-01T00:00:00Z"
    ),
    "securityPolicy:SecurityPolicy": named(f"{GLOBAL}/securityPolicies/{{name}}", type="CLOUD_ARMOR"),
    "healthCheck:HealthCheck": named(f"{GLOBAL}/healthChecks/{{name}}", type="HTTP"),
    "resourcePolicy:ResourcePolicy": named(f"{REGIONAL}/resourcePolicies/{{name}}"),
    "instance:Instance": ObjectRule(
        f"{ZONAL}/instances/{{name}}",
        unique=f"{ZONAL}/instances/{{name}}",
        outputs={
            "instanceId": "{number:19}",
            "cpuPlatform": "Intel Cascade Lake",
            "currentStatus": "RUNNING",
            "networkInterfaces[].networkIp": "10.{octet}.{octet}.{octet}",
            "networkInterfaces[].name": "nic0",
            "networkInterfaces[].accessConfigs[].natIp": "34.{octet}.{octet}.{octet}",
        },
        guard="deletionProtection",
    ),
    "instanceTemplate:InstanceTemplate": ObjectRule(
        f"{GLOBAL}/instanceTemplates/{{name}}",
        unique=f"{GLOBAL}/instanceTemplates/{{name}}",
        outputs={
            "name": "{namePrefix}{number:26}",
            "numericId": "{number:19}",
            "selfLinkUnique": f"{COMPUTE}?uniqueId={{number:19}}",
        },
    ),
    "instanceGroupManager:InstanceGroupManager": named(
        f"{ZONAL}/instanceGroupManagers/{{name}}",
        instanceGroup="https://www.googleapis.com/compute/v1/" + ZONAL + "/instanceGroups/{name}",
        instanceGroupManagerId="{number:15}",
    ),
    "disk:Disk": named(f"{ZONAL}/disks/{{name}}", diskId="{number:19}", size=10, physicalBlockSizeBytes=4096),
}

PLATFORM_RULES = {
    "cloudrun/domainMapping:DomainMapping": named(
        "locations/{location}/namespaces/{project}/domainmappings/{name}",
        statuses=[
            {
                "mappedRouteName": "{spec.routeName}",
                "observedGeneration": 1,
                "resourceRecords": [{"name": "", "rrdata": "ghs.googlehosted.com.", "type": "CNAME"}],
            }
        ],
    ),
    "cloudrunv2/service:Service": named(
        f"{RUN}/services/{{name}}",
        uri="https://{name}-{project_number}.{location}.run.app",
        urls=["https://{name}-{project_number}.{location}.run.app"],
        ingress="INGRESS_TRAFFIC_ALL",
        launchStage="GA",
        creator="rehearsal@{project}.iam.gserviceaccount.com",
        lastModifier="rehearsal@{project}.iam.gserviceaccount.com",
        latestCreatedRevision=f"{RUN}/services/{{name}}/revisions/{{name}}-00001-{{hex:3}}",
        latestReadyRevision=f"{RUN}/services/{{name}}/revisions/{{name}}-00001-{{hex:3}}",
    ),
    "cloudrunv2/job:Job": named(f"{RUN}/jobs/{{name}}", launchStage="GA"),
    "cloudrunv2/serviceIamMember:ServiceIamMember": grant(f"{RUN}/services/{{base:name}}"),
    "cloudrunv2/jobIamMember:JobIamMember": grant(f"{RUN}/jobs/{{base:name}}"),
    "certificatemanager/dnsAuthorization:DnsAuthorization": named(
        f"{CERTIFICATES}/dnsAuthorizations/{{name}}",
        dnsResourceRecords=[
            {
                "name": "_acme-challenge.{domain}.",
                "type": "CNAME",
                "data": "{uuid}.authorize.certificatemanager.goog.",
            }
        ],
        type="FIXED_RECORD",
    ),
    "certificatemanager/certificate:Certificate": named(f"{CERTIFICATES}/certificates/{{name}}"),
    "certificatemanager/certificateMap:CertificateMap": named(f"{CERTIFICATES}/certificateMaps/{{name}}"),
    "certificatemanager/certificateMapEntry:CertificateMapEntry": named(
        f"{CERTIFICATES}/certificateMaps/{{base:map}}/certificateMapEntries/{{name}}"
    ),
    "artifactregistry/repository:Repository": named(
        f"{RUN}/repositories/{{repositoryId}}",
        name="{repositoryId}",
        registryUri="{location}-docker.pkg.dev/{project}/{repositoryId}",
    ),
    "artifactregistry/repositoryIamMember:RepositoryIamMember": grant(f"{RUN}/repositories/{{base:repository}}"),
    "secretmanager/secret:Secret": named(
        "projects/{project}/secrets/{secretId}", name="projects/{project_number}/secrets/{secretId}"
    ),
    "secretmanager/secretVersion:SecretVersion": ObjectRule(
        "projects/{project_number}/secrets/{base:secret}/versions/{count}",
        outputs={"name": "{id}", "version": "{count}"},
        seed="{base:secret}",
    ),
    "secretmanager/secretIamMember:SecretIamMember": grant("projects/{project}/secrets/{base:secretId}"),
    "serviceaccount/account:Account": named(
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        name="{id}",
        email="{accountId}@{project}.iam.gserviceaccount.com",
        member="serviceAccount:{accountId}@{project}.iam.gserviceaccount.com",
        uniqueId="1{number:20}",
    ),
    "serviceaccount/key:Key": ObjectRule(
        "{serviceAccountId}/keys/{hex:40}",
        outputs={"name": "{id}", "publicKey": "{hex:64}", "validAfter": TIME, "validBefore": "9999-12-31T23:59:59Z"},
    ),
    "serviceaccount/iAMMember:IAMMember": grant("{serviceAccountId}"),
    "projects/service:Service": ObjectRule("{project}/{service}", upsert=True),
    "projects/iAMMember:IAMMember": grant("{project}"),
    "projects/iAMCustomRole:IAMCustomRole": named(
        "projects/{project}/roles/{roleId}", name="projects/{project}/roles/{roleId}", deleted=False
    ),
    "iam/workloadIdentityPool:WorkloadIdentityPool": named(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        name="projects/{project_number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
    ),
    "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": named(
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
        name="projects/{project_number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
    ),
    "billing/budget:Budget": ObjectRule("billingAccounts/{billingAccount}/budgets/{uuid}", outputs={"name": "{uuid}"}),
    "monitoring/alertPolicy:AlertPolicy": ObjectRule(
        "projects/{project}/alertPolicies/{number:19}", outputs={"name": "{id}"}
    ),
    "monitoring/notificationChannel:NotificationChannel": ObjectRule(
        "projects/{project}/notificationChannels/{number:19}", outputs={"name": "{id}"}
    ),
    "monitoring/uptimeCheckConfig:UptimeCheckConfig": ObjectRule(
        "projects/{project}/uptimeCheckConfigs/check-{hex:11}",
        outputs={"name": "{id}", "uptimeCheckId": "check-{hex:11}", "checkerType": "STATIC_IP_CHECKERS"},
    ),
    "monitoring/dashboard:Dashboard": ObjectRule("projects/{project_number}/dashboards/{uuid}"),
    "sql/databaseInstance:DatabaseInstance": ObjectRule(
        "{name}",
        unique="{project}/{name}",
        outputs={
            "connectionName": "{project}:{region}:{name}",
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/projects/{project}/instances/{name}",
            "publicIpAddress": "34.{octet}.{octet}.{octet}",
            "firstIpAddress": "34.{octet}.{octet}.{octet}",
            "privateIpAddress": "10.{octet}.{octet}.{octet}",
            "ipAddresses": [{"ipAddress": "34.{octet}.{octet}.{octet}", "type": "PRIMARY"}],
            "serviceAccountEmailAddress": "p{project_number}-{hex:6}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
            "instanceType": "CLOUD_SQL_INSTANCE",
            "maintenanceVersion": "{databaseVersion}.R20260101.00_00",
            "settings.diskSize": 10,
            "settings.diskType": "PD_SSD",
            "settings.edition": "ENTERPRISE",
        },
        guard="settings.deletionProtectionEnabled",
    ),
    "sql/database:Database": named(
        "projects/{project}/instances/{instance}/databases/{name}",
        charset="UTF8",
        collation="en_US.UTF8",
        selfLink="https://sqladmin.googleapis.com/sql/v1beta4/{id}",
    ),
    "sql/user:User": ObjectRule("{name}/{host}/{instance}", unique="{project}/{instance}/{name}/{host}"),
    "servicenetworking/connection:Connection": ObjectRule(
        "{network}:{service}",
        unique="{base:network}:{service}",
        outputs={"peering": "servicenetworking-googleapis-com"},
    ),
    "databasemigrationservice/connectionProfile:ConnectionProfile": named(
        f"{RUN}/connectionProfiles/{{connectionProfileId}}", name="{id}", state="READY", dbprovider="CLOUDSQL"
    ),
    "databasemigrationservice/migrationJob:MigrationJob": named(
        f"{RUN}/migrationJobs/{{migrationJobId}}", name="{id}", state="NOT_STARTED", phase="PHASE_UNSPECIFIED"
    ),
    # A bucket's name is unique in the whole world, so it alone is the id.
    "storage/bucket:Bucket": named(
        "{name}",
        selfLink="https://www.googleapis.com/storage/v1/b/{name}",
        url="gs://{name}",
        projectNumber="{project_number}",
        rpo="DEFAULT",
        publicAccessPrevention="inherited",
    ),
    "storage/bucketIAMMember:BucketIAMMember": grant("b/{bucket}"),
    "pubsub/topic:Topic": named("projects/{project}/topics/{name}"),
    "pubsub/topicIAMMember:TopicIAMMember": grant("projects/{project}/topics/{base:topic}"),
    "cloudscheduler/job:Job": named("projects/{project}/locations/{region}/jobs/{name}", state="ENABLED"),
}

RULES = {f"gcp:compute/{key}": rule for key, rule in COMPUTE_RULES.items()} | {
    f"gcp:{key}": rule for key, rule in PLATFORM_RULES.items()
}
