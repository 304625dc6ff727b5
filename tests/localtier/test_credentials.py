from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from docker.errors import NotFound

from dreamseed.planning.container import File, secret
from localtier.credentials import extract, read_file


def test_secrets_are_found_where_the_file_has_their_markers() -> None:
    file = File(path="/x", text=f"id={secret('key-id')}\nkey={secret('key')}\nagain={secret('key')}\n")
    assert extract(file, "id=0001\nkey=a/b+c=\nagain=a/b+c=\n") == {"key-id": "0001", "key": "a/b+c="}


@pytest.mark.parametrize(
    "content", ["id=0001\nkey=a\nagain=b\n", "id=0001\n", "other"], ids=["two values of one", "cut off", "another file"]
)
def test_a_text_that_is_not_the_file_gives_no_secret(content: str) -> None:
    file = File(path="/x", text=f"id={secret('key-id')}\nkey={secret('key')}\nagain={secret('key')}\n")
    assert extract(file, content) == {}


def test_special_characters_around_a_marker_are_plain_text() -> None:
    file = File(path="/x", text=f'"(app)" "{secret("password")}"\n')
    assert extract(file, '"(app)" "se.cret*"\n') == {"password": "se.cret*"}


class _Engine:
    """An engine with one container that holds one file."""

    def __init__(self, content: bytes) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo("secret")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        self._archive = buffer.getvalue()
        self.containers = self

    def get(self, name: str) -> Any:
        if name != "tunnel-1":
            raise NotFound(f"no such container: {name}")
        return self

    def get_archive(self, path: str) -> tuple[list[bytes], dict[str, str]]:
        half = len(self._archive) // 2
        return [self._archive[:half], self._archive[half:]], {}


def test_a_container_s_file_is_read_from_the_engine_s_archive() -> None:
    engine: Any = _Engine("geheim-é".encode())
    assert read_file(engine, "tunnel-1", "/run/secrets/tunnel-token") == "geheim-é"


def test_a_container_that_is_not_there_holds_nothing() -> None:
    engine: Any = _Engine(b"x")
    assert read_file(engine, "tunnel-2", "/run/secrets/tunnel-token") is None
