"""The script that loads Cloud SQL, with stand-ins for what it calls; real programs run in `dreamseed drill load`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.planning.stages import shipped

# What is asked of the target and of the instance is written down; `there` and `here` are the rows of both sides.
TOOLS = {
    "curl": """case "$*" in
  *metadata*) echo '{"access_token":"t"}' ;;
  *) echo "$*" | sed 's/.*activationPolicy":"\\([A-Z]*\\)".*/policy \\1/' >> asked ;;
esac""",
    "pg_isready": "exit 0",
    "pg_dump": 'case "$*" in *"--snapshot 0001"*) echo dumped ;; *) exit 9 ;; esac',
    "pg_restore": "cat > restored",
    "psql": """case "$*" in
  *"--host 127.0.0.1"*) while read -r line; do
      case "$line" in BEGIN*) echo 0001 ;; *all) cat there; echo all ;; esac
    done ;;
  *RENAME*) echo swapped >> asked ;;
  *dreamseed_incoming*--no-psqlrc*) case "$*" in *--command*) ;; *) cat here ;; esac ;;
esac""",
}
SOUND = "public.a|3\npublic.b|0\n"


def load(
    folder: Path, stage: str, *, there: str = SOUND, here: str = SOUND, without: str = ""
) -> tuple[int, list[str]]:
    """Return how the load of `stage` ends, and in which order the instance was told and the copies were swapped."""
    recovery = shipped(stage).recovery
    assert recovery is not None
    assert without in recovery.refresh_script
    tools = folder / "tools"
    tools.mkdir()
    for name, body in TOOLS.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o700)
    (folder / "there").write_text(there, encoding="utf-8")
    (folder / "here").write_text(here, encoding="utf-8")
    names = ("INSTANCE", "TARGET_HOST", "SOURCE_PASSWORD", "TARGET_PASSWORD")
    done = subprocess.run(
        ["/bin/bash", "-c", recovery.refresh_script.replace(without, "") if without else recovery.refresh_script],
        env={"PATH": f"{tools}{os.pathsep}/usr/bin:/bin", **dict.fromkeys(names, "x")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, (folder / "asked").read_text(encoding="utf-8").split("\n")[:-1]


def test_a_whole_copy_is_swapped_in_and_only_then_is_the_instance_stopped(tmp_path: Path) -> None:
    assert load(tmp_path, "stage-d") == (0, ["policy ALWAYS", "swapped", "policy NEVER"])
    assert (tmp_path / "restored").read_text(encoding="utf-8") == "dumped\n"


def test_a_standby_is_loaded_in_the_same_way_and_goes_on_running(tmp_path: Path) -> None:
    assert load(tmp_path, "stage-e") == (0, ["policy ALWAYS", "swapped"])


@pytest.mark.parametrize(
    "here",
    ["public.a|2\npublic.b|0\n", "public.a|3\n", "public.a|3\npublic.b|0\npublic.c|1\n", ""],
    ids=["a row is missing", "a table is missing", "a table too many", "nothing"],
)
def test_a_copy_with_other_rows_is_refused_and_the_one_before_it_stays(tmp_path: Path, here: str) -> None:
    assert load(tmp_path, "stage-d", here=here) == (1, ["policy ALWAYS", "policy NEVER"])


def test_the_order_of_tables_is_no_difference_and_an_empty_database_is_whole(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert load(tmp_path / "one", "stage-d", here="public.b|0\npublic.a|3\n")[0] == 0
    assert load(tmp_path / "two", "stage-d", there="", here="")[0] == 0


def test_a_load_that_compares_and_goes_on_would_swap_a_copy_that_lost_a_row(tmp_path: Path) -> None:
    status, asked = load(tmp_path, "stage-d", here="public.a|2\npublic.b|0\n", without="  exit 1\n")
    assert (status, "swapped" in asked) == (0, True)
