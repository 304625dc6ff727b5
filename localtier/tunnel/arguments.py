"""The command lines of cloudflared that the plan uses; every other one is refused, as a typing error should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_METRICS = ("127.0.0.1", 2_000)
GRACE_SECONDS = 30.0
"""What cloudflared allows where it is told nothing. Source: Cloudflare documentation (--grace-period)."""


@dataclass(frozen=True, kw_only=True)
class RunArguments:
    """`cloudflared tunnel … run --token-file FILE`; `grace_seconds` is how long requests may end after SIGTERM."""

    metrics: tuple[str, int]
    token_file: Path
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, kw_only=True)
class ReadyArguments:
    """`cloudflared tunnel … ready`: is the connector at this address connected?"""

    metrics: tuple[str, int]


class UsageError(Exception):
    """A command line that this stand-in does not know."""


def parse(arguments: Sequence[str]) -> RunArguments | ReadyArguments:
    """Return what the command line asks for. Raises UsageError with what is wrong and what to write instead.

    Flags of `tunnel` stand before the command, its own after it, as cloudflared asks for; the real image's entry
    point puts `--no-autoupdate` before everything.
    """
    rest = list(arguments)
    if rest[:1] == ["--no-autoupdate"]:
        del rest[0]
    if not rest or rest.pop(0) != "tunnel":
        raise UsageError("this stand-in knows one command: cloudflared tunnel")
    metrics, grace_seconds, command = DEFAULT_METRICS, GRACE_SECONDS, ""
    while rest and not command:
        word = rest.pop(0)
        if word == "--metrics":
            metrics = _address(_value(word, rest))
        elif word == "--grace-period":
            grace_seconds = _seconds(_value(word, rest))
        elif word.startswith("-") and word != "--no-autoupdate":
            known = "--no-autoupdate, --metrics ADDRESS:PORT, --grace-period SECONDSs"
            raise UsageError(f"flag provided but not defined: {word}; here: {known}")
        elif not word.startswith("-"):
            command = word
    if command == "ready" and not rest:
        return ReadyArguments(metrics=metrics)
    if command == "run" and len(rest) == 2 and rest[0] == "--token-file":
        return RunArguments(metrics=metrics, token_file=Path(rest[1]), grace_seconds=grace_seconds)
    raise UsageError(f"after tunnel: {' '.join([command, *rest]) or 'nothing'}; here: ready, or run --token-file FILE")


def _value(flag: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"flag needs an argument: {flag}")
    return rest.pop(0)


def _seconds(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit != "s" or not number.isdigit():
        raise UsageError(f"--grace-period {text}: not seconds; write for example 30s")
    return float(number)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--metrics {text}: not an address and a port; write for example 127.0.0.1:2000")
    return host, int(port)
