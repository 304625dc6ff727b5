"""Fail-over to the cloud and back: which steps, in which order, and a performance that can be resumed."""

from dreamseed.failover.performing import Action, journal_file, perform
from dreamseed.failover.steps import Direction, Step, steps

__all__ = ["Action", "Direction", "Step", "journal_file", "perform", "steps"]
