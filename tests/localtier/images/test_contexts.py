import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localtier.images import contexts
from localtier.images.__main__ import main, own_context
from localtier.images.contexts import Context, content_digest, packed, tree
from localtier.images.recipes import RECIPES, Recipe
from localtier.images.sources import files_of

BASES = {"BASE": "one"}
RECIPE = RECIPES["haproxy"]
REFERENCES = ("haproxy:3@sha256:1",)


def _digest(recipe: Recipe = RECIPE, references: tuple[str, ...] = REFERENCES, base: str = "one") -> str:
    return content_digest(recipe, references, {"BASE": base}, b"authority")


@pytest.mark.parametrize(
    "other",
    [
        lambda: _digest(references=("haproxy:3@sha256:2",)),
        lambda: _digest(base="two"),
        lambda: _digest(replace(RECIPE, what="something else")),
        lambda: _digest(replace(RECIPE, binaries=("etcd",))),
        lambda: content_digest(RECIPE, REFERENCES, BASES, b"another authority"),
        lambda: _digest(RECIPES["redis"]),
    ],
)
def test_whatever_decides_an_image_decides_its_digest(other: Callable[[], str]) -> None:
    assert _digest() == _digest()
    assert other() != _digest()


@pytest.mark.parametrize("change", ["content", "mode", "new file"])
def test_a_change_in_the_folder_changes_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr("localtier.images.recipes.FOLDER", tmp_path)
    folder = tmp_path / RECIPE.folder
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n", encoding="utf-8")
    before = _digest()
    if change == "content":
        (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nUSER 1\n", encoding="utf-8")
    elif change == "mode":
        (folder / "Dockerfile").chmod(0o755)
    else:
        (folder / "more").write_text("", encoding="utf-8")
    assert _digest() != before


def test_the_same_files_are_packed_the_same_without_times_and_owners(tmp_path: Path) -> None:
    program = tmp_path / "etcd"
    program.write_bytes(b"program")
    context = Context(files={"b": (b"2", 0o644), "a": (b"1", 0o755)}, programs={"bin/etcd": program})
    first = packed(context).getvalue()
    assert first == packed(context).getvalue()
    with tarfile.open(fileobj=packed(context)) as archive:
        members = archive.getmembers()
    assert [(member.name, member.mode, member.mtime, member.uid) for member in members] == [
        ("a", 0o755, 0, 0),
        ("b", 0o644, 0, 0),
        ("bin/etcd", 0o755, 0, 0),
    ]


def test_the_engine_without_a_model_gets_what_it_imports_and_nothing_else() -> None:
    files = set(tree(RECIPES["vllm"]))
    assert {"source/simulator/vllm.py", "source/dreamseed/planning/gpu/roofline.py", "requirements.lock"} <= files
    assert not any(path.startswith(("source/dreamseed/cost/", "source/localtier/")) for path in files)


def test_imports_are_followed_into_functions_packages_and_modules_taken_from_packages(tmp_path: Path) -> None:
    texts = {
        "app/__init__.py": "",
        "app/main.py": "import json\nfrom app.parts import one\ndef late():\n    import app.late.two\n",
        "app/parts/__init__.py": "from app.base import Base\n",
        "app/parts/one.py": "from app import main\n",
        "app/late/__init__.py": "",
        "app/late/two.py": "",
        "app/base.py": "",
        "app/unused.py": "",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    found = {path.relative_to(tmp_path).as_posix() for path in files_of("app.main", tmp_path)}
    assert found == set(texts) - {"app/unused.py"}


def test_what_the_image_says_of_itself_names_what_it_stands_for() -> None:
    text = contexts.stand_in_text(RECIPE, REFERENCES)
    assert "stand-in" in text
    assert REFERENCES[0] in text
    assert RECIPE.what in text


def test_the_owners_build_the_autoscaler_from_what_is_built_here_and_from_nothing_of_this_machine() -> None:
    with tarfile.open(fileobj=io.BytesIO(own_context("autoscaler"))) as archive:
        names = set(archive.getnames())
    assert names == set(tree(RECIPES["autoscaler"]))
    assert {"Dockerfile", "requirements.lock", "source/autoscaler/__main__.py", "source/autoscaler/google.py"} <= names
    assert not [name for name in names if name.startswith(("source/dreamseed/", "source/simulator/"))]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["context", "vllm"], "vllm is no image that the owners build from here"),
        (["context"], "there is no command context"),
        (["bild"], "there is no command bild"),
    ],
)
def test_what_is_no_context_of_the_owners_is_refused_with_what_there_is(
    capfd: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    assert main(words) == 2
    out, told = capfd.readouterr()
    assert not out
    assert fault in " ".join(told.split())
