from __future__ import annotations

import pytest

from dreamseed.wireguard_keys import private_key, public_key
from tests.program import record


def test_the_secret_is_protected_and_each_server_holds_its_own_private_key_and_the_others_public_one() -> None:
    seen = {one.name: one for one in record("stage-e") if one.custom}
    made = seen["wireguard"]
    assert made.type.endswith(":RandomPassword")
    assert made.protect
    secret = "generated-wireguard"  # as the mocks make it
    for own, other in (("server-1", "server-2"), ("server-2", "server-1")):
        container = seen[f"{own}-wireguard"]
        [configuration] = [one for one in container.inputs["uploads"] if one["file"].endswith(".conf")]
        assert f"PrivateKey = {private_key(secret, own)}\n" in configuration["content"]
        assert f"PublicKey = {public_key(secret, other)}\n" in configuration["content"]
        assert "uploads" in str(container.secrets)
        assert private_key(secret, other) not in str(container.inputs)


@pytest.mark.parametrize("stage", ["stage-a", "stage-d"])
def test_one_server_makes_no_key(stage: str) -> None:
    assert "wireguard" not in {one.name for one in record(stage) if one.custom}
