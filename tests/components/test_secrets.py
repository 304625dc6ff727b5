from __future__ import annotations

import pytest

from components.secrets import Secrets, SecretsArgs
from dreamseed.planning.secrets import GeneratedSecret
from tests.components.declaring import declare


def test_each_name_gets_a_long_password_of_its_own_that_is_kept() -> None:
    declared = declare(lambda: Secrets("secrets", SecretsArgs(names=list(GeneratedSecret))))
    passwords = declared.all("RandomPassword")
    assert {password.name for password in passwords} == set(GeneratedSecret)
    for password in passwords:
        assert password.inputs == {"length": 40, "special": False}
        assert password.protect
    assert len(set(declared.outputs["values"].values())) == len(GeneratedSecret)


def test_a_name_that_repeats_is_refused() -> None:
    with pytest.raises(ValueError, match="each name stands for one password"):
        declare(lambda: Secrets("secrets", SecretsArgs(names=["redis", "redis"])))
