from __future__ import annotations

from pathlib import Path

import pytest

from autoscaler.records import Ledger, State
from autoscaler.store import NotLeaderError, StateError, Store


def begun(folder: Path) -> Store:
    store = Store(folder)
    store.begin()
    return store


def test_without_a_state_nobody_leads_and_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="--begin"):
        Store(tmp_path).lead()


def test_a_state_that_has_bought_is_not_begun_anew(tmp_path: Path) -> None:
    store = begun(tmp_path)
    store.save(store.lead().model_copy(update={"launches": 1}))
    with pytest.raises(StateError, match="it holds what the month has cost"):
        Store(tmp_path).begin()
    store.close()
    assert store.peek().launches == 1


def test_a_state_that_never_bought_is_begun_anew_and_its_leader_writes_nothing_over_it(tmp_path: Path) -> None:
    running = Store(tmp_path)
    running.begin(Ledger(month="2026-11", month_usd=40))
    state = running.lead()
    Store(tmp_path).begin()
    with pytest.raises(NotLeaderError):
        running.save(state)
    running.close()
    assert running.lead().ledger == Ledger()
    running.close()


def test_a_damaged_state_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "state.json").write_text('{"epoch": 1, "launches"', encoding="utf-8")
    with pytest.raises(StateError, match="nobody knows what the month's workers have cost"):
        Store(tmp_path).lead()


def test_only_one_daemon_leads_and_each_leader_has_a_higher_epoch(tmp_path: Path) -> None:
    first = begun(tmp_path)
    assert first.lead().epoch == 1
    second = Store(tmp_path)
    with pytest.raises(NotLeaderError, match="another daemon holds"):
        second.lead()
    first.close()
    assert second.lead().epoch == 2
    second.close()


def test_a_leader_that_lost_the_lock_unknown_to_it_writes_nothing(tmp_path: Path) -> None:
    first = begun(tmp_path)
    state = first.lead()
    (tmp_path / "leader.lock").unlink()
    second = Store(tmp_path)
    newer = second.lead()
    with pytest.raises(NotLeaderError, match=r"epoch 2 leads, this daemon's is 1"):
        first.save(state.model_copy(update={"launches": 9}))
    assert second.read() == newer
    first.close()
    second.close()


def test_what_was_saved_is_read_by_the_next_leader(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.save(first.lead().model_copy(update={"launches": 4}))
    first.close()
    second = Store(tmp_path)
    assert second.lead() == State(epoch=2, launches=4)
    second.close()
