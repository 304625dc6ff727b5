"""The rows together, and finding one by SKU and region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from dreamseed.catalog.prices import compute, network, operations, owned, run, sql, storage, vendors
from dreamseed.catalog.prices.model import GLOBAL, Price
from dreamseed.catalog.prices.run import RUN_REGION_TIERS


class PriceBook:
    """Rows by SKU and region; two rows for the same pair are refused with `ValueError`."""

    def __init__(self, rows: Iterable[Price]) -> None:
        self._rows: dict[tuple[str, str], Price] = {}
        for row in rows:
            if (row.sku, row.region) in self._rows:
                raise ValueError(f"two prices for {row.sku} in {row.region}")
            self._rows[row.sku, row.region] = row

    def __iter__(self) -> Iterator[Price]:
        return iter(self._rows.values())

    def find(self, sku: str, region: str) -> Price | None:
        """Return the price of `sku` in `region`, or None: nothing is 0 because nobody knows its price.

        A row of the region itself comes first, then one of its Cloud Run tier, then one for everywhere.
        """
        for place in (region, RUN_REGION_TIERS.get(region), GLOBAL):
            row = self._rows.get((sku, place)) if place is not None else None
            if row is not None:
                return row
        return None

    def regions(self, sku: str) -> tuple[str, ...]:
        """Return the regions that have a row for `sku`."""
        return tuple(region for known, region in self._rows if known == sku)

    @property
    def skus(self) -> frozenset[str]:
        """Return every SKU of the book."""
        return frozenset(sku for sku, _ in self._rows)


def stale(rows: Iterable[Price], today: date) -> tuple[Price, ...]:
    """Return those of `rows` that are past their shelf life on `today`."""
    return tuple(row for row in rows if row.is_stale(today))


BOOK = PriceBook(
    row for part in (run, sql, compute, storage, network, operations, vendors, owned) for row in part.PRICES
)
"""Every price that an estimate may use."""
