"""The month's cost as metrics: what the plan's rates and the measured usage add up to, or what was billed.

It is told the rates of the stage that stands (`--rates`, made by the plan), and remembers what the month cost until now
(`--memory`), so that a promotion changes what the coming hours cost and not those that are over. What the stage uses
it asks of Prometheus (`--prometheus`), see measured.py. Bills, which
``dreamseed cost actuals … --for-exporter`` makes, lie in the memory's folder ``bills``; each takes the place of the
rates for its services until the moment that it covers. Months are of UTC, as on bills.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measured import DAY, Ask, Table, adjusted, measured, prometheus, read_tables
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PORT = 9500
HOUR = timedelta(hours=1)
ASKED_EVERY = timedelta(minutes=1)
MEMORY_FILE, BILLS = "month.json", "bills"

logger = logging.getLogger("cost-exporter")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What each hour of the stage costs with the expected usage, in USD by component, and with another one."""

    stage: str
    usd_per_hour: Mapping[str, float]
    usage: tuple[Table, ...] = ()

    def with_usage(self, values: Mapping[str, float]) -> Rates:
        """Return the rates with the usage `values` in place of the expected one."""
        return replace(self, usd_per_hour=adjusted(self.usd_per_hour, self.usage, values))


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What `month` (``2026-11``) cost until the moment `until` (ISO 8601), in USD by component."""

    month: str
    until: str
    usd: Mapping[str, float]

    @property
    def moment(self) -> datetime:
        """Return `until` as a time."""
        return datetime.fromisoformat(self.until)


def read_rates(text: str) -> Rates:
    """Return the rates of a file that the plan made; raises ValueError for one that says something else."""
    content = json.loads(text)
    return Rates(
        stage=str(content["stage"]),
        usd_per_hour=_amounts(content["usd_per_hour"]),
        usage=read_tables(content.get("usage", ())),
    )


def read_spent(text: str) -> Spent:
    """Return a month of the memory, or of a bill; raises ValueError, KeyError or TypeError for anything else."""
    content = json.loads(text)
    spent = Spent(month=str(content["month"]), until=str(content["until"]), usd=_amounts(content["usd"]))
    if spent.moment.tzinfo is None or not month_begins(spent.month) <= spent.moment <= month_ends(spent.month):
        raise ValueError(f"{spent.until} is no moment of {spent.month}")
    return spent


def _amounts(content: Mapping[str, Any]) -> dict[str, float]:
    amounts = {str(name): float(usd) for name, usd in content.items()}
    if not all(map(math.isfinite, amounts.values())):
        raise ValueError("an amount is no number")
    return amounts


def month_begins(month: str) -> datetime:
    """Return the first moment of a month such as ``2026-11``."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)


def month_ends(month: str) -> datetime:
    """Return the first moment of the month after."""
    return (month_begins(month) + timedelta(days=32)).replace(day=1)


def spent_until(now: datetime, rates: Rates, before: Spent | None) -> Spent:
    """Return what the month of `now` cost: what was remembered, and the hours since at today's rates.

    What nobody remembers is taken to have cost what it costs now, from the month's beginning: rather too much than a
    budget that is exceeded unseen. A clock that went back changes nothing.
    """
    month = f"{now:%Y-%m}"
    if before is None or before.month < month:
        before = Spent(month=month, until=month_begins(month).isoformat(), usd={})
    if before.moment >= now:
        return before
    hours = (now - before.moment) / HOUR
    usd = dict(before.usd)
    for name, rate in rates.usd_per_hour.items():
        usd[name] = usd.get(name, 0.0) + rate * hours
    return Spent(month=month, until=now.isoformat(), usd=usd)


def unseen_since(now: datetime, before: Spent | None) -> datetime:
    """Return since when nobody counted: what is remembered of this month, or the month's beginning."""
    begins = month_begins(f"{now:%Y-%m}")
    return begins if before is None else min(now, max(begins, before.moment))


def with_bill(spent: Spent, rates: Rates, bill: Spent | None) -> dict[str, float]:
    """Return the month's cost by component, with `bill` in place of the rates as far as it goes."""
    usd = dict(spent.usd)
    if bill is None or bill.month != spent.month:
        return usd
    hours = max(0.0, (spent.moment - bill.moment) / HOUR)
    for name, billed in bill.usd.items():
        usd[name] = billed + rates.usd_per_hour.get(name, 0.0) * hours
    return usd


def forecast(usd: Mapping[str, float], spent: Spent, rates: Rates) -> dict[str, float]:
    """Return what the whole month will have cost: `usd` until now, and the hours to come at today's rates."""
    hours = (month_ends(spent.month) - spent.moment) / HOUR
    return {name: so_far + rates.usd_per_hour.get(name, 0.0) * hours for name, so_far in usd.items()}


class CostCollector(Collector):
    """Adds up anew for each scrape, and remembers it."""

    def __init__(self, rates: Rates, folder: Path, clock: Callable[[], datetime], ask: Ask = lambda *_: None) -> None:
        self._rates, self._folder, self._clock, self._ask = rates, folder, clock, ask
        self._spent = self._remembered()
        self._usage: Mapping[str, float] = {}
        self._day = rates
        self._asked: datetime | None = None
        self._kept_at = 0.0
        self._one_at_a_time = threading.Lock()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the month's cost, its forecast, when they were last remembered (0: not yet), and the usage behind."""
        with self._one_at_a_time:
            yield from self._collected()

    def _collected(self) -> Iterator[GaugeMetricFamily]:
        now = self._clock()
        self._look(now)
        self._spent = spent_until(now, self._rates.with_usage(self._usage), self._spent)
        self._keep(self._spent)
        usd = with_bill(self._spent, self._day, self._bill(self._spent.month))
        labels = ["stage", "component"]
        to_date = GaugeMetricFamily("edu_cost_month_to_date", "USD of this month until now.", labels=labels)
        ahead = GaugeMetricFamily("edu_cost_month_forecast", "USD of the whole month, as it is likely.", labels=labels)
        for name, so_far in usd.items():
            to_date.add_metric([self._rates.stage, name], so_far)
        for name, likely in forecast(usd, self._spent, self._day).items():
            ahead.add_metric([self._rates.stage, name], likely)
        kept = GaugeMetricFamily("edu_cost_last_update_timestamp_seconds", "When the cost was last remembered.")
        kept.add_metric([], self._kept_at)
        yield from (to_date, ahead, kept, self._usage_family())

    def _look(self, now: datetime) -> None:
        """Ask for the usage since what is remembered, and for a day's, which the coming hours are taken to be like."""
        if self._asked is not None and now - self._asked < ASKED_EVERY:
            return
        since = unseen_since(now, self._spent)
        self._usage = measured(self._rates.usage, self._ask, now, since)
        self._day = self._rates.with_usage(measured(self._rates.usage, self._ask, now, now - DAY))
        self._asked = now

    def _usage_family(self) -> GaugeMetricFamily:
        labels = ["stage", "usage", "source"]
        used = GaugeMetricFamily("edu_cost_usage", "The usage that the cost is counted with.", labels=labels)
        for axis in (axis for table in self._rates.usage for axis in table.axes):
            source = "measured" if axis.name in self._usage else "expected"
            used.add_metric([self._rates.stage, axis.name, source], self._usage.get(axis.name, axis.expected))
        return used

    def _remembered(self) -> Spent | None:
        try:
            return read_spent((self._folder / MEMORY_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("what was remembered cannot be read and is begun anew: %s", error)
            return None

    def _keep(self, spent: Spent) -> None:
        part = self._folder / f"{MEMORY_FILE}.new"
        try:
            part.write_text(json.dumps(asdict(spent)), encoding="utf-8")
            part.replace(self._folder / MEMORY_FILE)
        except OSError as error:
            logger.warning("the month's cost cannot be remembered: %s", error)
        else:
            self._kept_at = spent.moment.timestamp()

    def _bill(self, month: str) -> Spent | None:
        """Return the newest bill of the month; one that cannot be read is told and left aside."""
        bills = []
        for path in sorted((self._folder / BILLS).glob("*.json")):
            try:
                bills.append(read_spent(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError) as error:
                logger.warning("the bill %s cannot be read: %s", path.name, error)
        return max((one for one in bills if one.month == month), key=lambda one: one.moment, default=None)


def main() -> None:
    """Serve the metrics until the process is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="cost_exporter")
    parser.add_argument("--rates", type=Path, required=True)
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--prometheus", metavar="URL", help="who is asked for the usage; without it all is as expected")
    parser.add_argument("--listen", type=int, default=PORT)
    arguments = parser.parse_args()
    try:
        rates = read_rates(arguments.rates.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{arguments.rates} holds no rates: {error!r}") from error
    (arguments.memory / BILLS).mkdir(exist_ok=True)
    registry = CollectorRegistry(auto_describe=False)
    ask: Ask = prometheus(arguments.prometheus) if arguments.prometheus else lambda *_: None
    registry.register(CostCollector(rates, arguments.memory, lambda: datetime.now(UTC), ask))
    start_http_server(arguments.listen, registry=registry)
    logger.info("stage %s costs %.4f USD an hour", rates.stage, math.fsum(rates.usd_per_hour.values()))
    while True:
        time.sleep(3_600)


if __name__ == "__main__":
    main()
