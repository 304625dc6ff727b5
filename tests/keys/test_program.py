"""The real program while keys are exchanged: what it declares beside what it declares at rest, and the rules on it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from dreamseed.catalog.stateful import PASSWORD_TYPE
from dreamseed.config import merge
from dreamseed.config.keys import KeyName
from dreamseed.keys.catalogue import KEYS, Maker
from dreamseed.keys.resources import TOLD_BY, leaving_passwords, resource_of
from dreamseed.planning.secrets import CONFIGURED_SECRETS, GeneratedSecret
from policy.judge import judge
from policy.model import Resource, Stage
from policy.waivers import shipped_waivers
from tests.config.corpus_files import overlay
from tests.planning.stages import configured, planned
from tests.policy.recorded import TODAY
from tests.program import Cloud, Recorder, Registered, configuration, run

STAGE = "stage-e"
UNTIL = "2027-01-31T09:00:00Z"
each_key = pytest.mark.parametrize("key", KeyName)


def exchanging(*keys: KeyName, **entry: Any) -> dict[str, Any]:
    """What the settings say while `keys` are exchanged."""
    entry = entry or {"generation": 2, "with_previous": True}
    token = {"previous_until": UNTIL}
    return {"keys": {str(key): entry | (token if key is KeyName.SERVICE_TOKEN else {}) for key in keys}}


@cache
def registered(*keys: KeyName) -> dict[str, Registered]:
    """What the program registers while `keys` are exchanged, by URN."""
    shared, own = overlay(STAGE)
    document = merge(merge(shared, own), exchanging(*keys))
    return {each.urn: each for each in run(Recorder(Cloud()), STAGE, configuration(STAGE, document))}


def test_only_the_next_generations_are_added_and_only_the_previous_ones_lose_their_protection() -> None:
    rest, during = registered(), registered(*KeyName)
    config = configured(STAGE, exchanging(*KeyName))
    keys = {key: resource_of(config, key) for key in KeyName}
    exchange_jobs = {f"pg-{shard}-exchange" for shard in range(1, config.postgres.shards + 1)}
    assert rest.keys() <= during.keys()
    added = {during[urn].name for urn in during.keys() - rest.keys()}
    assert added == {each.current for each in keys.values() if not each.in_place} | exchange_jobs
    bared = {during[urn].name for urn in rest if rest[urn].protect and not during[urn].protect}
    assert bared == {each.previous for each in keys.values() if each.type == PASSWORD_TYPE}
    assert bared == leaving_passwords(config)
    for each in keys.values():
        [current] = [r for r in during.values() if r.type == each.type and r.name == each.current]
        assert current.protect is (each.type in {PASSWORD_TYPE, resource_of(config, KeyName.SERVICE_TOKEN).type})


def test_the_rules_hold_while_every_key_is_exchanged_and_catch_one_that_is_not_protected() -> None:
    stage = Stage(name=STAGE, config=configured(STAGE, exchanging(*KeyName)), today=TODAY)
    seen = [
        Resource(urn=r.urn, type=r.type, name=r.name, inputs=r.inputs, secrets=r.secrets, protect=r.protect)
        for r in registered(*KeyName).values()
        if r.custom
    ]
    assert judge(seen, stage, shipped_waivers()).violations == ()
    bare = [replace(r, protect=False) if r.name in ("redis-2", "postgres-monitor-2") else r for r in seen]
    broken = judge(bare, stage, shipped_waivers()).violations
    assert {(v.rule, v.resource) for v in broken} == {
        ("state-is-protected", "redis-2"),
        ("state-is-protected", "postgres-monitor-2"),
    }
    at_rest = replace(stage, config=configured(STAGE))
    told = judge(seen, at_rest, shipped_waivers()).violations
    assert ("state-is-protected", "redis") in {(v.rule, v.resource) for v in told}
    assert "no-long-lived-keys" in {v.rule for v in told}


def test_the_api_learns_what_a_service_asks_for_after_the_service_does() -> None:
    during = registered(*KeyName)
    for secret, service in (
        ("dreamseed-redis-password", "redis-1"),
        ("dreamseed-database-password", "pg-1-exchange"),
        ("dreamseed-vllm-api-key", "server-1-vllm-1"),
    ):
        [version] = [r for r in during.values() if r.name == secret and r.type.endswith(":SecretVersion")]
        assert service in {urn.rpartition("::")[2] for urn in version.dependencies}
        assert not registered()[version.urn].dependencies or service not in str(registered()[version.urn].dependencies)


@each_key
def test_the_containers_that_the_list_names_are_those_whose_files_hold_the_key(key: KeyName) -> None:
    """Their files are the same texts with another secret in it, so nothing else is replaced; but for the two jobs."""
    rest, during = planned(STAGE), planned(STAGE, exchanging(key))
    before = {container.name: container for container in rest.containers}
    holders = {name for name, each in before.items() if set(each.secrets) & set(KEYS[key].secrets)}
    changed = {
        each.name
        for each in during.containers
        if each.name not in before or replace(each, after=()) != replace(before[each.name], after=())
    }
    exchange_jobs = {f"pg-{n}-exchange" for n in range(1, rest.config.postgres.shards + 1)}
    roles = {key for key in KeyName if key.startswith("postgres-")}
    assert changed == (exchange_jobs if key in roles else holders if key is KeyName.REDIS else set()) - {
        "redis-exporter"
    }
    assert [v.name for v in rest.volumes] == [v.name for v in during.volumes]
    over = planned(STAGE, exchanging(key, generation=2))
    assert list(over.containers) == list(rest.containers)


def test_every_secret_that_the_program_makes_or_is_given_is_in_the_catalogue() -> None:
    assert set(KeyName) <= KEYS.keys()
    assert {str(name) for name in GeneratedSecret} <= KEYS.keys()
    assert {name for name, key in KEYS.items() if key.maker is Maker.PERSON} == set(CONFIGURED_SECRETS)
    kept = {name for name, key in KEYS.items() if key.maker is Maker.PROGRAM and not key.by_hand}
    assert kept == set(KeyName)


def test_every_key_resource_of_the_largest_stage_is_in_the_catalogue() -> None:
    config = configured(STAGE)
    known = {resource_of(config, key).current for key in KeyName} | {str(name) for name in GeneratedSecret}
    found = {each.name for each in registered().values() if each.type in TOLD_BY}
    assert found <= known
