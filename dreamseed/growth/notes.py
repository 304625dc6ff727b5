"""What a reader of a forecast must know: which K was used, and where the plan contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from dreamseed.growth.costs import MEANING_OF_COSTS, Costs
from dreamseed.growth.ladder import Ladder
from dreamseed.growth.models import MEANING_OF_K, MOST_USERS, Model
from dreamseed.growth.money import Assumptions, MonthMoney

REVENUE_AT_E = (
    "the plan's example gives 150 K USD a month at stage E; its own formula gives 1,000,000 × 15 % × 10 = 1.5 M, "
    "and holds here"
)
ORDER_ON_THE_PATH = (
    "an order date is a forecast: order when the sign-ups are on its path, not because the day came; GPUs before users "
    "are what the plan warns of first"
)
CHURN_IGNORED = "the plan's example of growth leaves churn out; its formula, used here, does not"


def notes(
    model: Model,
    costs: Costs,
    months: Sequence[MonthMoney],
    rungs: Ladder,
    entered: Sequence[float],
    assumed: Assumptions,
) -> Iterator[str]:
    """Yield one sentence for each thing to know; `entered` are the rungs' first months, infinite for never."""
    yield f"model {model}: {MEANING_OF_K[model]}; the models differ many times over, so name the one you quote"
    if model is Model.PLAN:
        yield CHURN_IGNORED
    yield REVENUE_AT_E
    yield MEANING_OF_COSTS[costs]
    if not assumed.fixed_usd_per_month:
        yield "nothing but the infrastructure is paid: people and rent are 0 until --fixed-costs says otherwise"
    if assumed.cac_usd_per_payer is None:
        yield "what winning a paying user costs is unknown: nothing is counted for it until --cac says it"
    yield ORDER_ON_THE_PATH
    for lower, upper in pairwise(range(len(rungs))):
        if 0 < entered[lower] == entered[upper] <= months[-1].month:
            yield (
                f"stages {rungs[lower].stage} and {rungs[upper].stage} begin in the same month "
                f"{entered[lower]:g}: never take more than one stage at a time"
            )
    last = rungs[-1]
    beyond = next((one.month for one in months if one.sign_ups > last.sign_ups), None)
    if beyond is not None:
        yield f"from month {beyond} there are more than the {last.sign_ups:,} that stage {last.stage} is built for"
    if months[-1].sign_ups >= MOST_USERS or months[-1].users >= MOST_USERS:
        yield f"the formula has no bound and is cut at {MOST_USERS:,.0f} users, more than there are people"
