"""Which settings bring a stage within a budget, and what each of them gives up."""

from dreamseed.cost.fit.option import FitResult, Option
from dreamseed.cost.fit.setting import Knob, Setting
from dreamseed.cost.fit.solver import fit, fit_overrun

__all__ = ["FitResult", "Knob", "Option", "Setting", "fit", "fit_overrun"]
