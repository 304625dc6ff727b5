from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.config.load import STAGE_NAMES, find_project
from dreamseed.planning.planner import plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import WHOLE, Loss, survivability
from localtier.experiments.trials import NOT_TRIED, Client, claims_not_tried, clients_of, sample, trials_of


def _plan(stage: str) -> StagePlan:
    return plan_stage_file(find_project(Path(__file__)) / f"Pulumi.{stage}.yaml")


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_claim_is_tried_once_or_named_as_not_tried(stage: str) -> None:
    plan = _plan(stage)
    tried = [claim for trial in trials_of(plan) for claim in trial.claims]
    others = [claim for claim in survivability(plan) if claim.component == WHOLE]
    assert sorted(map(repr, [*tried, *claims_not_tried(plan), *others])) == sorted(map(repr, survivability(plan)))
    assert not {claim.component for claim in tried} & set(NOT_TRIED)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_tried_component_has_a_client_that_notices_its_loss(stage: str) -> None:
    for trial in trials_of(_plan(stage)):
        for claim in trial.claims:
            assert clients_of(claim.component, Client), claim.component


def test_a_component_without_a_client_is_not_passed_over() -> None:
    with pytest.raises(KeyError, match="a new service"):
        clients_of("a new service", Client)


def test_clients_that_a_stage_lacks_are_not_asked() -> None:
    assert clients_of("tunnel", [Client.POSTGRES, Client.CHAT]) == (Client.POSTGRES, Client.CHAT)


def test_a_sample_has_each_kind_of_loss_and_component_and_every_server_and_link() -> None:
    trials = trials_of(_plan("stage-e"))
    chosen = sample(trials)

    def kinds(of: tuple[object, ...]) -> set[object]:
        return {(t.loss, *(c.component for c in t.claims)) for t in of}  # type: ignore[attr-defined]

    assert kinds(chosen) == kinds(trials)
    assert len(chosen) < len(trials) / 2
    for loss in (Loss.SERVER, Loss.LINK):
        assert [t for t in chosen if t.loss is loss] == [t for t in trials if t.loss is loss]
