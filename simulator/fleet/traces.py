"""Real traffic: how many requests came in each part of a trace, how long they were, and requests drawn from that.

Inside a part of ten minutes requests come in a Gamma renewal process whose coefficient of variation is the one measured
for the trace (1 is a Poisson process). Lengths are log-normal around the part's mean, cut so that a request fits the
model. Sources, licences and how the files were made: dreamseed/catalog/traces/README.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dreamseed.errors import PlanError
from simulator.fleet.engine import Request

FOLDER = Path(__file__).resolve().parents[2] / "dreamseed" / "catalog" / "traces"
SIGMA = 0.8
"""Of the logarithm of a length: a choice; the files hold sums only."""
LONGEST_ANSWER_SHARE = 0.5
CODE_ANSWER_TOKENS = 28.0
"""Of the week's code trace, whose answers are not published: the mean of the hour's code trace."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file and what is known of it: the variation of arrivals inside a part, and which part of it is played."""

    file: str
    variation: float
    first_day: int = 0
    days: float = 1.0


SOURCES = {
    "conversation-hour": Source(file="azure_llm_2023_conv_10s.csv", variation=1.0),
    "code-hour": Source(file="azure_llm_2023_code_10s.csv", variation=1.0),
    "code-week": Source(file="azure_llm_2024_code_week_600s_from_figure.csv", variation=1.0, days=2),
    "large": Source(file="servegen_m_large_600s.csv", variation=3.4, first_day=7),
    "few-clients": Source(file="servegen_m_large_midclients_600s.csv", variation=3.4, first_day=7),
    "reasoning": Source(file="servegen_deepseek_r1_600s.csv", variation=2.3),
    "images": Source(file="servegen_mm_image_600s.csv", variation=2.2),
}
"""The traces by name. Of those of two weeks the eighth day is played, of the week's the first two."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some seconds of a trace: requests a second, and their mean lengths in tokens."""

    begins_at: float
    seconds: float
    rate: float
    prompt_tokens: float
    answer_tokens: float


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace's parts, one after the other, from second 0."""

    name: str
    variation: float
    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return self.parts[-1].begins_at + self.parts[-1].seconds

    def scaled(self, factor: float) -> Trace:
        """Return the trace with each rate times `factor`: a thinning, or as many independent copies."""
        parts = tuple(
            Part(one.begins_at, one.seconds, one.rate * factor, one.prompt_tokens, one.answer_tokens)
            for one in self.parts
        )
        return Trace(self.name, self.variation, parts)

    def rate_at(self, share: float, seconds: float = 600.0) -> float:
        """Return the rate that `share` of the windows of `seconds` do not pass, in requests a second."""
        width = self.parts[0].seconds
        each = max(1, round(seconds / width))
        rates = [one.rate for one in self.parts]
        windows = [sum(rates[at : at + each]) / each for at in range(0, max(1, len(rates) - each + 1), each)]
        return float(np.quantile(windows, share))


def trace(name: str) -> Trace:
    """Return a trace by its name. Raises `PlanError` naming those there are."""
    source = SOURCES.get(name)
    if source is None:
        raise PlanError("trace", f"there is no trace {name!r}", "each has its own file", f"one of {', '.join(SOURCES)}")
    with (FOLDER / source.file).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    width = float(rows[1]["t_s"]) - float(rows[0]["t_s"])
    begin = source.first_day * 86_400.0
    chosen = [row for row in rows if begin <= float(row["t_s"]) < begin + source.days * 86_400]
    return Trace(name, source.variation, tuple(_parts(chosen, begin, width)))


def _parts(rows: list[dict[str, str]], begin: float, width: float) -> Iterator[Part]:
    prompt, answer = 1_000.0, CODE_ANSWER_TOKENS
    for row in rows:
        requests = float(row["requests"])
        counted = float(row.get("requests_with_token_data") or requests)
        if counted:
            prompt = float(row["prompt_tokens_sum"] or 0) / counted or prompt
            answer = float(row["output_tokens_sum"]) / counted if row["output_tokens_sum"] else CODE_ANSWER_TOKENS
        yield Part(float(row["t_s"]) - begin, width, requests / width, prompt, max(1.0, answer))


def arrivals(of: Trace, max_model_tokens: int, seed: int) -> Iterator[Request]:
    """Yield the requests in order of time: the same for the same seed."""
    random = np.random.default_rng(seed)
    shape = 1 / of.variation**2
    owed = 0.0
    """What is left of the gap to the next request, in mean gaps."""
    for part in of.parts:
        if part.rate <= 0:
            continue
        expected = part.rate * part.seconds
        count = int(expected + 10 * of.variation * (expected**0.5 + 1) + 10)
        gaps = random.gamma(shape, 1 / shape, count)
        at = (owed + np.cumsum(gaps)) / part.rate
        inside = int(np.searchsorted(at, part.seconds))
        owed = 0.0 if inside >= count else max(0.0, float(at[inside] - part.seconds) * part.rate)
        prompts = _lengths(random, part.prompt_tokens, inside, max_model_tokens * (1 - LONGEST_ANSWER_SHARE))
        answers = _lengths(random, part.answer_tokens, inside, max_model_tokens * LONGEST_ANSWER_SHARE)
        times = (part.begins_at + at[:inside]).tolist()
        for moment, prompt, answer in zip(times, prompts, answers, strict=True):
            yield Request(moment, prompt, answer)


def _lengths(random: np.random.Generator, mean: float, count: int, longest: float) -> list[float]:
    drawn = random.lognormal(np.log(max(1.0, mean)) - SIGMA**2 / 2, SIGMA, count)
    lengths: list[float] = np.clip(np.rint(drawn), 1, longest).tolist()
    return lengths
