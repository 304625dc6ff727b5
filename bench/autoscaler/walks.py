"""A million random steps under faults and crashes, held to the promises of `simulator.compute.walk`."""

from __future__ import annotations

import logging

from autoscaler.policy import Policy
from simulator.compute.walk import Found, walk

WALKS, STEPS = 25, 40_000


def walked(policy: Policy) -> Found:
    """Return what all walks saw together. Raises `BrokenPromiseError`."""
    logging.disable(logging.WARNING)
    found = Found()
    try:
        for seed in range(WALKS):
            one = walk(policy, seed, STEPS)
            found.add(one)
            for month, usd in one.usd_by_month.items():
                found.usd_by_month[month] = max(usd, found.usd_by_month.get(month, 0.0))
    finally:
        logging.disable(logging.NOTSET)
    return found
