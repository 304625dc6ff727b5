"""Topology pictures: one SVG a stage and one of the whole ladder, drawn from the plan and from nothing else."""

from __future__ import annotations

from dreamseed.picture.ladder import ladder_picture
from dreamseed.picture.stage import stage_picture

__all__ = ["ladder_picture", "stage_picture"]
