"""The price book: list prices in USD without tax, each with source, day of reading, confidence and shelf life.

No price is asked for over a network. To refresh a price, edit its row, or the day of its source in `sources.py`.
"""

from dreamseed.catalog.prices.book import BOOK, PriceBook, stale
from dreamseed.catalog.prices.model import FOCUS_COLUMNS, Confidence, Price, PriceSource, Tier

__all__ = ["BOOK", "FOCUS_COLUMNS", "Confidence", "Price", "PriceBook", "PriceSource", "Tier", "stale"]
