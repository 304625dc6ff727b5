"""One key in words: what is in the catalogue, what the plan makes of it, and its age."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dreamseed.catalog.stateful import PASSWORD_TYPE
from dreamseed.config.keys import KeyName
from dreamseed.keys.catalogue import Key, Maker
from dreamseed.keys.resources import KeyResource, resource_of
from dreamseed.keys.standing import in_use_since
from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.stage_plan import StagePlan


def described(name: str, key: Key, plan: StagePlan, state: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Yield the lines about a key of the stage `plan` whose state is `state`."""
    yield f"{name}: {key.what}"
    yield f"  made by: {key.maker}"
    containers = [each.name for each in plan.containers if set(each.secrets) & set(key.secrets)]
    home = "the state, encrypted" if key.maker is Maker.PROGRAM else "the stage files and the state, encrypted"
    inside = [f"files of {', '.join(containers)}"] if containers else []
    yield f"  stands in: {'; '.join([home, *inside, *key.elsewhere])}"
    yield f"  exchanged by: {key.by_hand or _command(name, key)}"
    if containers and not key.by_hand:
        yield f"  replaced, one after the other in each service: {', '.join(containers)}"
    yield f"  meanwhile: {key.meanwhile}"
    yield f"  age: {_age(name, plan, state, now)}"


def _command(name: str, key: Key) -> str:
    return f"dreamseed keys rotate {name}" + (" < FILE" if key.maker is Maker.PERSON else "")


def _age(name: str, plan: StagePlan, state: Mapping[str, Any], now: datetime) -> str:
    key = KeyName(name) if name in list(KeyName) else None
    if key is None and name not in list(GeneratedSecret):
        return "not in the state"
    resource = resource_of(plan.config, key) if key else KeyResource(PASSWORD_TYPE, name, None, in_place=False)
    since = in_use_since(state, resource)
    if since is None:
        return "not at this stage"
    exchange = plan.config.keys.get(key) if key else None
    going_on = "; an exchange is not over: run the command again" if exchange and exchange.with_previous else ""
    generation = exchange.generation if exchange else 1
    return f"{(now - since).days} days, since {since:%Y-%m-%d}, generation {generation}{going_on}"
