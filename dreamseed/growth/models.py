"""Three models of growth, by name. Arrays have the shape (runs, months + 1); month 0 is the start.

**plan**: users × (1 + (K − 1) − churn) a month. K − 1 is a net rate before churn. Source: the growth plan, section 8.

**cohort**: K − 1 as in the plan, but each month's sign-ups are a cohort of their own whose churn falls with its age,
because those who leave easily leave first: the shifted-beta-geometric retention curve of Fader and Hardie (2007),
r(age) = (β + age − 1)/(α + β + age − 1), with α/(α + β) = the scenario's churn in a cohort's first month. With users
all alike (α + β → ∞) it is the plan's formula.

**viral**: K is invitations × conversion of one cycle, so U(t) = U₀ (K^(t/p + 1) − 1)/(K − 1) sign-ups after t months
with cycle time p; at K = 1 U₀ (t/p + 1), below 1 at most U₀/(1 − K). Each month the churn takes its share of those
who are there, and the new ones come on top. Source: D. Skok and S. Reiss, Lessons Learned: Viral Marketing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dreamseed.growth.parameters import Floats, Parameters

MOST_USERS = 1e10
"""Where a formula without bounds is cut: more than there are people."""
_LARGEST_EXPONENT = 60.0


class Model(StrEnum):
    """The growth models; `plan` is the plan's own."""

    PLAN = "plan"
    COHORT = "cohort"
    VIRAL = "viral"


MEANING_OF_K: Mapping[Model, str] = {
    Model.PLAN: "K − 1 is the plan's growth rate a month before churn; users are net of churn, and stages count them",
    Model.COHORT: "K − 1 is the plan's growth rate a month; churn falls with a cohort's age; stages count all sign-ups",
    Model.VIRAL: "K is invitations × conversion of one cycle; stages count all sign-ups, revenue those who stayed",
}


@dataclass(frozen=True, kw_only=True)
class Trajectories:
    """Users who are there, those who came and left in each month, and what the stages' thresholds are compared with.

    `sign_ups` are those who ever came; the plan's model knows users only and calls them sign-ups.
    """

    users: Floats
    sign_ups: Floats
    new: Floats
    churned: Floats


def trajectories(model: Model, parameters: Parameters, months: int) -> Trajectories:
    """Return the users of every run over `months` months."""
    return _MODELS[model](parameters, months)


def _plan(given: Parameters, months: int) -> Trajectories:
    users, new = _empty(given, months), _empty(given, months)
    users[:, 0] = given.users
    factor = np.maximum(1 + (given.k - 1) - given.churn, 0)
    for month in range(1, months + 1):
        users[:, month] = np.minimum(users[:, month - 1] * factor, MOST_USERS)
        new[:, month] = users[:, month - 1] * np.maximum(given.k - 1, 0)
    return _with_churned(users, users, new)


def _cohort(given: Parameters, months: int) -> Trajectories:
    users, new = _empty(given, months), _empty(given, months)
    survival = survival_curves(given.churn, given.concentration, months)
    cohorts = _empty(given, months)
    users[:, 0] = cohorts[:, 0] = given.users
    for month in range(1, months + 1):
        cohorts[:, month] = new[:, month] = np.minimum(
            users[:, month - 1] * np.maximum(given.k - 1, 0), MOST_USERS - users[:, month - 1]
        )
        users[:, month] = np.einsum("ij,ij->i", cohorts[:, : month + 1], survival[:, month::-1])
    return _with_churned(users, given.users[:, None] + new.cumsum(axis=1), new)


def survival_curves(churn: Floats, concentration: Floats, months: int) -> Floats:
    """Return the share of a cohort that is still there at each age from 0 to `months`, a row for each run."""
    alpha = (churn * concentration)[:, None]
    ages = np.arange(1, months + 1)
    retention = 1 - alpha / (concentration[:, None] + ages - 1)
    return np.concatenate([np.ones((len(churn), 1)), retention.clip(0, 1).cumprod(axis=1)], axis=1)


def _viral(given: Parameters, months: int) -> Trajectories:
    steps = np.arange(months + 1) / given.cycle_months[:, None] + 1
    log_k = np.log(given.k)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.expm1(np.minimum(steps * log_k, _LARGEST_EXPONENT)) / np.expm1(log_k)
    sign_ups = np.minimum(given.users[:, None] * np.where(log_k == 0, steps, ratio), MOST_USERS)
    new = np.diff(sign_ups, axis=1, prepend=sign_ups[:, :1])
    users = sign_ups.copy()
    for month in range(1, months + 1):
        users[:, month] = users[:, month - 1] * (1 - given.churn) + new[:, month]
    return _with_churned(users, sign_ups, new)


def _empty(given: Parameters, months: int) -> Floats:
    return np.zeros((len(given.users), months + 1))


def _with_churned(users: Floats, sign_ups: Floats, new: Floats) -> Trajectories:
    """Return the trajectories; who was there or came, and is there no longer, has left."""
    churned = np.zeros_like(users)
    churned[:, 1:] = np.maximum(users[:, :-1] + new[:, 1:] - users[:, 1:], 0)
    return Trajectories(users=users, sign_ups=sign_ups, new=new, churned=churned)


_MODELS: Mapping[Model, Callable[[Parameters, int], Trajectories]] = {
    Model.PLAN: _plan,
    Model.COHORT: _cohort,
    Model.VIRAL: _viral,
}
