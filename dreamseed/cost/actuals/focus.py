"""Reading a month's bill: a CSV file with FOCUS columns, taken strictly.

Columns are those of FOCUS 1.2; the provider's may have its name of 1.3. Others are ignored. Source: FOCUS
specification 1.2, columns and attributes, and Microsoft's description of its 1.2 data set, read 2026-11-24.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path

from dreamseed.errors import DreamSeedError

CURRENCY = "USD"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
PROVIDER_COLUMNS = ("ProviderName", "ServiceProviderName")
REQUIRED_COLUMNS = (
    *("BilledCost", "EffectiveCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd"),
    *("ServiceName", "ServiceCategory", "RegionId", "SkuId"),
)
"""And one of `PROVIDER_COLUMNS`. A region and a SKU may be empty, as FOCUS allows."""
CORRECTION = "Correction"
ONE_TIME = "One-Time"
FREE_TIER = "free tier"
"""A credit whose description says so is part of the price, as the estimate's free quantities are. That Google's export
describes them like this was not verified."""


class BillError(DreamSeedError):
    """A bill's file does not say what a bill says."""


class ChargeCategory(StrEnum):
    """What a row is. Source: FOCUS specification 1.2, ChargeCategory."""

    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


class Kind(StrEnum):
    """What a charge is compared as: only `SERVICE` has an estimate."""

    SERVICE = "charges"
    CREDIT = "credits"
    TAX = "taxes"
    CORRECTION = "corrections of earlier months"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One row. Costs in USD, negative for refunds and credits; `effective_usd` spreads what was paid ahead.

    The period is in UTC, its end excluded. `one_time` charges are no rate that goes on.
    """

    provider: str
    service: str
    service_category: str
    sku: str
    region: str
    kind: Kind
    one_time: bool
    start: datetime
    end: datetime
    billed_usd: float
    effective_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The charges of the month that begins with `month`, its first day."""

    month: date
    charges: tuple[Charge, ...]


def read_bill(path: Path) -> Bill:
    """Return the bill in the file `path`; raises `BillError` with the line and the column of the first fault."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            _check_header(header, path.name)
            charges = tuple(_charges(rows, header, path.name))
    except FileNotFoundError as error:
        raise BillError(str(path), "there is no such file", "a month's bill is read from it", "its path") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise BillError(
            path.name, f"is no CSV ({error})", "a bill is a CSV file in UTF-8", "an export as it is"
        ) from error
    if not charges:
        raise BillError(path.name, "holds no charge", "there is nothing to compare", "an export of one month")
    return Bill(month=charges[0].start.date().replace(day=1), charges=charges)


def _check_header(header: list[str], name: str) -> None:
    where = f"{name}, line 1"
    for column in header:
        if header.count(column) > 1:
            raise BillError(where, f"the column {column} stands twice", "which one counts is unknown", "it once")
    missing = [column for column in REQUIRED_COLUMNS if column not in header]
    if not any(column in header for column in PROVIDER_COLUMNS):
        missing.append(PROVIDER_COLUMNS[0])
    if missing:
        raise BillError(
            where,
            f"there is no column {', '.join(missing)}",
            "the file is read by the names of FOCUS 1.2",
            f"a header with {', '.join((*REQUIRED_COLUMNS, PROVIDER_COLUMNS[0]))}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    where: str
    cells: Mapping[str, str]

    def fault(self, column: str, what: str, why: str, remedy: str) -> BillError:
        return BillError(f"{self.where}, column {column}", what, why, remedy)

    def text(self, column: str) -> str:
        value = self.cells.get(column, "").strip()
        if not value:
            raise self.fault(column, "is empty", "FOCUS asks for a value there", "the value of the provider's export")
        return value

    def optional(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    def usd(self, column: str) -> float:
        value = self.text(column)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise self.fault(
                column, f"'{value}' is no amount", "an amount is one plain decimal number", "digits such as 1234.56"
            )
        return float(number)

    def time(self, column: str) -> datetime:
        value = self.text(column)
        try:
            return datetime.strptime(value, TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError as error:
            raise self.fault(
                column, f"'{value}' is no time", "FOCUS writes times in UTC", "a time such as 2026-11-01T00:00:00Z"
            ) from error


def _charges(rows: Iterator[list[str]], header: list[str], name: str) -> Iterator[Charge]:
    month: date | None = None
    for number, cells in enumerate(rows, start=2):
        where = f"{name}, line {number}"
        if not cells:
            continue
        if len(cells) != len(header):
            raise BillError(
                where,
                f"has {len(cells)} cells",
                f"the header has {len(header)} columns",
                "quotes around commas in texts",
            )
        row = _Row(where=where, cells=dict(zip(header, cells, strict=True)))
        charge = _charge(row)
        month = month or charge.start.date().replace(day=1)
        if charge.start.date().replace(day=1) != month:
            raise row.fault(
                "ChargePeriodStart",
                f"begins in {charge.start:%Y-%m}, the first charge in {month:%Y-%m}",
                "one month is compared with one month's estimate",
                "a file for each month",
            )
        yield charge


def _charge(row: _Row) -> Charge:
    currency = row.text("BillingCurrency")
    if currency != CURRENCY:
        raise row.fault(
            "BillingCurrency",
            f"is {currency}",
            "estimates are in USD, and no rate of exchange is guessed",
            "an export in USD, or amounts converted at the bill's own rate",
        )
    start, end = row.time("ChargePeriodStart"), row.time("ChargePeriodEnd")
    if end <= start:
        raise row.fault(
            "ChargePeriodEnd", "is not after ChargePeriodStart", "the end is excluded", "the start of the next period"
        )
    provider = next(column for column in PROVIDER_COLUMNS if column in row.cells)
    return Charge(
        provider=row.text(provider),
        service=row.text("ServiceName"),
        service_category=row.text("ServiceCategory"),
        sku=row.optional("SkuId"),
        region=row.optional("RegionId"),
        kind=_kind(row),
        one_time=row.optional("ChargeFrequency") == ONE_TIME,
        start=start,
        end=end,
        billed_usd=row.usd("BilledCost"),
        effective_usd=row.usd("EffectiveCost"),
    )


def _kind(row: _Row) -> Kind:
    value = row.text("ChargeCategory")
    try:
        category = ChargeCategory(value)
    except ValueError as error:
        raise row.fault(
            "ChargeCategory", f"is '{value}'", "FOCUS knows five", f"one of {', '.join(ChargeCategory)}"
        ) from error
    if row.optional("ChargeClass") == CORRECTION:
        return Kind.CORRECTION
    if category is ChargeCategory.TAX:
        return Kind.TAX
    if category is ChargeCategory.CREDIT and FREE_TIER not in row.optional("ChargeDescription").lower():
        return Kind.CREDIT
    return Kind.SERVICE
