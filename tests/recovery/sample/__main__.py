"""A password, data, a zone, a token that is told once, a bucket with its key: each kind of what a state can lose."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker
from pulumi_gcp.secretmanager.secret import Secret
from pulumi_gcp.secretmanager.secret_version import SecretVersion
from pulumi_gcp.serviceaccount.account import Account
from pulumi_random import RandomPassword

from components.b2 import B2ApplicationKey, B2Bucket
from components.b2_account import Account as B2Account
from components.cloudflare_sdk import DnsRecord, ZeroTrustAccessServiceToken, Zone

ACCOUNT = "0123456789abcdef0123456789abcdef"
step = pulumi.Config().require("step")


class Store(pulumi.ComponentResource):
    """A database's password, its copies, and the volume it lives in."""

    def __init__(self, server: docker.Provider) -> None:
        super().__init__("sample:Store", "store")
        own = pulumi.ResourceOptions(parent=self, protect=True)
        child = pulumi.ResourceOptions(parent=self)
        here = pulumi.ResourceOptions(parent=self, provider=server)
        self.password = RandomPassword("database", length=24, special=False, opts=own).result
        secret = Secret("database", secret_id="database", replication={"auto": {}}, opts=own)
        SecretVersion("database", secret=secret.id, secret_data=self.password, deletion_policy="DISABLE", opts=child)
        label = docker.VolumeLabelArgs(label="kind", value="data")
        data = docker.Volume("data", name="data", labels=[label], opts=pulumi.ResourceOptions.merge(here, own))
        docker.Container(
            "database",
            name="database",
            image=f"postgres:{step}",
            envs=[self.password.apply(lambda text: f"PASSWORD={text}")],
            volumes=[docker.ContainerVolumeArgs(volume_name=data.name, container_path="/data")],
            opts=here,
        )


Store(docker.Provider("server", host="ssh://ops@10.0.0.1"))
protected = pulumi.ResourceOptions(protect=True)
zone = Zone("example.com", name="example.com", account={"id": ACCOUNT}, type="full", opts=protected)
token = ZeroTrustAccessServiceToken("api", name="api", account_id=ACCOUNT, duration="87600h", opts=protected)
bucket = B2Bucket(
    "sample-backups",
    account=B2Account.PRIMARY,
    region="us-west-004",
    name="sample-backups",
    hidden_days=1,
    opts=protected,
)
key = B2ApplicationKey(
    "sample-backup", account=B2Account.PRIMARY, name="sample-backup", bucket_id=bucket.id, capabilities=["readFiles"]
)
pulumi.export("client", token.client_secret)
pulumi.export("key", key.application_key)
if step == "two":
    # One after the other: an engine that is killed while it makes one must not be making the other, too.
    account = Account("api", account_id="lost-api")
    later = pulumi.ResourceOptions(depends_on=account)
    DnsRecord(
        "api", zone_id=zone.id, name="api.example.com", type="CNAME", content="ghs.example.com", ttl=1, opts=later
    )
