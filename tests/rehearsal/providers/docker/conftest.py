"""What the tests of the docker provider share."""

from __future__ import annotations

import pytest

from rehearsal.providers.docker import starting


@pytest.fixture(autouse=True)
def _no_waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine in memory needs no time."""
    if request.node.get_closest_marker("docker") is None:
        for name in ("POLL_SECONDS", "PROBE_SECONDS", "SETTLE_SECONDS"):
            monkeypatch.setattr(starting, name, 0.0)
