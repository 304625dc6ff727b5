"""Telling the services outside what the program made up: the tunnel's token, the keys of the object store.

The real ones know these because they made them. Here the containers are asked, as long as the engine runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import DockerException
from requests.exceptions import RequestException

from localtier.outside import Outside

LOOK_SECONDS = 1.0


@contextmanager
def kept_in_step(outside: Outside) -> Iterator[None]:
    """Look for new secrets about once a second until the block ends, and once more then."""
    ending = threading.Event()
    thread = threading.Thread(target=_keep, args=(outside, ending), name="services outside")
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        _look(outside)


def _keep(outside: Outside, ending: threading.Event) -> None:
    while not ending.wait(LOOK_SECONDS):
        _look(outside)


def _look(outside: Outside) -> None:
    """Tell the services what is new; an engine that is being killed or started is asked again next time."""
    try:
        outside.learn()
    except (DockerException, RequestException, OSError):
        return
