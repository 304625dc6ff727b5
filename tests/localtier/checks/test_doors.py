"""Whether a secret opens what its key is for, by what containers answer to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from dreamseed.config.keys import KeyName
from localtier.checks.doors import DOORS, takes_password
from localtier.checks.site import Site
from tests.localtier.checks.healthy import Stage
from tests.planning.stages import shipped

SALT, ROUNDS = "W22ZaJ0SNY7soEsUEjb6gQ==", 4096
AUTH_MESSAGE = (
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    f"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s={SALT},i={ROUNDS},"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
"""The exchange of RFC 7677, section 3, with the password `pencil`."""
STORED_KEY = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="


def verifier(stored: str) -> str:
    return f"SCRAM-SHA-256${ROUNDS}:{SALT}${stored}:{base64.b64encode(bytes(32)).decode()}"


def test_the_stored_key_of_the_test_is_the_one_that_the_rfc_s_proof_was_made_with() -> None:
    stored = base64.b64decode(STORED_KEY)
    signature = hmac.digest(stored, AUTH_MESSAGE.encode(), "sha256")
    client_key = bytes(a ^ b for a, b in zip(base64.b64decode(PROOF), signature, strict=True))
    assert hashlib.sha256(client_key).digest() == stored


@pytest.mark.parametrize(("password", "taken"), [("pencil", True), ("pencils", False), ("", False)])
def test_a_role_takes_the_password_of_its_verifier_and_no_other(password: str, taken: bool) -> None:
    assert takes_password(verifier(STORED_KEY), password) is taken


def test_a_verifier_of_another_kind_is_not_taken_for_a_refusal() -> None:
    with pytest.raises(ValueError, match="a verifier of MD5"):
        takes_password("MD5$1:c2FsdA==$c2FsdA==:c2FsdA==", "pencil")


def site_knowing(secret: str, refuses: str = "") -> Site:
    """Stage E, whose containers take `secret`; `refuses` names one that does not."""

    def answer(container: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        if argv[0] == "psql":
            return verifier(STORED_KEY if container != refuses else base64.b64encode(bytes(32)).decode()) + "\n"
        (given,) = (environment or {}).values()
        taken = given == secret and container != refuses
        if argv[0] == "redis-cli":
            return "PONG\n" if taken else "NOAUTH Authentication required.\n"
        return "200" if taken else "401"

    return replace(Stage(shipped("stage-e")).site, exec_text=answer)


@pytest.mark.parametrize("key", DOORS)
def test_each_door_is_tried_at_every_container_that_it_stands_in(key: KeyName) -> None:
    plan = shipped("stage-e")
    service = "redis" if key is KeyName.REDIS else "vllm" if key is KeyName.VLLM_API_KEY else "postgres"
    one = {"redis": "redis-1", "vllm": "server-1-vllm-2", "postgres": "pg-1-4"}[service]
    instances = sum(len(shard) for shard in plan.topology.shards)
    count = {"redis": len(plan.topology.redis), "vllm": len(plan.layout.replicas), "postgres": instances}[service]
    assert DOORS[key](site_knowing("pencil"), "pencil") == (True,) * count
    assert DOORS[key](site_knowing("pencil"), "another") == (False,) * count
    assert DOORS[key](site_knowing("pencil", refuses=one), "pencil").count(False) == 1
