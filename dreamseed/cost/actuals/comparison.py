"""Estimate against bill, service by service.

Compared is the forecast of the whole month's effective cost, which spreads what is paid ahead as the estimate does.
Taxes, promotional credits and corrections of earlier months have no estimate and are shown apart. A provider without a
charge in the file is taken to have another bill: its estimate is no error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dreamseed.cost.actuals.focus import Bill, Kind
from dreamseed.cost.actuals.month import Days, days_in, days_of, elapsed_days
from dreamseed.cost.estimate import Estimate
from dreamseed.interval import Interval

SERVICE_NAMES = {"cloud pub/sub": "pub/sub"}
"""Names on bills of services that the price book calls otherwise, in small letters. Recalled, not read from a bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceComparison:
    """One service, or one provider where `service` is empty: its estimate and its days, null where there is none."""

    provider: str
    service: str
    estimated: Interval | None
    days: Days | None

    @property
    def forecast_usd(self) -> float:
        """Return the month's forecast, 0 for what was not billed."""
        return self.days.forecast_usd if self.days else 0.0

    @property
    def error_usd(self) -> float:
        """Return the expected estimate minus the forecast: above 0 the estimate was too high."""
        return (self.estimated.expected if self.estimated else 0.0) - self.forecast_usd

    @property
    def error_ratio(self) -> float | None:
        """Return the error as a share of the forecast, null where nothing was billed."""
        return self.error_usd / self.forecast_usd if self.forecast_usd > 0 else None

    @property
    def inside(self) -> bool:
        """Tell whether the forecast lies between the estimate's low and high, to the cent."""
        low, high = (self.estimated.low, self.estimated.high) if self.estimated else (0.0, 0.0)
        return round(low, 2) <= round(self.forecast_usd, 2) <= round(high, 2)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A month's bill against a stage's estimate. USD a month; `apart_usd` is billed cost that has no estimate."""

    name: str
    month: date
    elapsed: int
    in_month: int
    services: tuple[ServiceComparison, ...]
    providers: tuple[ServiceComparison, ...]
    apart_usd: dict[Kind, float]
    billed_usd: float
    not_in_bill: Interval
    budget_usd: float

    @property
    def error_usd(self) -> float:
        """Return the error of all providers of the bill together."""
        return math.fsum(each.error_usd for each in self.providers)

    @property
    def forecast_usd(self) -> float:
        """Return the forecast of all providers of the bill together."""
        return math.fsum(each.forecast_usd for each in self.providers)

    @property
    def month_usd(self) -> float:
        """Return the forecast with the expected estimate of what this bill does not cover."""
        return self.forecast_usd + self.not_in_bill.expected


def compare(estimated: Estimate, bill: Bill) -> Comparison:
    """Return `bill` against `estimated`, a stage's estimate of one month."""
    charges = [charge for charge in bill.charges if charge.kind is Kind.SERVICE]
    billed: dict[tuple[str, str], list[int]] = {}
    names: dict[tuple[str, str], tuple[str, str]] = {}
    for number, charge in enumerate(charges):
        key = _key(charge.provider, charge.service)
        billed.setdefault(key, []).append(number)
        names.setdefault(key, (charge.provider, charge.service))
    providers = {provider for provider, _ in billed}
    lines: dict[tuple[str, str], list[Interval]] = {}
    elsewhere: list[Interval] = []
    for line in estimated.lines:
        key = _key(line.price.vendor, line.price.service)
        if key[0] in providers:
            lines.setdefault(key, []).append(line.usd)
            names[key] = (line.price.vendor, line.price.service)
        else:
            elsewhere.append(line.usd)

    def compared(keys: Iterable[tuple[str, str]], provider: str, service: str) -> ServiceComparison:
        found = list(keys)
        estimates = [usd for key in found for usd in lines.get(key, ())]
        numbers = [number for key in found for number in billed.get(key, ())]
        return ServiceComparison(
            provider=provider,
            service=service,
            estimated=Interval.total(estimates) if estimates else None,
            days=days_of([charges[number] for number in numbers], bill) if numbers else None,
        )

    keys = sorted(names)
    return Comparison(
        name=estimated.plan.name,
        month=bill.month,
        elapsed=elapsed_days(bill),
        in_month=days_in(bill.month),
        services=tuple(compared([key], *names[key]) for key in keys),
        providers=tuple(
            compared(same, names[same[0]][0], "")
            for same in ([key for key in keys if key[0] == provider] for provider in sorted(providers))
        ),
        apart_usd={
            kind: math.fsum(charge.billed_usd for charge in bill.charges if charge.kind is kind)
            for kind in Kind
            if kind is not Kind.SERVICE
        },
        billed_usd=math.fsum(charge.billed_usd for charge in bill.charges),
        not_in_bill=Interval.total(elsewhere),
        budget_usd=estimated.budget_usd,
    )


def _key(provider: str, service: str) -> tuple[str, str]:
    name = service.casefold()
    return provider.casefold(), SERVICE_NAMES.get(name, name)
