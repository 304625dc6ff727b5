"""The model's client: chat completions through the edge, every other one as a stream, each one counted as users would.

A failed request is one without status 200, without its end, or without an answer in time. It is tried once more only
where nothing can have been begun: the connection was refused, or the edge or the router answered that nobody is there.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from localtier.load.client import Client, kind_of
from localtier.load.ledger import Outcome
from localtier.load.targets import LOOPBACK, ChatTarget

PATH = "/v1/chat/completions"
TRIED_AGAIN = frozenset({502, 503, 530})
"""Nobody took the request: the edge's 502 and 530 (no connector), the router's 503 (no engine)."""
AGAIN_AFTER_SECONDS = 0.2
MOST_AT_ONCE = 64
LAST_ANSWERS_SECONDS = 15.0
"""How long a stop waits for requests that are under way; those that it cuts are no failures and not recorded."""
MAX_TOKENS = 48
PROMPTS = (
    "Explain photosynthesis to a child of ten.",
    "What is the derivative of x squared, and why?",
    "Translate into Korean: the library opens at nine.",
    "Give three exercises on fractions.",
)
LAST_LINE = b"data: [DONE]"


class RequestFailedError(Exception):
    """A request failed; `again` where nothing can have been begun."""

    def __init__(self, reason: str, again: bool = False) -> None:
        self.again = again
        super().__init__(reason)


@dataclass
class Answer:
    """How long a whole answer took, and its first part."""

    seconds: float
    first_seconds: float | None


class ChatClient(Client):
    """Sends a request at each of its times, however many are under way (at most `MOST_AT_ONCE`).

    `headers` may change: the next request has them.
    """

    name = "chat"

    def __init__(self, folder: Path, per_second: float, target: ChatTarget, headers: Mapping[str, str]) -> None:
        super().__init__(folder, per_second)
        self._target = target
        self.headers = dict(headers)
        self._keys = self.ledger.new_keys()

    def run(self) -> None:
        """Send until stopped, then wait for what is under way."""
        asyncio.run(self._serve())

    def step(self) -> None:
        """Do nothing: requests overlap, so `run` has its own loop."""

    async def _serve(self) -> None:
        timeout = aiohttp.ClientTimeout(total=self._target.timeout_seconds)
        requests: set[asyncio.Task[None]] = set()
        async with aiohttp.ClientSession(timeout=timeout) as session:
            following = time.monotonic()
            while not self.stopping.is_set():
                key = str(next(self._keys))
                if len(requests) < MOST_AT_ONCE:
                    task = asyncio.create_task(self._send(session, key))
                    requests.add(task)
                    task.add_done_callback(requests.discard)
                else:
                    self.ledger.write(Outcome.FAILED, key=key, error=f"not sent: {MOST_AT_ONCE} are under way")
                following = max(time.monotonic(), following + self._interval_seconds)
                await asyncio.sleep(following - time.monotonic())
            if requests:
                _, late = await asyncio.wait(requests, timeout=LAST_ANSWERS_SECONDS)
                for task in late:
                    task.cancel()

    async def _send(self, session: aiohttp.ClientSession, key: str) -> None:
        began = time.monotonic()
        retries = 0
        while True:
            try:
                answer = await self._ask(session, int(key), began)
            except RequestFailedError as error:
                if not error.again or retries:
                    self.ledger.write(Outcome.FAILED, key=key, error=str(error), retries=retries)
                    return
                retries += 1
                await asyncio.sleep(AGAIN_AFTER_SECONDS)
            else:
                first = answer.first_seconds
                self.ledger.write(Outcome.OK, key=key, seconds=answer.seconds, first_seconds=first, retries=retries)
                return

    async def _ask(self, session: aiohttp.ClientSession, number: int, began: float) -> Answer:
        streamed = number % 2 == 0
        request = {
            "model": self._target.model,
            "messages": [{"role": "user", "content": PROMPTS[number % len(PROMPTS)]}],
            "max_tokens": MAX_TOKENS,
            "stream": streamed,
        }
        try:
            url = f"http://{LOOPBACK}:{self._target.port}{PATH}"
            async with session.post(url, json=request, headers=self.headers) as response:
                if response.status != 200:
                    raise RequestFailedError(f"status {response.status}", again=response.status in TRIED_AGAIN)
                first = await (_whole_stream(response, began) if streamed else _whole_text(response))
        except aiohttp.ClientConnectorError as error:
            raise RequestFailedError(f"refused: {type(error).__name__}", again=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise RequestFailedError(kind_of(error)) from error
        return Answer(round(time.monotonic() - began, 4), first)


async def _whole_stream(response: aiohttp.ClientResponse, began: float) -> float:
    first: float | None = None
    last = b""
    async for line in response.content:
        if line.strip():
            first = first if first is not None else round(time.monotonic() - began, 4)
            last = line.strip()
    if first is None or last != LAST_LINE:
        raise RequestFailedError("truncated stream")
    return first


async def _whole_text(response: aiohttp.ClientResponse) -> None:
    try:
        finished = json.loads(await response.read())["choices"][0]["finish_reason"]
    except (ValueError, LookupError, TypeError) as error:
        raise RequestFailedError("not a completion") from error
    if not finished:
        raise RequestFailedError("an unfinished completion")
