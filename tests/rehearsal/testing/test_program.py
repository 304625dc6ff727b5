from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.testing import Program, ProgramError
from tests.rehearsal.testing.installed import PROJECT

SHOP = PROJECT / "examples" / "shop"


def a_program() -> None:
    """Stands for a program that is a function."""


def test_a_folder_is_a_program_with_its_name_and_its_tables(tmp_path: Path) -> None:
    assert Program.of(SHOP, tmp_path) == Program(SHOP, "shop", SHOP / "tables")


def test_a_function_of_a_module_becomes_a_project_that_runs_it(tmp_path: Path) -> None:
    program = Program.of(a_program, tmp_path / "made")
    assert (program.name, program.tables) == ("a-program", None)
    assert f"{Path(__file__)}" in (program.directory / "__main__.py").read_text(encoding="utf-8")


def test_settings_are_the_stacks_file_with_what_is_given_over_it() -> None:
    program = Program(SHOP, "shop", None)
    settings = program.settings("small", {"servers": 2, "hcloud:token": "x"}, salt="v1:salt")
    assert settings["config"] == {
        "shop:servers": 2,
        "shop:image": "debian-12",
        "shop:gigabytes": 10,
        "hcloud:token": "x",
    }
    assert settings["encryptionsalt"] == "v1:salt"
    assert program.settings(None, {}, salt="") == {"config": {}}


def test_the_salt_of_a_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:mine\n", encoding="utf-8")
    assert Program(tmp_path, "shop", None).settings("dev", {}, salt="v1:other")["encryptionsalt"] == "v1:mine"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, r"holds no Pulumi\.yaml: name a Pulumi project's folder"),
        ({"Pulumi.yaml": "runtime: python\n"}, r"Pulumi\.yaml › name is missing: add the project's name"),
        ({"Pulumi.yaml": "- a\n"}, r"Pulumi\.yaml is a YAML list: write keys and values"),
        ({"Pulumi.yaml": "name: [\n"}, r"Pulumi\.yaml is no YAML"),
    ],
)
def test_a_folder_that_is_no_project_is_refused_with_the_remedy(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ProgramError, match=words):
        Program.of(tmp_path, tmp_path / "scratch")


def test_a_function_inside_another_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match=r"no function of a module: .* write it at the top level of a file"):
        Program.of(lambda: None, tmp_path)


def test_a_stack_without_a_file_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ProgramError, match=r"no settings of the stack prod: there are large, small"):
        Program(SHOP, "shop", None).settings("prod", {}, "")
