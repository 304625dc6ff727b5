"""Rows of the price book by SKU."""

from __future__ import annotations

from dreamseed.catalog.prices import BOOK, Price


def row(sku: str, region: str = "us-central1") -> Price:
    """The row, which must be there."""
    found = BOOK.find(sku, region)
    assert found is not None
    return found
