"""Bare containers with inputs of the real ones' size: no components, no plan, no stage to read."""

from __future__ import annotations

import gc

import pulumi

config = pulumi.Config()
if not config.require_bool("collect"):
    gc.disable()  # as the real program does, before the SDK is imported

from pulumi_docker import Container  # noqa: E402 - after the collector is off

count = config.require_int("count")
for index in range(count):
    Container(
        f"bare-{index}",
        name=f"bare-{index}",
        image=f"sha256:{index:064x}",
        restart="unless-stopped",
        memory=512,
        memory_swap=512,
        envs=[f"SETTING_{number}={index}" for number in range(8)],
        command=["serve", "--name", f"bare-{index}", "--port", "8000"],
    )
