from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from dreamseed.catalog.images import IMAGES
from dreamseed.cli import build
from dreamseed.config import STAGE_NAMES
from dreamseed.sbom.document import document, purl
from dreamseed.sbom.parts import GO_MODULES, OWN_IMAGES, PYTHON_LOCKS, Kind, Part, SbomError, _debian, parts
from tests.program import PROJECT, record

IMAGE = re.compile(r"([^\s\"']+?)(?::[\w.-]+)?@sha256:([0-9a-f]{64})")


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(document(parts(PROJECT)))
    return made


def of(bom: dict[str, Any], prefix: str) -> set[tuple[str, str]]:
    return {(c["name"], c["version"]) for c in bom["components"] if c["purl"].startswith(f"pkg:{prefix}/")}


def test_every_locked_package_is_in_it_and_none_else(bom: dict[str, Any]) -> None:
    locked = {
        (name.partition("[")[0], version)
        for place in PYTHON_LOCKS
        for line in (PROJECT / place).read_text(encoding="utf-8").splitlines()
        if not line.startswith((" ", "#")) and "==" in line
        for name, version in [line.split()[0].rstrip("\\").split("==")]
    }
    assert of(bom, "pypi") == locked
    assert len(locked) > 100


def test_every_lock_file_of_what_is_deployed_is_read() -> None:
    hashed = {path for path in PROJECT.rglob("*.lock") if ".venv" not in path.parts and "--hash=" in path.read_text()}
    assert {str(path.relative_to(PROJECT)) for path in hashed} == set(PYTHON_LOCKS)


def test_every_image_that_a_stage_declares_is_in_it_and_none_but_the_catalogue_s(bom: dict[str, Any]) -> None:
    declared = {
        (name, f"sha256:{digest}")
        for stage in STAGE_NAMES
        for resource in record(stage)
        for name, digest in IMAGE.findall(json.dumps(resource.inputs, default=str))
    }
    catalogue = {(image.repository, f"sha256:{image.digest}") for image in IMAGES.values() if image.digest}
    listed = of(bom, "oci")
    assert declared <= listed
    assert len(declared) > 10
    own = {name for name, _ in listed if "/dreamseed/" in name}
    assert {name.rpartition("/")[2] for name in own} == {
        "api",
        "autoscaler",
        "cost-exporter",
        "packet-filter",
        "postgres",
        "tunnel-client",
        "wireguard",
    }
    assert {(name, version) for name, version in listed if name not in own} == catalogue


def test_every_module_of_the_engine_s_build_is_in_it(bom: dict[str, Any]) -> None:
    for folder in GO_MODULES:
        module = (PROJECT / folder / "go.mod").read_text(encoding="utf-8")
        required = re.findall(r"^\t(\S+) (v\S+)", module, re.MULTILINE)
        replaced = set(re.findall(r"^replace (\S+) =>", module, re.MULTILINE))
        assert len(required) > 20
        assert {pair for pair in required if pair[0] not in replaced} <= of(bom, "golang")


def test_what_our_images_take_from_debian_is_named_and_said_not_to_be_pinned(bom: dict[str, Any]) -> None:
    found = {c["name"]: c for c in bom["components"] if c["purl"].startswith("pkg:deb/debian/")}
    of_image = {
        "packet-filter": {"nftables"},
        "postgres": {"ca-certificates", "curl", "pgbackrest", "python3", "rclone"},  # not what only builds it
        "wireguard": {"iproute2", "nftables", "wireguard-go", "wireguard-tools"},
    }
    assert set(found) == set().union(*of_image.values())
    for name in found:
        assert "version" not in found[name]
        assert found[name]["properties"] == [
            {"name": "dreamseed:named-not-pinned-in", "value": f"images/{image}/Dockerfile"}
            for image, names in of_image.items()
            if name in names
        ]


def test_every_image_of_ours_is_read_and_a_version_that_is_pinned_is_told(tmp_path: Path) -> None:
    folders = {path.parent.name for path in (PROJECT / "images").glob("*/Dockerfile")}
    assert folders == set(OWN_IMAGES)
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "images", project / "images")
    text = (project / "images/tunnel-client/Dockerfile").read_text(encoding="utf-8")
    more = f"{text}RUN apt-get update && apt-get install -y --no-install-recommends \\\n  curl=8.14.1-2 tini && true\n"
    (project / "images/tunnel-client/Dockerfile").write_text(more, encoding="utf-8")
    named = {(part.name, part.version): part.pinned_in for part in _debian(project)}
    assert named["curl", "8.14.1-2"] == named["tini", ""] == ("images/tunnel-client/Dockerfile",)
    assert named["curl", ""] == ("images/postgres/Dockerfile",)
    assert ("true", "") not in named


def test_each_other_part_has_a_hash_and_a_place_of_its_own(bom: dict[str, Any]) -> None:
    pinned = [c for c in bom["components"] if not c["purl"].startswith("pkg:deb/")]
    assert all(c.get("hashes") or any(p["name"] == "golang:sum" for p in c["properties"]) for c in pinned)
    assert all(any(p["name"] == "dreamseed:pinned-in" for p in c["properties"]) for c in pinned)
    assert len({c["bom-ref"] for c in bom["components"]}) == len(bom["components"])


def test_it_is_what_the_published_schema_asks_for(bom: dict[str, Any]) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bom)) is None
    bom = {**bom, "components": [{"name": "no type"}]}
    assert validator.validate_str(json.dumps(bom)) is not None


def test_the_same_pins_give_the_same_text_and_others_another() -> None:
    one = Part(kind=Kind.PYTHON, name="rich", version="15.0.0", pinned_in=("requirements.lock",), sha256=("a" * 64,))
    assert document([one]) == document([one])
    assert json.loads(document([one]))["serialNumber"] != json.loads(document([]))["serialNumber"]


@pytest.mark.parametrize(
    ("part", "url"),
    [
        (Part(kind=Kind.PYTHON, name="rich", version="1", pinned_in=()), "pkg:pypi/rich@1"),
        (Part(kind=Kind.GO, name="cel.dev/expr", version="v1", pinned_in=()), "pkg:golang/cel.dev/expr@v1"),
        (
            Part(kind=Kind.IMAGE, name="apache/kafka", version="sha256:ab", pinned_in=()),
            "pkg:oci/kafka@sha256:ab?repository_url=apache/kafka",
        ),
    ],
)
def test_a_part_has_a_package_url(part: Part, url: str) -> None:
    assert purl(part).to_string().replace("%3A", ":").replace("%2F", "/") == url


@pytest.mark.parametrize(("lock", "why"), [("# nothing\n", "pins no package"), ("rich==15.0.0\n", "has no hash")])
def test_a_lock_that_says_nothing_is_refused(tmp_path: Path, lock: str, why: str) -> None:
    (tmp_path / PYTHON_LOCKS[0]).write_text(lock, encoding="utf-8")
    with pytest.raises(SbomError, match=why):
        parts(tmp_path)


def test_the_command_writes_it(tmp_path: Path, bom: dict[str, Any]) -> None:
    file = tmp_path / "sbom.json"
    result = CliRunner().invoke(build(["sbom"]), ["sbom", "--output", str(file)])
    assert result.exit_code == 0
    assert json.loads(file.read_text(encoding="utf-8")) == bom
    assert f"{len(bom['components'])} parts" in result.output.replace("\n", " ")
