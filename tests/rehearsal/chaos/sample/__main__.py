"""A password kept as a secret, what reads it, an alert's channel: ids computed from names, drawn, and of a server."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker
import pulumi_random as random
from pulumi_gcp.monitoring.notification_channel import NotificationChannel
from pulumi_gcp.secretmanager.secret import Secret
from pulumi_gcp.secretmanager.secret_version import SecretVersion
from pulumi_gcp.serviceaccount.account import Account

step = pulumi.Config().require("step")
guarded = pulumi.ResourceOptions(protect=True)
password = random.RandomPassword("password", length=24, opts=guarded)
secret = Secret("password", secret_id="password", replication={"auto": {}}, labels={"step": step}, opts=guarded)
SecretVersion("password", secret=secret.id, secret_data=password.result, deletion_policy="DISABLE")
server = docker.Provider("server", host="ssh://ops@10.0.0.1")
here = pulumi.ResourceOptions(provider=server)
network = docker.Network("cache", name="cache", opts=here)
docker.Container(
    "cache",
    name="cache",
    image=f"cache:{step}",
    networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
    envs=[password.result.apply(lambda text: f"PASSWORD={text}")],
    opts=here,
)
if step == "two":
    Account("api", account_id="chaos-api")
    NotificationChannel("alerts", display_name="alerts", type="email", labels={"email_address": "ops@example.com"})
