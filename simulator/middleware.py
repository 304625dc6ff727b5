"""What surrounds every request: the key, vLLM's error objects, the label of the simulator, and counts by path.

Sources: vLLM 0.31.0, entrypoints/serve/middleware/authenticate.py and exception_handling/handlers/http.py;
prometheus-fastapi-instrumentator's default metrics as scraped from 0.32.0. Read 2026-11-24.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from simulator.requests import ApiError
from simulator.settings import VLLM_VERSION

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GUARDED_PREFIXES = ("/v1", "/v2", "/inference", "/cohere")
UNCOUNTED = frozenset({"/metrics", "/health", "/ping", "/version"})
LABEL_HEADER = "X-Simulated"
LABEL = f"vLLM {VLLM_VERSION} is simulated here: no model, no GPU"


async def label(_: web.Request, response: web.StreamResponse) -> None:
    """Say on every response that nothing of it comes from a model."""
    response.headers[LABEL_HEADER] = LABEL


def key_middleware(keys: tuple[str, ...]) -> Middleware:
    """Return the check of `Authorization: Bearer …`, which vLLM makes on some paths only."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if keys and request.method != "OPTIONS" and request.path.startswith(GUARDED_PREFIXES):
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            matches = [hmac.compare_digest(given.encode(), key.encode()) for key in keys]
            if scheme.lower() != "bearer" or not any(matches):
                return web.json_response({"error": "Unauthorized"}, status=401)
        return await handler(request)

    return check


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into vLLM's error object."""
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body, status=error.status)
    except web.HTTPException as error:
        phrase = HTTPStatus(error.status).phrase
        body = {"error": {"message": phrase, "type": phrase, "param": None, "code": error.status}}
        return web.json_response(body, status=error.status)


def count_middleware(registry: CollectorRegistry) -> Middleware:
    """Return the counting of requests by path, method and class of status."""
    by_status, by_path = ("method", "status", "handler"), ("method", "handler")
    requests = Counter("http_requests", "Requests by method, status and handler.", by_status, registry=registry)
    bounds = (0.1, 0.5, 1)
    durations = Histogram("http_request_duration_seconds", "Duration.", by_path, buckets=bounds, registry=registry)

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in UNCOUNTED:
            return await handler(request)
        began = time.perf_counter()
        resource = request.match_info.route.resource
        path = "none" if resource is None else resource.canonical
        response = await handler(request)
        requests.labels(request.method, f"{response.status // 100}xx", path).inc()
        durations.labels(request.method, path).observe(time.perf_counter() - began)
        return response

    return count
