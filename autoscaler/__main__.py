"""`python -m autoscaler`: the daemon, from files and addresses."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from pathlib import Path

import httpx
import requests
from prometheus_client import CollectorRegistry, start_http_server
from pydantic import ValidationError

from autoscaler.agent import Agent
from autoscaler.cloud_run import CloudRunService
from autoscaler.daemon import Daemon
from autoscaler.google import GoogleCloud, anonymous, clients
from autoscaler.metrics import Metrics
from autoscaler.settings import Bounds, Settings
from autoscaler.spending import spent
from autoscaler.store import NotLeaderError, StateError, Store
from autoscaler.warm import Warm

PORT = 9_510


def main() -> int:
    """Run until a signal; return 2 for what the caller can mend."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asked = _arguments()
    try:
        settings = Settings.model_validate_json(asked.settings.read_text(encoding="utf-8"))
        store = Store(asked.state)
        if asked.begin:
            store.begin()
            return 0
        if asked.begin_spent and not store.begun:
            cap_usd = settings.bounds.policy.cap_usd_per_month if settings.bounds else 0.0
            now = time.time()
            store.begin(spent(settings.policy.spending.cap_usd_per_month, now), spent(cap_usd, now))
        _daemon(settings, store, asked).run(asked.interval, dry_run=asked.dry_run, once=asked.once)
    except (OSError, ValidationError, StateError, NotLeaderError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m autoscaler", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="policy, queries, project and template as JSON")
    parser.add_argument(
        "--state", type=Path, required=True, help="the folder that holds the state and the leader's lock"
    )
    parser.add_argument("--prometheus", default="http://prometheus:9090")
    parser.add_argument("--alertmanager", help="who is told that a card is due (default: the log alone)")
    parser.add_argument("--interval", type=float, default=15.0, help="seconds from turn to turn")
    parser.add_argument("--kill-switch", type=Path, default=Path("/nonexistent"), help="a file that stops everything")
    parser.add_argument("--listen", type=int, default=PORT, help="the port of its own metrics; 0 serves none")
    parser.add_argument(
        "--compute", help="host and port of a stand-in for Compute Engine, by HTTP and without a credential"
    )
    parser.add_argument("--cloud-run", help="host and port of a stand-in for Cloud Run's Admin API, likewise")
    parser.add_argument(
        "--agent", type=int, default=0, help="the port on which the routers ask what serves; 0 serves none"
    )
    parser.add_argument(
        "--begin", action="store_true", help="write an empty state where none has bought yet, and end: no worker ran"
    )
    parser.add_argument(
        "--begin-spent", action="store_true", help="without a state, take this month's cap for spent and go on"
    )
    parser.add_argument("--dry-run", action="store_true", help="decide, and change nothing anywhere")
    parser.add_argument("--once", action="store_true", help="take one turn")
    return parser.parse_args()


def _daemon(settings: Settings, store: Store, asked: argparse.Namespace) -> Daemon:
    registry, stopping = CollectorRegistry(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if asked.listen:
        start_http_server(asked.listen, registry=registry)
    instances, operations = clients(asked.compute, "http", anonymous()) if asked.compute else clients()
    return Daemon(
        policy=settings.policy,
        queries=settings.queries,
        cloud=GoogleCloud(
            settings.project, settings.policy.owner, settings.template, instances=instances, operations=operations
        ),
        store=store,
        prometheus=httpx.Client(base_url=asked.prometheus),
        alertmanager=httpx.Client(base_url=asked.alertmanager) if asked.alertmanager else None,
        metrics=Metrics(registry),
        kill_switch=asked.kill_switch,
        stopping=stopping,
        warm=_warm(settings.bounds, asked.cloud_run),
        agent=Agent(asked.agent, settings.policy.max_workers) if asked.agent else None,
    )


def _warm(bounds: Bounds | None, stand_in: str | None) -> Warm | None:
    if bounds is None:
        return None
    service = CloudRunService(bounds.service)
    if stand_in:
        service = CloudRunService(bounds.service, api=f"http://{stand_in}", session=requests.Session())
    return Warm(policy=bounds.policy, queries=bounds.queries, service=service)


if __name__ == "__main__":
    sys.exit(main())
