"""The bodies that vLLM answers with, field for field and in its order.

Source: vLLM 0.31.0, entrypoints/openai/{chat_completion,completion}/serving.py and protocol.py, read 2026-11-24. A
stream's chunks leave out what was never set, a whole answer carries every field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Head:
    """What every part of one answer carries."""

    name: str
    created: int
    model: str
    fingerprint: str


def usage(prompt_tokens: int, answer_tokens: int) -> dict[str, int]:
    """Return the counts of one answer, without the details that only a whole answer names."""
    return {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + answer_tokens,
        "completion_tokens": answer_tokens,
    }


def event(content: dict[str, Any]) -> bytes:
    """Return one event of a stream."""
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


class ChatForm:
    """Answers of /v1/chat/completions."""

    prefix = "chatcmpl"
    chunk_kind = "chat.completion.chunk"

    def first_chunk(self, head: Head) -> dict[str, Any] | None:
        """Return the chunk that opens a stream: the role, before any text."""
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": None,
            "finish_reason": None,
        }
        return {**self._begin(head), "choices": [choice], "prompt_token_ids": None, "prompt_text": None}

    def chunk(self, head: Head, text: str, reason: str | None, stop_reason: str | None) -> dict[str, Any]:
        """Return a chunk of text; the last one has a `reason`."""
        choice: dict[str, Any] = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": reason}
        if reason is not None:
            choice["stop_reason"] = stop_reason
        choice["token_ids"] = None
        return {**self._begin(head), "choices": [choice]}

    def usage_chunk(self, head: Head, counts: dict[str, int]) -> dict[str, Any]:
        """Return the chunk after the last one that a client asks for with `include_usage`."""
        return {**self._begin(head), "choices": [], "usage": counts, "system_fingerprint": head.fingerprint}

    def whole(
        self, head: Head, text: str, reason: str, stop_reason: str | None, counts: dict[str, int]
    ) -> dict[str, Any]:
        """Return an answer in one piece."""
        message = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "annotations": None,
            "audio": None,
            "function_call": None,
            "reasoning": None,
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": reason,
            "stop_reason": stop_reason,
            "token_ids": None,
            "routed_experts": None,
        }
        body = _whole(head, "chat.completion", choice, counts)
        return {
            **body,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
            "prompt_text": None,
            "kv_transfer_params": None,
            "ec_transfer_params": None,
            "metrics": None,
        }

    def _begin(self, head: Head) -> dict[str, Any]:
        return {"id": head.name, "object": self.chunk_kind, "created": head.created, "model": head.model}


class CompletionForm(ChatForm):
    """Answers of /v1/completions."""

    prefix = "cmpl"
    chunk_kind = "text_completion"

    def first_chunk(self, head: Head) -> dict[str, Any] | None:  # noqa: ARG002 - the chat's needs it
        """Return nothing: a completion's stream opens with its text."""
        return None

    def chunk(self, head: Head, text: str, reason: str | None, stop_reason: str | None) -> dict[str, Any]:
        """Return a chunk of text; the last one has a `reason`."""
        choice = {
            "index": 0,
            "text": text,
            "logprobs": None,
            "finish_reason": reason,
            "stop_reason": stop_reason,
            "prompt_token_ids": None,
            "token_ids": None,
        }
        return {**self._begin(head), "choices": [choice]}

    def whole(
        self, head: Head, text: str, reason: str, stop_reason: str | None, counts: dict[str, int]
    ) -> dict[str, Any]:
        """Return an answer in one piece."""
        choice = {
            "index": 0,
            "text": text,
            "logprobs": None,
            "finish_reason": reason,
            "stop_reason": stop_reason,
            "token_ids": None,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
            "routed_experts": None,
        }
        body = _whole(head, "text_completion", choice, counts)
        return {**body, "kv_transfer_params": None, "ec_transfer_params": None, "metrics": None}


def _whole(head: Head, kind: str, choice: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    return {
        "id": head.name,
        "object": kind,
        "created": head.created,
        "model": head.model,
        "choices": [choice],
        "service_tier": None,
        "system_fingerprint": head.fingerprint,
        "usage": {**counts, "prompt_tokens_details": None, "completion_tokens_details": None},
    }


def model_list(names: tuple[str, ...], root: str, max_model_len: int, created: int) -> dict[str, Any]:
    """Return the models of /v1/models; one model may have several names."""
    permission = {
        "id": "modelperm-simulated",
        "object": "model_permission",
        "created": created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
    cards = [
        {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "vllm-simulated",
            "root": root,
            "parent": None,
            "max_model_len": max_model_len,
            "permission": [permission],
        }
        for name in names
    ]
    return {"object": "list", "data": cards}
