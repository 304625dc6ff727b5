"""The HTTP side: vLLM's paths that this product uses, answered from the simulated engine.

The order of the checks is vLLM's: key, body, model, queue limits, lengths. Source: 0.31.0, entrypoints/openai/, read
2026-11-24.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from simulator.answer import answer_to, prompt_tokens_of
from simulator.driver import Driver, Generation, RejectedError
from simulator.engine import Engine, Rejection
from simulator.metrics import EngineMetrics
from simulator.middleware import count_middleware, errors, key_middleware, label
from simulator.requests import ApiError, ChatRequest, CompletionRequest, GenerationRequest, longest_answer, read
from simulator.responses import DONE, ChatForm, CompletionForm, Head, event, model_list, usage
from simulator.sequence import Sequence
from simulator.settings import VLLM_VERSION, Settings

MAX_BODY_BYTES = 16 * 2**20
REJECTIONS = {
    Rejection.REQUESTS: "The engine is currently busy and cannot accept new requests. "
    "Please try again later or on a different instance.",
    Rejection.TOKENS: "The engine has reached its prefill token backlog limit. "
    "Please try again later or on a different instance.",
}


class Server:
    """One simulated vLLM server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry = CollectorRegistry()
        metrics = EngineMetrics(settings, self._registry)
        engine = Engine(settings.limits, settings.step_time)
        self._created = int(time.time())
        self._closing = False
        self._driver = Driver(engine, metrics, speed=settings.pace.speed)

    def application(self) -> web.Application:
        """Return the application; the engine runs as long as it does."""
        application = web.Application(
            client_max_size=MAX_BODY_BYTES,
            middlewares=[count_middleware(self._registry), key_middleware(self._settings.api_keys), errors],
        )
        application.on_response_prepare.append(label)
        application.cleanup_ctx.append(self._engine_running)
        application.add_routes(
            [
                web.get("/health", self._health, allow_head=False),
                web.get("/ping", self._health, allow_head=False),
                web.post("/ping", self._health),
                web.get("/version", self._version, allow_head=False),
                web.get("/metrics", self._metrics, allow_head=False),
                web.get("/v1/models", self._models, allow_head=False),
                web.post("/v1/chat/completions", self._chat),
                web.post("/v1/completions", self._completion),
            ]
        )
        return application

    async def close(self, timeout_seconds: float) -> None:
        """Let the requests under way end for at most `timeout_seconds`, then abort the rest; answer no new one.

        /health stays 200 and the port open meanwhile, and a new request gets 500: vLLM first shuts down what renders
        prompts, then waits for its engine. Source: 0.31.0, entrypoints/launchers/launcher.py (`handle_shutdown`) and
        v1/engine/async_llm.py (`shutdown`), read 2026-11-24, not run.
        """
        self._closing = True
        await self._driver.close(timeout_seconds)

    async def _engine_running(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._driver.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self._driver.healthy else 503)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": f"{VLLM_VERSION}+simulated"})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _models(self, _: web.Request) -> web.Response:
        settings = self._settings
        length = settings.intent.max_model_len
        return web.json_response(model_list(settings.served_names, settings.model, length, self._created))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = read(ChatRequest, request.content_type, await request.read())
        self._admit(asked)
        prompt = "\n".join(f"{message.role}: {message.text}" for message in asked.messages)
        tokens = prompt_tokens_of("".join(message.text for message in asked.messages), len(asked.messages))
        newer = asked.max_completion_tokens is not None
        limit = asked.max_completion_tokens if newer else asked.max_tokens
        field = "max_completion_tokens" if newer else "max_tokens"
        return await self._answer(request, asked, ChatForm(), prompt, tokens, limit, field)

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        asked = read(CompletionRequest, request.content_type, await request.read())
        self._admit(asked)
        if isinstance(asked.prompt, str):
            prompt, tokens = asked.prompt, prompt_tokens_of(asked.prompt)
        else:
            prompt, tokens = " ".join(map(str, asked.prompt)), len(asked.prompt)
        if not tokens:
            raise ApiError(400, "BadRequestError", "The decoder prompt cannot be empty")
        return await self._answer(request, asked, CompletionForm(), prompt, tokens, asked.max_tokens, "max_tokens")

    def _admit(self, asked: GenerationRequest) -> None:
        if asked.model and asked.model not in self._settings.served_names:
            raise ApiError(404, "NotFoundError", f"The model `{asked.model}` does not exist.", "model")
        try:
            self._driver.admit()
        except RejectedError as error:
            raise ApiError(503, "Service Unavailable", REJECTIONS[error.reason]) from None
        if self._closing:
            raise ApiError(500, "InternalServerError", "cannot schedule new futures after shutdown")

    async def _answer(
        self,
        request: web.Request,
        asked: GenerationRequest,
        form: ChatForm,
        prompt: str,
        prompt_tokens: int,
        limit: int | None,
        field: str,
    ) -> web.StreamResponse:
        settings = self._settings
        longest = longest_answer(asked, limit, field, prompt_tokens, settings.intent.max_model_len)
        answer = answer_to(
            prompt,
            max_tokens=longest,
            average_tokens=settings.pace.answer_tokens,
            stop=asked.stops,
            min_tokens=asked.min_tokens,
            ignore_eos=asked.ignore_eos,
        )
        name = f"{form.prefix}-{request.headers.get('X-Request-Id', uuid.uuid4().hex)}"
        model = asked.model or settings.served_names[0]
        head = Head(name=name, created=int(time.time()), model=model, fingerprint=settings.fingerprint)
        sequence = Sequence(
            name=f"{name}-{uuid.uuid4().hex}",
            prompt_tokens=prompt_tokens,
            answer_tokens=answer.tokens,
            ends_with=answer.ends_with,
        )
        generation = Generation(sequence=sequence, answer=answer, max_tokens=longest, streamed=bool(asked.stream))
        self._driver.start(generation)
        try:
            if asked.stream:
                return await self._stream(request, asked, form, head, generation)
            return await self._whole(form, head, generation)
        finally:
            self._driver.abort(generation)

    async def _whole(self, form: ChatForm, head: Head, generation: Generation) -> web.Response:
        while generation.finished is None:
            await generation.news()
        written = generation.written_tokens
        counts = usage(generation.sequence.prompt_tokens, written)
        text = generation.answer.between(0, written)
        return web.json_response(form.whole(head, text, generation.finished, generation.stop_reason, counts))

    async def _stream(
        self, request: web.Request, asked: GenerationRequest, form: ChatForm, head: Head, generation: Generation
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        options = asked.stream_options
        with_usage = bool(options and options.include_usage)
        continuous = with_usage and bool(options and options.continuous_usage_stats)
        prompt_tokens, sent = generation.sequence.prompt_tokens, 0
        while True:
            await generation.news()
            written, finished = generation.written_tokens, generation.finished
            if not sent and (first := form.first_chunk(head)) is not None:
                await response.write(event(first | ({"usage": usage(prompt_tokens, 0)} if continuous else {})))
            # Aborted before its first token: vLLM sends no chunk for it.
            if written:
                text = generation.answer.between(sent, written)
                chunk = form.chunk(head, text, finished, generation.stop_reason)
                if continuous:
                    chunk["usage"] = usage(prompt_tokens, written)
                if finished is not None and not with_usage:
                    chunk["system_fingerprint"] = head.fingerprint
                await response.write(event(chunk))
            sent = written
            if finished is not None:
                break
        if with_usage:
            await response.write(event(form.usage_chunk(head, usage(prompt_tokens, sent))))
        await response.write(DONE)
        await response.write_eof()
        return response
