"""The fixtures of a rehearsal, found by pytest wherever `rehearsal` is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rehearsal.testing import Rehearse, Stack
    from rehearsal.toolchain import Toolchain


@pytest.fixture(scope="session")
def rehearsal_engine() -> Toolchain:
    """The Pulumi engine: the one on PATH, or the one that was built for this user.

    It is not built here, as that takes minutes: the test fails and says how.
    """
    from rehearsal.toolchain import cache, find_engine, pins

    found = find_engine()
    if found is None:
        pytest.fail(
            f"no Pulumi engine: none of at least {pins.ENGINE_VERSION} with its Python language host is on PATH, and "
            f"none was built in {cache.cache_root()}.\n  what to do: install Pulumi, or build its engine once: "
            "python -m rehearsal.toolchain (3 to 5 minutes)",
            pytrace=False,
        )
    return found


@pytest.fixture
def rehearse(rehearsal_engine: Toolchain, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rehearse]:
    """Make stacks: `rehearse(program, stack=…, config=…, tables=…, judge=…).up()`, see `rehearsal.testing.Stack.of`.

    A relative folder starts at the test's file; without a program it is the nearest folder above that holds a
    `Pulumi.yaml`. Providers and state end with the test.
    """
    from rehearsal.testing import Stack

    here = request.path.parent
    with ExitStack() as stacks:

        def make(program: Path | str | Callable[[], object] | None = None, **settings: Any) -> Stack:
            root = tmp_path / f"rehearsal-{len(list(tmp_path.glob('rehearsal-*'))) + 1}"
            root.mkdir()
            given = _project_above(here) if program is None else program
            placed = given if callable(given) else here / given
            if settings.get("tables") is not None:
                settings["tables"] = here / settings["tables"]
            return stacks.enter_context(Stack.of(placed, toolchain=rehearsal_engine, root=root, **settings))

        yield make


def _project_above(folder: Path) -> Path:
    return next((above for above in (folder, *folder.parents) if (above / "Pulumi.yaml").is_file()), folder)
