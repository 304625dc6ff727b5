"""What the clients write, and the comparison of what was acknowledged with what is there."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass

EXAMPLES = 5


def text_of(series: str, key: str) -> str:
    """Return the content that belongs to a key: nobody has to remember it, and no other key has it."""
    return hashlib.sha256(f"{series}/{key}".encode()).hexdigest()


def checksum(text: str) -> str:
    """Return what is stored beside a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How what is there differs from what was acknowledged; `examples` are keys of faults.

    `unacknowledged` are there without an acknowledgement, which is no fault: an answer was lost on its way. Nor are the
    `repeated`: there twice, and sent again by a client that promises no more than at least once.
    """

    acknowledged: int
    missing: int
    duplicated: int
    corrupted: int
    unacknowledged: int
    examples: tuple[str, ...]
    repeated: int = 0

    @property
    def sound(self) -> bool:
        """Tell whether everything acknowledged is there once, as it was written."""
        return not (self.missing or self.duplicated or self.corrupted)

    @property
    def words(self) -> str:
        """Return the faults in a line."""
        counts = f"{self.missing} missing, {self.duplicated} twice, {self.corrupted} changed"
        return f"of {self.acknowledged} acknowledged, {counts}: {', '.join(self.examples)}"


def compare(
    series: str, acknowledged: Iterable[str], found: Iterable[tuple[str, str]], sent_again: Container[str] = ()
) -> Verdict:
    """Return how `found` (key and text, in any order, repeated where it is there twice) differs.

    Only what is in `sent_again` may be there twice.
    """
    expected = set(acknowledged)
    times: Counter[str] = Counter()
    corrupted: set[str] = set()
    for key, text in found:
        times[key] += 1
        if text != text_of(series, key):
            corrupted.add(key)
    missing = sorted(expected - set(times))
    twice = sorted(key for key, count in times.items() if count > 1)
    duplicated = [key for key in twice if key not in sent_again]
    return Verdict(
        acknowledged=len(expected),
        missing=len(missing),
        duplicated=len(duplicated),
        corrupted=len(corrupted),
        unacknowledged=len(set(times) - expected),
        examples=tuple([*missing, *duplicated, *sorted(corrupted)][:EXAMPLES]),
        repeated=len(twice) - len(duplicated),
    )
