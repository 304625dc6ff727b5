from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components import light_sdk

PROJECT = Path(__file__).resolve().parents[2]
COUNT = "import sys, components.{module};print(sum(name.startswith('{package}.') for name in sys.modules))"


@pytest.mark.parametrize(
    ("module", "package"), [("cloudflare_sdk", "pulumi_cloudflare"), ("compute_sdk", "pulumi_gcp.compute")]
)
def test_only_the_modules_that_are_used_are_imported(module: str, package: str) -> None:
    # In a process of its own: another test may have imported the package whole.
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(module=module, package=package)],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert 0 < int(done.stdout) < 40


def test_a_package_that_is_imported_already_is_left_alone() -> None:
    assert light_sdk.register("json") is sys.modules["json"]


def test_a_package_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(ModuleNotFoundError, match="make setup"):
        light_sdk.register("pulumi_that_does_not_exist")
