"""The shop, rehearsed: `pytest` in this folder, with nothing installed but `rehearsal` and pytest."""

import pytest

from rehearsal.testing import RehearsalFailedError, Rehearse


def test_growing_keeps_the_orders_and_the_servers_that_there_are(rehearse: Rehearse) -> None:
    small = rehearse(stack="small").up()
    large = small.promote(stack="large")
    assert large.counts == {"create": 2, "update": 1}
    assert large.outputs["addresses"][0] == small.outputs["addresses"][0]
    assert large.preview().counts == {}


def test_another_image_replaces_the_servers_and_a_volume_too_small_is_refused(rehearse: Rehearse) -> None:
    shop = rehearse(stack="small").up()
    assert shop.preview(config={"image": "debian-13"}).counts == {"replace": 1, "update": 1}
    with pytest.raises(RehearsalFailedError, match="size"):
        shop.preview(config={"gigabytes": 5})
