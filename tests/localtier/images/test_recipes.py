import re
from pathlib import Path

import pytest

from dreamseed.catalog.images import IMAGES, reference_of
from localtier.images import ImageError, local_tag, recipe_of
from localtier.images.__main__ import needed_references
from localtier.images.binaries import BINARIES, MODULES
from localtier.images.recipes import FOLDER, RECIPES, Extra, Recipe, in_build_order

PROJECT = Path(__file__).parents[3]
OWN = "registry.example/dreamseed/postgres@sha256:" + "a" * 64
STAND_INS = (PROJECT / "docs" / "reference" / "stand-ins.md").read_text(encoding="utf-8")


def _arguments(recipe: Recipe) -> set[str]:
    text = (recipe.path / "Dockerfile").read_text(encoding="utf-8")
    return set(re.findall(r"^ARG (\w+)", text, flags=re.MULTILINE))


def test_every_image_that_a_stage_runs_here_has_a_recipe() -> None:
    keys = {recipe_of(reference).key for reference in needed_references(PROJECT)}
    assert {"vllm", "postgres", "redis", "kafka", "etcd", "haproxy", "cloudflared"} <= keys


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.key)
def test_a_recipe_gives_its_dockerfile_exactly_the_arguments_that_it_asks_for(recipe: Recipe) -> None:
    given = set(recipe.bases) | ({"ROOT"} if Extra.ROOT in recipe.extras else set())
    assert _arguments(recipe) == given


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.key)
def test_everything_a_recipe_names_is_there(recipe: Recipe) -> None:
    text = (recipe.path / "Dockerfile").read_text(encoding="utf-8")
    assert set(recipe.bases.values()) <= set(RECIPES)
    assert all(f"bin/{name}" in text for name in recipe.binaries)
    assert set(recipe.binaries) <= set(BINARIES)
    assert bool(recipe.module) == ("COPY source/" in text)
    # An image of our own without a module has a lock of its own: the owners build it from its folder alone.
    locked = bool(recipe.packages) or (recipe.path / "requirements.lock").is_file()
    assert locked == ("--require-hashes -r /requirements.lock" in text)


@pytest.mark.parametrize("name", BINARIES)
def test_a_program_has_the_version_that_its_module_requires(name: str) -> None:
    module = (MODULES / BINARIES[name].module / "go.mod").read_text(encoding="utf-8")
    version = BINARIES[name].version
    # Prometheus' modules say 3.13.1 as v0.313.1.
    major, minor, patch = version.split(".")
    spelled = {f"v{version}", f"v0.{major}{minor}.{patch}"}
    required = dict(re.findall(r"^(?:require |\t)(\S+) (v\S+)", module, flags=re.MULTILINE))
    owner = max((path for path in required if BINARIES[name].package.startswith(path)), key=len)
    assert required[owner] in spelled


def test_programs_that_can_be_had_are_those_of_the_catalogue() -> None:
    same = {"etcd", "prometheus", "node_exporter", "postgres_exporter"}
    assert all(IMAGES[name].tag == f"v{BINARIES[name].version}" for name in same)


def test_bases_come_before_what_is_made_from_them() -> None:
    order = [recipe.key for recipe in in_build_order(["postgres", "vllm"])]
    assert len(order) == len(set(order))
    for key in order:
        assert all(order.index(base) < order.index(key) for base in RECIPES[key].bases.values())


def test_a_reference_keeps_its_tag_and_one_without_a_tag_gets_one_from_its_digest() -> None:
    assert local_tag(reference_of("redis")) == "redis:7.2.16-alpine"
    assert local_tag("localhost:5000/postgres@sha256:" + "ab" * 32) == "localhost:5000/postgres:sha256-abababababab"


def test_the_owners_image_is_found_by_its_repository_whatever_its_digest() -> None:
    repository = IMAGES["postgres"].repository
    assert recipe_of(f"{repository}@sha256:{'1' * 64}").key == "postgres"
    assert recipe_of(f"{repository}:17@sha256:{'2' * 64}").key == "postgres"


def test_a_reference_without_a_recipe_is_refused_with_what_to_do() -> None:
    with pytest.raises(ImageError, match=r"no stand-in is known.*\n.*recipes\.py"):
        recipe_of(OWN)


@pytest.mark.parametrize("key", [key for key, recipe in RECIPES.items() if recipe.catalogued])
def test_the_page_of_stand_ins_tells_of_each(key: str) -> None:
    assert f"| `{key}` |" in STAND_INS


@pytest.mark.parametrize("key", ["redis", "haproxy", "pgbouncer"])
def test_what_stands_for_an_image_without_bash_has_none(key: str) -> None:
    assert "RUN rm /bin/bash" in (RECIPES[key].path / "Dockerfile").read_text(encoding="utf-8")


def test_no_recipe_names_a_package_source() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file() and path.suffix not in {".mod", ".sum", ".xml", ".lock"}:
            assert not re.search(r"https?://", path.read_text(encoding="utf-8")), path
