"""The bodies that the two generating paths take, and the faults that vLLM finds in them.

Source: vLLM 0.31.0, entrypoints/openai/*/protocol.py, sampling_params.py, renderers/params.py and
entrypoints/serve/exception_handling/, read 2026-11-24. Fields that change nothing here are accepted and ignored.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails


class ApiError(Exception):
    """A request that is answered with vLLM's error object."""

    def __init__(self, status: int, kind: str, message: str, param: str | None = None) -> None:
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": status}}
        super().__init__(message)


class StreamOptions(BaseModel):
    """What a stream carries beside its text."""

    model_config = ConfigDict(extra="allow")
    include_usage: bool | None = False
    continuous_usage_stats: bool | None = False


class GenerationRequest(BaseModel):
    """What both paths share."""

    model_config = ConfigDict(extra="allow")
    model: str | None = None
    max_tokens: int | None = None
    min_tokens: int = 0
    n: int | None = 1
    stop: str | list[str] | None = Field(default_factory=list)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    ignore_eos: bool = False

    @property
    def stops(self) -> list[str]:
        """Return the texts that end the answer."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])


class Message(BaseModel):
    """One turn of a chat; a content of parts counts by its texts."""

    model_config = ConfigDict(extra="allow")
    role: str
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """Return the text of the turn."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class ChatRequest(GenerationRequest):
    """The body of /v1/chat/completions."""

    messages: list[Message]
    max_completion_tokens: int | None = None


class CompletionRequest(GenerationRequest):
    """The body of /v1/completions, with one prompt: a text or its tokens."""

    prompt: str | list[int]
    max_tokens: int | None = 16


Request = TypeVar("Request", ChatRequest, CompletionRequest)


def read(model: type[Request], content_type: str, body: bytes) -> Request:
    """Return the request in `body`. Raises ApiError 400 as vLLM's validation does."""
    if content_type.lower().split(";", maxsplit=1)[0] != "application/json":
        raise _malformed(["Unsupported Media Type: Only 'application/json' is allowed"], None)
    try:
        content = json.loads(body)
    except json.JSONDecodeError as error:
        place = f"body.{error.pos}"
        invalid = {"type": "json_invalid", "loc": place, "msg": "JSON decode error", "ctx": {"error": error.msg}}
        raise _malformed([invalid], place) from None
    except UnicodeDecodeError:
        raise ApiError(400, "Bad Request", "There was an error parsing the body") from None
    try:
        request = model.model_validate(content)
    except ValidationError as error:
        faults = [_fault_of(details) for details in error.errors(include_url=False)]
        raise _malformed(faults, faults[0]["loc"]) from None
    _check(request)
    return request


def longest_answer(request: GenerationRequest, asked: int | None, field: str, prompt: int, max_model_len: int) -> int:
    """Return how many tokens the answer may have after a `prompt` of so many. Raises ApiError 400 for too many."""
    if asked is not None and asked < 1:
        raise _invalid(f"max_tokens must be at least 1, got {asked}.", "max_tokens", asked)
    if request.min_tokens < 0:
        raise _invalid(f"min_tokens must be greater than or equal to 0, got {request.min_tokens}.", "min_tokens")
    wanted = asked or 0
    if wanted > max_model_len:
        message = f"{field}={wanted} cannot be greater than max_model_len={max_model_len}. Please request fewer output "
        raise _invalid(f"{message}tokens.", field, wanted)
    # A prompt that fills the whole length leaves no token to answer with.
    if prompt > max_model_len - max(wanted, 1):
        raise _invalid(
            f"This model's maximum context length is {max_model_len} tokens. However, you requested {wanted} output "
            f"tokens and your prompt contains {prompt} input tokens, for a total of {prompt + wanted} tokens. "
            "Please reduce the length of the input prompt or the number of requested output tokens.",
            "input_tokens",
            prompt,
        )
    return asked if asked is not None else max_model_len - prompt


def _fault_of(details: ErrorDetails) -> dict[str, str]:
    place = ".".join(map(str, ("body", *details["loc"])))
    return {"type": details["type"], "loc": place, "msg": details["msg"]}


def _check(request: GenerationRequest) -> None:
    temperature = request.temperature
    if temperature is not None and temperature < 0:
        raise _invalid(f"temperature must be non-negative, got {temperature}.", "temperature", temperature)
    if temperature is not None and temperature > 2:
        raise _invalid(f"temperature must be in [0, 2], got {temperature}.", "temperature", temperature)
    if request.stream_options and not request.stream:
        raise _malformed(
            [{"type": "value_error", "loc": "body", "msg": "Stream options can only be defined when `stream=True`."}],
            "stream_options",
        )
    if request.n not in (None, 1):
        raise ApiError(400, "BadRequestError", f"The simulated server answers n=1 only, got n={request.n}.", "n")


def _invalid(message: str, parameter: str, value: object = None) -> ApiError:
    detail = f"parameter={parameter}" + ("" if value is None else f", value={value}")
    return ApiError(400, "BadRequestError", f"{message} ({detail})", parameter)


def _malformed(faults: list[Any], param: str | None) -> ApiError:
    label = "error" if len(faults) == 1 else "errors"
    lines = "".join(f"\n  {fault}" for fault in faults[:10])
    return ApiError(400, "Bad Request", f"{len(faults)} validation {label}:{lines}", param)
