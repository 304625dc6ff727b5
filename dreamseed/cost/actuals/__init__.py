"""What was billed, read from a FOCUS file, against what was estimated."""

from dreamseed.cost.actuals.comparison import Comparison, compare
from dreamseed.cost.actuals.focus import Bill, BillError, read_bill

__all__ = ["Bill", "BillError", "Comparison", "compare", "read_bill"]
