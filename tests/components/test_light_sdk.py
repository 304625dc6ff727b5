from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from components import light_sdk

PROJECT = Path(__file__).resolve().parents[2]
COUNT = "import sys, pulumi_gcp, components.{module};print(sum(name.startswith('{package}.') for name in sys.modules))"
# Resolves every annotation of the resources and of the types, as pulumi does (_types.py); prints how many types
# there are, how many the whole files have, and how many names are missing.
SAME = """
import importlib, pulumi, re, sys, typing
from pathlib import Path
from components import light_sdk
kept = {{}}
for name in light_sdk.MODULES["{package}"]:
    module = importlib.import_module("{package}." + name)
    kept[name] = module
types = [sys.modules["{package}." + name] for name in light_sdk.TYPES]
whole = sum(len(re.findall(r"^class ", Path(t.__file__).read_text(), re.M)) for t in types)
there = [c for t in types for c in vars(t).values() if isinstance(c, type) and c.__module__ == t.__name__]
missing = 0
for thing in [*there, *(c for m in kept.values() for c in vars(m).values() if isinstance(c, type))]:
    for prop in vars(thing).values():
        getter = getattr(prop, "fget", None)
        if getter is None or not thing.__module__.startswith("{package}"):
            continue
        try:
            typing.get_type_hints(getter, vars(sys.modules[thing.__module__]), {{"Output": pulumi.Output, "T": None}})
        except (NameError, AttributeError):
            missing += 1
print(len(there), whole, missing)
"""
MISSING = "from components import light_sdk; light_sdk.register('sdk_of_a_test', ['nothing'])"


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


@pytest.mark.parametrize("package", light_sdk.MODULES)
def test_the_modules_named_are_those_that_are_imported(package: str) -> None:
    file = "cloudflare_sdk.py" if package == "pulumi_cloudflare" else "compute_sdk.py"
    text = (PROJECT / "components" / file).read_text(encoding="utf-8")
    imported = set(re.findall(rf"^from {re.escape(package)}\.(\w+) import", text, re.MULTILINE))
    assert imported - set(light_sdk.TYPES) == set(light_sdk.MODULES[package])


@pytest.mark.parametrize("package", light_sdk.MODULES)
def test_the_nested_types_are_the_sdks_own_and_all_that_the_resources_name(package: str) -> None:
    code = SAME.format(package=package)
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
    kept, whole, unresolved = done.stdout.split()
    assert int(unresolved) == 0
    assert 0 < int(kept) < int(whole) / 3


def test_a_class_that_nothing_names_is_left_out_and_what_it_would_take_along_stays() -> None:
    classes = b"@d\nclass A:\n    b: 'B'\n\n@d\nclass B:\n    pass\n\n"
    source = b"import x\n\n__all__ = [\n 'A']\n\n" + classes + b"class C:\n    pass\n"
    kept = light_sdk.reduced(source, [b"A", b"Unknown"])
    assert re.sub(rb"\n+", b"\n", kept) == re.sub(rb"\n+", b"\n", b"import x\n" + classes + b'__all__ = ["A", "B"]\n')


def test_a_module_that_the_sdk_does_not_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "sdk_of_a_test").mkdir()
    (tmp_path / "sdk_of_a_test" / "__init__.py").touch()
    (tmp_path / "sdk_of_a_test" / "_inputs.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {MISSING}"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "nothing.py: correct the list of modules" in done.stderr


def test_a_package_that_is_imported_already_is_left_alone() -> None:
    assert light_sdk.register("json", ()) is sys.modules["json"]


def test_a_package_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(ModuleNotFoundError, match="make setup"):
        light_sdk.register("pulumi_that_does_not_exist", ())
