"""A small service whose keys are exchanged: a cache with its data, and a key of each kind that the program makes.

It reads `keys` of the stage's settings as the real program does. By the variable `WRONG` it is a program with a fault:
it exchanges another key too, leaves the new one without protection, or loses the data.
"""

from __future__ import annotations

import os

import pulumi
import pulumi_docker as docker
from pulumi_gcp.secretmanager.secret import Secret
from pulumi_gcp.secretmanager.secret_version import SecretVersion

from components.b2 import B2ApplicationKey, B2Bucket
from components.b2_account import Account
from components.base import Component
from components.cloudflare_sdk import ZeroTrustAccessServiceToken
from components.secrets import Secrets, SecretsArgs
from dreamseed.config import StageConfig, parse_stage
from dreamseed.config.keys import KeyName
from dreamseed.keys.resources import base_of
from dreamseed.planning.keys import FIRST, generations_of

WRONG = os.environ.get("WRONG", "")
PROJECT = "sample"
NAMES = (KeyName.REDIS, KeyName.POSTGRES_MONITOR)


def bare(declared: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    """Take the protection off."""
    declared.opts.protect = False
    return pulumi.ResourceTransformationResult(declared.props, declared.opts)


class Service(Component):
    """Passwords, a copy of one, and the container that reads it."""

    token = "sample:Service"

    def __init__(self, config: StageConfig) -> None:
        super().__init__("service")
        generations = {str(key): generations_of(config, key) for key in NAMES}
        exchanged = generations[KeyName.REDIS] != FIRST
        if exchanged and WRONG == "another key":
            generations[KeyName.POSTGRES_MONITOR] = generations[KeyName.REDIS]
        options = pulumi.ResourceOptions(transformations=[bare] if exchanged and WRONG == "no protection" else [])
        passwords = Secrets("secrets", SecretsArgs(names=NAMES, generations=generations), options)
        password = passwords.values[KeyName.REDIS]
        secret = Secret("redis", secret_id="redis", project=PROJECT, replication={"auto": {}}, opts=self.stateful())
        SecretVersion("redis", secret=secret.id, secret_data=password, deletion_policy="DISABLE", opts=self.child())
        here = docker.Provider("server", host="ssh://ops@10.0.0.1")
        lost = exchanged and WRONG == "the data"
        data = docker.Volume(
            "redis-data",
            name="other-data" if lost else "redis-data",
            labels=[docker.VolumeLabelArgs(label="kind", value="data")],
            opts=pulumi.ResourceOptions(parent=self, provider=here, protect=not lost),
        )
        docker.Container(
            "redis",
            name="redis",
            image="redis:8",
            uploads=[docker.ContainerUploadArgs(file="/run/secrets/redis", content=password)],
            volumes=[docker.ContainerVolumeArgs(volume_name=data.name, container_path="/data")],
            opts=self.child(provider=here, delete_before_replace=True),
        )
        self.publish()


def declare_keys(config: StageConfig) -> None:
    """Declare the service token and a key to a bucket, as the components do."""
    token = generations_of(config, KeyName.SERVICE_TOKEN)
    name = base_of(config, KeyName.SERVICE_TOKEN)[1]
    protected = pulumi.ResourceOptions(protect=True)
    ZeroTrustAccessServiceToken(
        name,
        name=name,
        account_id=config.edge.account_id,
        duration="87600h",
        client_secret_version=token.current if token.previous_until else None,
        previous_client_secret_expires_at=token.previous_until,
        opts=protected,
    )
    bucket = B2Bucket(
        "content", account=Account.PRIMARY, region="us-west-004", name="sample-content", hidden_days=1, opts=protected
    )
    generations = generations_of(config, KeyName.CONTENT_KEY)
    base = base_of(config, KeyName.CONTENT_KEY)[1]
    for each in (generations.previous_name(base), generations.current_name(base)):
        if each is not None:
            B2ApplicationKey(each, account=Account.PRIMARY, name=each, bucket_id=bucket.id, capabilities=["readFiles"])


settings = pulumi.Config("dreamseed")
stage = parse_stage(settings.require_object("shared"), settings.require_object("stage"), where="sample")
Service(stage)
declare_keys(stage)
hook = settings.require_secret("alert-chat")
chat = Secret(
    "chat", secret_id="chat", project=PROJECT, replication={"auto": {}}, opts=pulumi.ResourceOptions(protect=True)
)
SecretVersion("chat", secret=chat.id, secret_data=hook, deletion_policy="DISABLE")
