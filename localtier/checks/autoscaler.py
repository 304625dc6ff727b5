"""Whether the autoscaler leads and has just seen what it decides on: the engines' signals and the cloud's list."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from dreamseed.planning import ports
from dreamseed.planning.services.autoscaler import PYTHON
from localtier.checks.finding import Finding, none_of
from localtier.checks.site import Site

LATE_SECONDS = 120
"""Eight turns."""
_ASK = (
    "import time, urllib.request as u; print(time.time()); "
    f"print(u.urlopen('http://127.0.0.1:{ports.AUTOSCALER}/metrics', timeout=5).read().decode())"
)


def autoscaler(site: Site) -> Iterator[Finding]:
    """Ask each autoscaler for its own metrics, by its own clock."""
    for one in site.services("autoscaler"):
        now, _, text = site.exec_text(one.name, [PYTHON, "-c", _ASK]).partition("\n")
        yield turn_finding(one.name, float(now), text)


def turn_finding(name: str, now: float, text: str) -> Finding:
    """Return whether it leads and when it last had all that it decides on; `text` are its metrics at `now`."""
    seen = {sample.name: sample.value for one in text_string_to_metric_families(text) for sample in one.samples}
    faults = [] if seen["edu_autoscaler_leader"] == 1 else ["it does not lead"]
    ago = now - seen["edu_autoscaler_last_success_timestamp_seconds"]
    if ago > LATE_SECONDS:
        said = "never" if ago == now else f"{ago:.0f} s ago"
        faults.append(f"signals and the cloud's list were last seen {said}")
    return none_of(f"{name} decides", faults)
