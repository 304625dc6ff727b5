"""Users of a stage as k6 plays them, held to the stage's objectives."""

from localtier.k6.options import Surge, k6_options, tokens_per_second
from localtier.k6.play import play, summary
from localtier.k6.run import K6Failed, K6Result, Requests, run_k6, run_surge

__all__ = [
    "K6Failed",
    "K6Result",
    "Requests",
    "Surge",
    "k6_options",
    "play",
    "run_k6",
    "run_surge",
    "summary",
    "tokens_per_second",
]
