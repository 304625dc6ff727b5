"""All checks of a stage, and waiting until they pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import docker

from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import autoscaler, containers, kafka, links, model, monitoring, postgres, redis, rights, secrets
from localtier.checks.finding import Finding
from localtier.checks.site import AskFailed, Listening, Site, visit

Check = Callable[[Site], Iterator[Finding]]
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "containers": containers.containers,
        "rights": rights.rights,
        "secrets": secrets.secrets,
        "published ports": containers.published,
        "links": links.links,
        "etcd": postgres.etcd,
        "postgres": postgres.postgres,
        "database access": postgres.access,
        "cache": redis.redis,
        "events": kafka.kafka,
        "model": model.model,
        "refusals": model.refusals,
        "prometheus": monitoring.prometheus,
        "alertmanager": monitoring.alertmanager,
        "autoscaler": autoscaler.autoscaler,
    }
)
PAUSE_SECONDS = 1.0


def check_stage(
    plan: StagePlan,
    engines: Mapping[str, docker.DockerClient],
    credentials: Mapping[str, str],
    listening: Listening | None = None,
    names: Iterable[str] = CHECKS,
) -> list[Finding]:
    """Return what the checks `names` find now; `engines` are the Docker Engines by host name.

    `credentials` are the secrets that containers hold, by name. Without `listening` (a host's open
    sockets) only what Docker says is published is looked at. A check that gets no answer is a finding, not an error.
    """
    return look(visit(plan, engines, credentials, listening), names)


def look(site: Site, names: Iterable[str] = CHECKS) -> list[Finding]:
    """Return what the checks `names` find on `site`."""
    return [finding for name in names for finding in run(name, site)]


def run(name: str, site: Site) -> list[Finding]:
    """Return what one check finds; a question without an answer, or with one nobody understands, is a fault."""
    found: list[Finding] = []
    try:
        found.extend(CHECKS[name](site))
    except AskFailed as error:
        found.append(Finding(what=name, ok=False, detail=str(error)))
    except (ValueError, LookupError, StopIteration, RuntimeError) as error:
        found.append(Finding(what=name, ok=False, detail=f"not understood: {type(error).__name__}: {error}"))
    return found


def wait_healthy(
    plan: StagePlan,
    engines: Mapping[str, docker.DockerClient],
    credentials: Mapping[str, str],
    timeout_seconds: float,
    listening: Listening | None = None,
    names: Iterable[str] = CHECKS,
) -> list[Finding]:
    """Repeat the checks `names`, those that do not pass, until all do or the time is up; return the last findings.

    A check that passed is not repeated, so the findings are of slightly different moments.
    """
    return wait(lambda: visit(plan, engines, credentials, listening), timeout_seconds, names)


def wait(
    look_again: Callable[[], Site],
    timeout_seconds: float,
    names: Iterable[str] = CHECKS,
    *,
    pause_seconds: float = PAUSE_SECONDS,
) -> list[Finding]:
    """Run the checks `names` on a new site each round, those that passed no more; see `wait_healthy`."""
    until = time.monotonic() + timeout_seconds
    last: dict[str, list[Finding]] = {name: [] for name in names}
    pending = list(last)
    while True:
        site = look_again()
        for name in pending:
            last[name] = run(name, site)
        pending = [name for name in pending if not all(finding.ok for finding in last[name])]
        if not pending or time.monotonic() >= until:
            return [finding for found in last.values() for finding in found]
        time.sleep(pause_seconds)
