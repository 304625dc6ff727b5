"""Fail-over to the cloud and back: which steps, in which order, and a journal that lets them be resumed."""

from dreamseed.failover.journal import Action, Journal, perform
from dreamseed.failover.steps import Direction, Step, steps

__all__ = ["Action", "Direction", "Journal", "Step", "perform", "steps"]
