"""One request as the engine sees it, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

BLOCK_TOKENS = 16


class FinishReason(StrEnum):
    """Why a request ended, in vLLM's words (vLLM 0.31.0, v1/engine/__init__.py)."""

    STOP = "stop"
    LENGTH = "length"
    ABORT = "abort"
    ERROR = "error"
    REPETITION = "repetition"


@dataclass(kw_only=True, eq=False)
class Sequence:
    """A request of `prompt_tokens` that is answered with `answer_tokens`; times are seconds of the engine's clock.

    `ends_with` is why it ends when the last token is written. The lower fields are the engine's own account of it.
    """

    name: str
    prompt_tokens: int
    answer_tokens: int
    ends_with: FinishReason = FinishReason.LENGTH

    arrived_at: float = 0.0
    scheduled_at: float | None = None
    first_token_at: float | None = None
    last_token_at: float | None = None
    preemptions: int = 0
    finished: FinishReason | None = None

    written_tokens: int = field(default=0, repr=False)
    """Tokens of the answer, without those of the present run of decoding."""
    computed_tokens: int = field(default=0, repr=False)
    """Tokens whose keys and values are in the cache, without those of the present run of decoding."""
    decoding: bool = field(default=False, repr=False)
    """Whether it writes a token in every step; before, its prompt is read or it waits."""
    decoding_since: int = field(default=0, repr=False)
    """The engine's count of steps when the present run of decoding began."""

    @property
    def tokens_to_read(self) -> int:
        """Return how many tokens must be computed before the next one is written: again all, after a preemption."""
        return self.prompt_tokens + self.written_tokens

    @property
    def longest_context_tokens(self) -> int:
        """Return how many tokens the cache holds at most for it: the last token written is never computed."""
        return self.prompt_tokens + self.answer_tokens - 1


def blocks_of(tokens: int) -> int:
    """Return how many blocks of the cache hold `tokens`."""
    return -(-tokens // BLOCK_TOKENS)
