"""What the simulated model writes: filler that says so, the same for the same prompt, and where it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from simulator.sequence import FinishReason

MARK = ("[simulated", " answer,", " written", " by", " no", " model]")
FILLER = (
    " These words only fill the time that a real answer of this length would take: the queue, the batch and the cache"
    " behind them are computed, the text is not. Do not read it, count it."
)
WORDS = tuple(f" {word}" for word in FILLER.split())
BYTES_PER_TOKEN = 4
"""A rule of thumb for English prose and Llama's tokenizer; no tokenizer is loaded."""
TOKENS_PER_MESSAGE = 5
"""The marks of a chat's turn, [INST] and the like, roughly."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of as many tokens as `ends` has entries: the text has so many characters after each of them."""

    text: str
    ends: tuple[int, ...]
    ends_with: FinishReason
    stop_reason: str | None = None

    @property
    def tokens(self) -> int:
        """Return how many tokens are written."""
        return len(self.ends)

    def between(self, first: int, last: int) -> str:
        """Return the text of the tokens after the `first` up to the `last`, counted from 1."""
        start = self.ends[first - 1] if first else 0
        return self.text[start : self.ends[last - 1]] if last else ""


def prompt_tokens_of(text: str, messages: int = 0) -> int:
    """Return an estimate of the tokens of a prompt: one to begin with, its text, and the marks of its messages."""
    return 1 + -(-len(text.encode()) // BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * messages


def answer_to(
    prompt: str,
    *,
    max_tokens: int,
    average_tokens: int,
    stop: Sequence[str] = (),
    min_tokens: int = 0,
    ignore_eos: bool = False,
) -> Answer:
    """Return the answer to `prompt`, of at most `max_tokens`.

    The model stops by itself after between half and one and a half times `average_tokens`, which of them depends on the
    prompt alone; earlier where a text of `stop` appears, which is then left out, as vLLM does.
    """
    digest = int.from_bytes(hashlib.blake2b(prompt.encode(), digest_size=8).digest(), "big")
    natural = max(1, min_tokens, average_tokens // 2 + digest % (average_tokens + 1))
    length = max_tokens if ignore_eos else min(max_tokens, natural)
    first = digest % len(WORDS)
    pieces = [*MARK, *(WORDS[(first + i) % len(WORDS)] for i in range(length - len(MARK)))][:length]
    text, ends = "".join(pieces), tuple(accumulate(map(len, pieces)))
    found = min(((text.find(word), word) for word in stop if word and word in text), default=None)
    if found is not None:
        place, word = found
        tokens = next(i for i, end in enumerate(ends, start=1) if end >= place + len(word))
        kept = tuple(min(end, place) for end in ends[:tokens])
        return Answer(text=text[:place], ends=kept, ends_with=FinishReason.STOP, stop_reason=word)
    ends_with = FinishReason.STOP if length < max_tokens else FinishReason.LENGTH
    return Answer(text=text, ends=ends, ends_with=ends_with)
