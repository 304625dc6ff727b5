"""The cache's clients: keys of their own, without expiry, over the whole cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from localtier.load.client import Acknowledged, Client, Reader, kind_of
from localtier.load.content import text_of
from localtier.load.ledger import Outcome
from localtier.load.targets import LOOPBACK, RedisTarget

SLOTS = 16_384
"""Source: Redis cluster specification."""
LANES = 6
"""A client for each sixth of the slots: one that waits for a lost master does not hold up the other slots."""
ANSWER_SECONDS = 2.0
RETRIES = 3
PAGE_KEYS = 500


def to_loopback(address: tuple[str, int]) -> tuple[str, int]:
    """Return where a node is reached: the sidecar listens on the very port that the node announces."""
    return LOOPBACK, address[1]


def stored_key(series: str, key: str) -> str:
    """Return the key as it is stored."""
    return f"load:{series}:{key}"


def lane_of(series: str, key: str) -> int:
    """Return which of the `LANES` a key's slot belongs to."""
    return key_slot(stored_key(series, key).encode()) * LANES // SLOTS


class Cache:
    """A cluster client that is made when it is needed and made anew after an error of the cluster.

    `target` and `password` may change: the next client that is made goes by what they then say.
    """

    def __init__(self, target: RedisTarget, password: str) -> None:
        self.target = target
        self.password = password
        self._client: RedisCluster | None = None

    def _connected(self) -> RedisCluster:
        if self._client is None:
            self._client = RedisCluster(
                startup_nodes=[
                    ClusterNode(LOOPBACK, port)  # type: ignore[no-untyped-call]
                    for port in self.target.ports
                ],
                password=self.password,
                address_remap=to_loopback,
                require_full_coverage=False,
                retry=Retry(NoBackoff(), RETRIES),
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                decode_responses=True,
                protocol=2,
            )
        return self._client

    def set(self, key: str, text: str) -> bool:
        """Store a text. Raises OSError where nobody acknowledges it."""
        return bool(self._asked("set", key, text))

    def get(self, keys: Sequence[str]) -> list[str | None]:
        """Return the texts of keys, null for what is not there. Raises OSError."""
        found: list[str | None] = self._asked("mget_nonatomic", keys)
        return found

    def _asked(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._connected(), method)(*arguments)
        except (RedisError, RedisClusterException, OSError) as error:
            self.drop()
            raise ConnectionError(str(error)) from error

    def drop(self) -> None:
        """Close the connections."""
        if self._client is not None:
            with suppress(RedisError, RedisClusterException, OSError):
                self._client.close()
            self._client = None


class RedisWriter(Client):
    """Sets a key a step, all of one lane."""

    def __init__(
        self, folder: Path, per_second: float, series: str, cache: Cache, written: Acknowledged, lane: int
    ) -> None:
        self.name = f"redis-{lane + 1}"
        super().__init__(folder, per_second)
        self._series = series
        self._cache = cache
        self._written = written
        self._lane = lane
        self._keys = (str(n) for n in self.ledger.new_keys() if lane_of(series, str(n)) == lane)

    def step(self) -> None:
        """Set the next key."""
        key = next(self._keys)
        began = time.monotonic()
        lane = str(self._lane + 1)
        try:
            done = self._cache.set(stored_key(self._series, key), text_of(self._series, key))
        except OSError as error:
            self.ledger.write(Outcome.IN_DOUBT, key=key, error=kind_of(error), lane=lane)
            return
        if not done:
            self.ledger.write(Outcome.IN_DOUBT, key=key, error="not acknowledged", lane=lane)
            return
        self.ledger.write(Outcome.OK, key=key, seconds=round(time.monotonic() - began, 4), lane=lane)
        self._written.add(key)

    def close(self) -> None:
        """Close the connections."""
        self._cache.drop()


class RedisReader(Reader):
    """Reads a key back a step."""

    name = "redis-reader"

    def __init__(self, folder: Path, per_second: float, series: str, cache: Cache, written: Acknowledged) -> None:
        super().__init__(folder, per_second, written)
        self._series = series
        self._cache = cache

    def is_whole(self, key: str) -> bool:
        """Tell whether the key is there as it was written."""
        return self._cache.get([stored_key(self._series, key)]) == [text_of(self._series, key)]

    def close(self) -> None:
        """Close the connections."""
        self._cache.drop()


def found_keys(cache: Cache, series: str, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return those of `keys` that are there, with their texts. Raises OSError."""
    for begin in range(0, len(keys), PAGE_KEYS):
        page = keys[begin : begin + PAGE_KEYS]
        texts = cache.get([stored_key(series, key) for key in page])
        yield from ((key, text) for key, text in zip(page, texts, strict=True) if text is not None)
