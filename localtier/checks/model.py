"""Whether the model answers through every router, and the routers let nothing else through."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from dreamseed.planning import ports
from localtier.checks.finding import Finding, compared, none_of
from localtier.checks.site import Site

REFUSED = (
    "GET /",
    "GET /metrics",
    "GET /health",
    "GET /version",
    "GET /ping",
    "GET /docs",
    "GET /openapi.json",
    "GET /load",
    "GET /server_info",
    "POST /tokenize",
    "POST /detokenize",
    "POST /invocations",
    "POST /pooling",
    "POST /classify",
    "POST /score",
    "POST /rerank",
    "POST /sleep",
    "POST /wake_up",
    "POST /collective_rpc",
    "POST /reset_prefix_cache",
    "POST /start_profile",
    "POST /v1/load_lora_adapter",
    "POST /v1/unload_lora_adapter",
    "POST /v1/embeddings",
    "POST /v1/responses",
    "POST /v1/audio/transcriptions",
    "GET /v1/chat/completions",
    "POST /v1/models",
    "DELETE /v1/models",
    "OPTIONS /v1/models",
    "GET /v1/models/",
    "GET //v1/models",
    "GET /v1//models",
    "GET /v1/./models",
    "GET /v1/../metrics",
    "GET /v1/models/../../metrics",
    "GET /v1/models;/../../metrics",
    "GET /%6detrics",
    "GET /v1/%6dodels",
    "GET /v1%2fmodels",
    "GET /v1/models%2f..%2f..%2fmetrics",
    "GET /v1/models%00",
    "GET /V1/models",
    "POST /v1/chat/completions/",
    "POST //v1/chat/completions",
)
"""Requests that no user may make: vLLM's own pages, which its key does not guard, and other spellings of paths.

Source: vLLM 0.33 documentation, security and OpenAI-compatible server; HAProxy compares paths as they are sent.
"""
FORBIDDEN = 403
# Answers are a code a line; `000` says that there was no answer.
_ASK_EACH = (
    'at=$1; shift; for one in "$@"; do curl -s -g --path-as-is -m 5 -o /dev/null -X "${one%% *}" '
    '-w "%{http_code}\\n" "$at${one#* }" || true; done'
)
_KEY = '"Authorization: Bearer $(cat /run/secrets/vllm-api-key)"'
_CHAT = f'curl -fsS -m 60 -H {_KEY} -H "Content-Type: application/json" --data "$2" "$1/v1/chat/completions"'


def model(site: Site) -> Iterator[Finding]:
    """Complete a chat through every router."""
    name = site.plan.config.vllm.served_name
    body = {"model": name, "max_tokens": 4, "messages": [{"role": "user", "content": "Say yes."}]}
    for router, client in _routers(site):
        answer = site.exec_text(client, ["sh", "-c", _CHAT, "chat", _at(router), json.dumps(body)])
        yield completion_finding(router, name, answer)


def completion_finding(router: str, model_name: str, text: str) -> Finding:
    """Return whether `text` is a chat completion of the model with something in it."""
    answer = json.loads(text)
    said = str(answer["choices"][0]["message"]["content"])
    ok = answer["object"] == "chat.completion" and answer["model"] == model_name and bool(said.strip())
    return Finding(what=f"{router} answers a chat", ok=ok, detail="" if ok else text[:200])


def refusals(site: Site) -> Iterator[Finding]:
    """Make every forbidden request to every router, and an allowed one, which shows that the others were heard."""
    for router, client in _routers(site):
        asked = (*REFUSED, "GET /v1/models")
        lines = site.exec_text(client, ["sh", "-c", _ASK_EACH, "ask", _at(router), *asked]).split()
        yield from refusal_findings(router, asked, [int(code) for code in lines])


def refusal_findings(router: str, asked: Sequence[str], codes: Sequence[int]) -> Iterator[Finding]:
    """Return whether all requests but the last were refused by the router, and the last reached an engine.

    Without a key an engine answers 401, by which it is told from the router. Source: vLLM, API key middleware.
    """
    yield compared(f"{router}: answers", len(codes), len(asked))
    passed = [
        f"{request}: {code}" for request, code in zip(asked[:-1], codes, strict=False) if code not in (FORBIDDEN, 400)
    ]
    yield none_of(f"{router}: forbidden requests are refused", passed)
    yield compared(f"{router}: {asked[-1]} without a key reaches an engine", codes[-1:], [401])


def _routers(site: Site) -> Iterator[tuple[str, str]]:
    for router in site.services("vllm-router"):
        yield router.name, site.beside(router, "vllm")


def _at(router: str) -> str:
    return f"http://{router}:{ports.ROUTER}"
