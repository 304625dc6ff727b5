"""`python -m simulator.vllm serve MODEL …`: what a container runs as `vllm serve` where there is no card."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from aiohttp import web

from dreamseed.catalog.model_shapes import Precision
from dreamseed.errors import PlanError
from dreamseed.planning.gpu.memory import GIB
from simulator.arguments import parse
from simulator.middleware import LABEL
from simulator.refusals import StartRefusedError, engine_of
from simulator.server import Server
from simulator.settings import Settings, read_pace, settings_of

logger = logging.getLogger("vllm")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit status: 0 then, 1 when the engine refuses to start.

    Raises SystemExit with status 2 for what the parser refuses.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    parsed = parse(arguments)
    try:
        pace = read_pace(environment)
        intent, memory = engine_of(parsed, pace)
    except (PlanError, StartRefusedError) as refusal:
        logger.error("%s", refusal)
        return 1
    settings = settings_of(parsed, intent, memory, pace, environment.get("VLLM_API_KEY"))
    _announce(settings)
    asyncio.run(serve(settings))
    return 0


async def serve(settings: Settings) -> None:
    """Open the port after the start-up time, answer until a signal, then close the server and return."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if await _stopped_within(stop, settings.pace.start_seconds):
        return
    server = Server(settings)
    access_log = logging.getLogger("aiohttp.access") if settings.access_log else None
    # A client that leaves gives its place in the batch back.
    runner = web.AppRunner(server.application(), access_log=access_log, handler_cancellation=True, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port, backlog=2048).start()
    logger.info("Application startup complete, port %s.", settings.port)
    await stop.wait()
    timeout_seconds = settings.shutdown_timeout_seconds
    mode = "drain" if timeout_seconds else "abort"
    logger.info("[shutdown] API server: stopping engine client mode=%s timeout=%ss", mode, timeout_seconds)
    await server.close(timeout_seconds)
    await runner.cleanup()


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _announce(settings: Settings) -> None:
    memory = settings.memory
    logger.warning("%s", LABEL)
    pace = settings.pace
    logger.info("%d x %s pretended, engine time x %g", settings.tensor_parallel, pace.gpu.name, pace.speed)
    if settings.intent.precision is Precision.FP8:
        logger.warning(
            "--quantization fp8 is deprecated for online quantization; use --quantization fp8_per_tensor instead."
        )
    logger.info("Available KV cache memory: %.2f GiB", memory.available_bytes / GIB)
    logger.info("GPU KV cache size: %s tokens", f"{memory.kv_tokens:,}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
