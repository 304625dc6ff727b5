from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from dreamseed.catalog.lookups import ID, LOOKUPS, PLACE, filled
from dreamseed.catalog.stateful import STATEFUL_TYPES
from dreamseed.config import STAGE_NAMES
from rehearsal.providers.cloud.fake_cloud import RULES
from rehearsal.providers.cloud.identity import is_drawn, is_made_again
from tests.program import record

SAYS = re.compile(r"\$ pulumi import \S+ \S+ (.+)")
# One place stands for a choice of two, which the table makes.
CHOICE = "<{accounts|zones}/{account_id|zone_id}>"


def declared() -> set[str]:
    return {resource.type for stage in STAGE_NAMES for resource in record(stage)}


def test_every_type_of_the_stages_whose_id_no_name_tells_can_be_looked_up() -> None:
    drawn = {token for token in declared() if token in RULES and is_drawn(token) and not is_made_again(token)}
    local = {token for token in declared() if token in RULES and RULES[token].local}
    dynamic = {token for token in declared() if token.startswith("pulumi-python:")}
    assert drawn | local | dynamic == LOOKUPS.keys()


def test_every_stateful_type_is_found_by_its_name_or_by_a_line() -> None:
    assert [t for t in STATEFUL_TYPES if t not in LOOKUPS and (t not in RULES or is_drawn(t))] == []


def documented(token: str) -> list[str]:
    """What an import of a type takes, as the SDK says."""
    package, module, name = token.split(":")[0], token.split(":")[1].split("/")[0], token.rpartition(":")[2]
    spec = importlib.util.find_spec(f"pulumi_{package}")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent if module == "index" else Path(spec.origin).parent / module
    file = folder / f"{re.sub('(?<!^)(?=[A-Z])', '_', name).lower()}.py"
    return [form.strip(" '") for form in SAYS.findall(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("token", [token for token in LOOKUPS if token.startswith("cloudflare:")])
def test_an_import_of_cloudflare_s_takes_what_the_sdk_says(token: str) -> None:
    form = LOOKUPS[token].form.replace("accounts/<accountId>", CHOICE).replace("zones/<zoneId>", CHOICE)
    parts = [part if part == CHOICE else "<>" for part in re.findall(r"<\{.*?\}>|<[^<>]*>", form)]
    said = documented(token)
    assert said
    for one in said:
        assert [part if part == CHOICE else "<>" for part in re.findall(r"<\{.*?\}>|<[^<>]*>", one)] == parts


@pytest.mark.parametrize("token", [token for token in LOOKUPS if token.startswith("gcp:")])
def test_an_import_of_google_s_takes_the_name_that_gcloud_prints(token: str) -> None:
    said = documented(token)
    assert bool(LOOKUPS[token].made_anew) == (not said)
    assert LOOKUPS[token].form == f"<{ID}>"


def test_a_line_is_whole_or_not_there() -> None:
    line = LOOKUPS["docker:index/container:Container"].how
    assert filled(line, {"host": "ssh://a@b", "name": "redis-1"}) == (
        "docker -H ssh://a@b container inspect --format '{{.Id}}' redis-1"
    )
    assert filled(line, {"name": "redis-1"}) is None
    assert PLACE.findall(line) == ["host", "name"]
