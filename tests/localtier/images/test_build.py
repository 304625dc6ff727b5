from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound
from rich.console import Console

from dreamseed.catalog.images import reference_of
from localtier.images import ImageError, LocalImage, build, ensure_images, load_into, transfer
from localtier.images.build import CONTENT_LABEL, STANDS_IN_LABEL

REFERENCE = reference_of("etcd")
QUIET = Console(quiet=True)


class FakeImage:
    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.id = "sha256:1"
        self.attrs = {"Size": 7}


class FakeEngine:
    """Keeps what is built and loaded by tag; `api.build` is its only builder."""

    def __init__(self) -> None:
        self.kept: dict[str, FakeImage] = {}
        self.built: list[str] = []
        self.loaded = 0
        self.images = self
        self.api = self

    def get(self, tag: str) -> FakeImage:
        if tag not in self.kept:
            raise ImageNotFound(tag)
        return self.kept[tag]

    def build(self, *, tag: str, labels: dict[str, str], **_: Any) -> Iterator[dict[str, str]]:
        self.built.append(tag)
        self.kept[tag] = FakeImage(labels)
        yield {"stream": "done"}

    def load(self, stream: Any) -> None:
        self.loaded += 1


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()

    @contextmanager
    def builder(_: Console) -> Iterator[FakeEngine]:
        yield fake

    (tmp_path / "builder").mkdir()
    program = tmp_path / "program"
    program.write_bytes(b"")
    monkeypatch.setattr(build, "builder", builder)
    monkeypatch.setattr(build, "local_cache", lambda: tmp_path)
    monkeypatch.setattr(build, "_authority", lambda: b"authority")
    monkeypatch.setattr(build, "ensure_commands", lambda _: None)
    monkeypatch.setattr(build, "ensure_binary", lambda *_: program)
    monkeypatch.setattr(transfer, "_archive", lambda *_: program)
    return fake


def test_an_image_is_built_once_and_says_what_it_stands_for(engine: FakeEngine) -> None:
    first = ensure_images(QUIET, [REFERENCE])[REFERENCE]
    assert engine.built == [first.tag]
    assert engine.kept[first.tag].labels == {CONTENT_LABEL: first.content, STANDS_IN_LABEL: REFERENCE}
    assert ensure_images(QUIET, [REFERENCE]) == {REFERENCE: first}
    assert engine.built == [first.tag]


def test_an_image_is_built_again_when_its_content_changed(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ensure_images(QUIET, [REFERENCE])[REFERENCE]
    monkeypatch.setattr(build, "content_digest", lambda *_: "changed")
    after = ensure_images(QUIET, [REFERENCE])[REFERENCE]
    assert engine.built == [before.tag, after.tag]
    assert after.content == "changed"


def test_a_build_that_fails_is_told_with_its_last_words_and_is_tried_again(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(**_: Any) -> Iterator[dict[str, str]]:
        yield {"stream": "Step 1"}
        yield {"error": "no such package"}

    good = engine.build
    monkeypatch.setattr(engine, "build", failing)
    with pytest.raises(ImageError, match="no such package"):
        ensure_images(QUIET, [REFERENCE])
    monkeypatch.setattr(engine, "build", good)
    assert isinstance(ensure_images(QUIET, [REFERENCE])[REFERENCE], LocalImage)


def test_an_engine_is_sent_only_what_it_lacks(engine: FakeEngine) -> None:
    target: Any = FakeEngine()
    image = load_into(target, [REFERENCE], QUIET)[REFERENCE]
    assert target.loaded == 1
    target.kept[image.tag] = FakeImage({CONTENT_LABEL: image.content})
    load_into(target, [REFERENCE], QUIET)
    assert target.loaded == 1
    target.kept[image.tag] = FakeImage({CONTENT_LABEL: "older"})
    load_into(target, [REFERENCE], QUIET)
    assert target.loaded == 2
