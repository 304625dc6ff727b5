from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dreamseed.config.keys import Exchange, KeyName
from dreamseed.keys.declaration import DeclarationError, declare
from tests.program import PROJECT

SWITCH = Exchange(generation=2, with_previous=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text((PROJECT / "Pulumi.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def text(project: Path) -> str:
    return (project / "Pulumi.yaml").read_text(encoding="utf-8")


def test_one_line_is_written_and_every_other_stays_as_it_was(project: Path) -> None:
    before = text(project).splitlines()
    declare(project, KeyName.REDIS, SWITCH)
    after = text(project).splitlines()
    new = [line for line in after if line not in before]
    assert new == ["      keys:", "        redis: {generation: 2, with_previous: true}"]
    assert [line for line in after if line not in new] == before


def test_a_line_is_replaced_and_those_of_other_keys_stay(project: Path) -> None:
    declare(project, KeyName.TUNNEL, Exchange(generation=3))
    declare(project, KeyName.REDIS, SWITCH)
    once = text(project)
    declare(project, KeyName.REDIS, SWITCH)
    assert text(project) == once
    declare(project, KeyName.REDIS, Exchange(generation=2))
    keys = yaml.safe_load(text(project))["config"]["dreamseed:shared"]["value"]["keys"]
    assert keys == {"redis": {"generation": 2}, "tunnel": {"generation": 3}}
    assert list(project.iterdir()) == [project / "Pulumi.yaml"]


def test_a_moment_stays_a_text(project: Path) -> None:
    declare(project, KeyName.SERVICE_TOKEN, Exchange(generation=2, previous_until="2027-01-31T09:00:00Z"))
    assert "service-token: {generation: 2, previous_until: '2027-01-31T09:00:00Z'}\n" in text(project)


def test_a_file_written_in_another_way_is_left_alone_and_the_line_is_told(project: Path) -> None:
    document = yaml.safe_load(text(project))
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(document, default_flow_style=True), encoding="utf-8")
    before = text(project)
    with pytest.raises(DeclarationError, match=r"keys: \{redis: \{generation: 2, with_previous: true\}\}"):
        declare(project, KeyName.REDIS, SWITCH)
    assert text(project) == before
