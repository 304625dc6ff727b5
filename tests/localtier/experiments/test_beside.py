from __future__ import annotations

import threading

import pytest

from localtier.experiments.beside import beside


def test_work_goes_on_until_the_block_ends_and_has_ended_then_also_when_the_block_fails() -> None:
    begun, told = threading.Event(), list[str]()

    def work(over: threading.Event) -> None:
        begun.set()
        over.wait()
        told.append("ended")

    def block() -> None:
        with beside(work):
            begun.wait()
            assert told == []
            raise ValueError("the block fails")

    with pytest.raises(ValueError, match="fails"):
        block()
    assert told == ["ended"]
