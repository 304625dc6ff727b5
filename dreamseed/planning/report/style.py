"""How tables look: one place."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

YES, NO = "✓", "✗"


def table(title: str, *columns: str) -> Table:
    """Return an empty table; texts fold instead of being cut."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    return drawn


def mark(good: bool) -> Text:
    """Return a green or red mark."""
    return Text(YES, style="green") if good else Text(NO, style="bold red")
