"""A component with a password (state that must survive), a network and as many containers as the stage says."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker
import pulumi_random as random


class Store(pulumi.ComponentResource):
    """A password and the network and containers that use it."""

    def __init__(self, name: str, containers: int, password_length: int) -> None:
        super().__init__("sample:index:Store", name)
        child = pulumi.ResourceOptions(parent=self, protect=True)
        random.RandomPassword(f"{name}-password", length=password_length, opts=child)
        docker.Network(f"{name}-network", name="store", opts=pulumi.ResourceOptions(parent=self))
        for index in range(containers):
            docker.Volume(f"{name}-volume-{index}", name=f"volume-{index}", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


config = pulumi.Config()
Store("store", config.require_int("containers"), config.require_int("password-length"))
