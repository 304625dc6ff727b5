from __future__ import annotations

import pytest

from dreamseed.catalog.stateful import PASSWORD_TYPE, VOLUME_TYPE
from dreamseed.commands.rehearse import traits
from dreamseed.keys.judging import faults
from dreamseed.keys.persons import SecretError, given
from dreamseed.keys.resources import B2_KEY, SERVICE_TOKEN, KeyResource
from rehearsal.runner.events import Change
from rehearsal.runner.resources import Action, Resource

REDIS = KeyResource(PASSWORD_TYPE, "redis-2", "redis", in_place=False)
CONTENT = KeyResource(B2_KEY, "content-2", "content", in_place=False)
TOKEN = KeyResource(SERVICE_TOKEN, "api", None, in_place=True)


def change(action: Action, token: str, name: str, *, protected: bool = False) -> Change:
    inputs = {"labels": [{"label": "kind", "value": "data"}]} if token == VOLUME_TYPE else {}
    return Change(Resource(f"urn:pulumi:s::p::{token}::{name}", token, (), inputs, protected), action, ())


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        (REDIS, [change(Action.CREATE, PASSWORD_TYPE, "redis-2", protected=True)]),
        (REDIS, [change(Action.DELETE, PASSWORD_TYPE, "redis")]),
        (REDIS, [change(Action.REPLACE, "docker:index/container:Container", "redis-1")]),
        (CONTENT, [change(Action.CREATE, B2_KEY, "content-2"), change(Action.DELETE, B2_KEY, "content")]),
        (TOKEN, [change(Action.UPDATE, SERVICE_TOKEN, "api", protected=True)]),
        (None, [change(Action.UPDATE, VOLUME_TYPE, "data", protected=True)]),
    ],
)
def test_what_belongs_to_the_exchange_passes(key: KeyResource | None, changes: list[Change]) -> None:
    assert list(faults(changes, key, traits)) == []


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (REDIS, change(Action.DELETE, PASSWORD_TYPE, "redis-2")),
        (REDIS, change(Action.REPLACE, PASSWORD_TYPE, "redis")),
        (REDIS, change(Action.CREATE, PASSWORD_TYPE, "tunnel-2", protected=True)),
        (REDIS, change(Action.DELETE, PASSWORD_TYPE, "tunnel")),
        (REDIS, change(Action.CREATE, B2_KEY, "redis-2")),
        (TOKEN, change(Action.REPLACE, SERVICE_TOKEN, "api", protected=True)),
        (None, change(Action.CREATE, PASSWORD_TYPE, "redis-2", protected=True)),
        (REDIS, change(Action.REPLACE, VOLUME_TYPE, "redis-data")),
        (REDIS, change(Action.DELETE, "gcp:storage/bucket:Bucket", "state")),
        (REDIS, change(Action.DELETE, PASSWORD_TYPE, "redis", protected=True)),
    ],
)
def test_what_does_not_is_told(key: KeyResource | None, wrong: Change) -> None:
    own = change(Action.CREATE, PASSWORD_TYPE, "redis-2", protected=True)
    [told] = list(faults([own, wrong] if key is REDIS else [wrong], key, traits))
    assert told.endswith(f"{wrong.action} {wrong.resource.urn}")


@pytest.mark.parametrize("text", ["", "\n", " x\n", "x \n", "a\nb\n"])
def test_what_is_no_secret_is_refused_before_anything_is_written(text: str) -> None:
    with pytest.raises(SecretError, match="the new alert-chat"):
        given(text, "alert-chat")


def test_a_secret_is_taken_without_the_end_of_its_line() -> None:
    assert given("hunter2\r\n", "alert-chat") == "hunter2"
