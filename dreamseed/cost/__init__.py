"""Money as code: what a stage costs in a month, from its plan, its expected usage and dated list prices."""

from dreamseed.cost.estimate import Estimate, estimate
from dreamseed.cost.pricing import Line, Unpriced

__all__ = ["Estimate", "Line", "Unpriced", "estimate"]
