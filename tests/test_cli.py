from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed import cli
from dreamseed.config import STAGE_NAMES
from tests.program import PROJECT


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.build(("plan",)), ["plan", *arguments, "--project", str(PROJECT)])
    if result.exception:
        raise result.exception
    return result.output


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_plan_for_machines_holds_what_runs_where_and_what_it_survives(stage: str) -> None:
    plan = json.loads(run(stage, "--json"))
    assert plan["name"] == stage
    services = (
        "vllm",
        "autoscaler",
        "postgres",
        "redis",
        "kafka",
        "tunnel",
        "monitoring",
        "packet_filter",
        "wireguard",
    )
    containers = [container for service in services for container in plan[service]["containers"]]
    for load in plan["loads"]:
        own = [container for container in containers if container["host"] == load["host"]["name"]]
        assert own
        assert load["memory_mib"] == sum(container["memory_mib"] for container in own) <= load["host"]["memory_mib"]
    assert all(invariant["holds"] for invariant in plan["invariants"])
    assert {claim["component"] for claim in plan["survivability"]} >= {"vllm", "etcd", "the service"}


def test_a_plan_for_people_says_why_other_gpu_layouts_were_refused() -> None:
    reason = "40 attention heads are not divisible by 3"
    assert reason in " ".join(run("stage-c", "--why").split())
    assert reason not in " ".join(run("stage-c").split())


def test_a_promotion_names_what_is_replaced_and_what_is_not_touched() -> None:
    promotion = json.loads(run("stage-d", "--from", "stage-c", "--json"))
    replaced = {change["name"] for change in promotion["containers"] if change["action"] == "replaced"}
    assert "server-1-vllm-2" in replaced
    assert "pg-1-1" not in replaced
    assert promotion["volumes_removed"] == []


def test_any_stage_file_can_be_planned(tmp_path: Path) -> None:
    text = (PROJECT / "Pulumi.stage-b.yaml").read_text(encoding="utf-8").replace("count: 2", "count: 1")
    path = tmp_path / "Pulumi.trial.yaml"
    path.write_text(text, encoding="utf-8")
    plan = json.loads(run("--file", str(path), "--json"))
    assert plan["name"] == "trial"
    assert [replica["gpu_indices"] for replica in plan["layout"]["replicas"]] == [[0]]


@pytest.mark.parametrize(
    ("arguments", "where", "remedy"),
    [
        (["plan", "stage-e", "--from", "stage-c"], "stage-e › service › stage", "stage D after C"),
        (["plan", "--file", "{odd}", "--project", str(PROJECT)], "odd › vllm › precision", "one of fp16, fp8, awq"),
        (["plan", "--file", "{tight}", "--project", str(PROJECT)], "tight › backup › keep_full", "keep_full: 15"),
        (["plan", "--file", "nowhere/Pulumi.stage-a.yaml", "--project", str(PROJECT)], "Pulumi.stage-a.yaml", "path"),
    ],
)
def test_what_a_user_can_mend_is_printed_without_a_traceback(
    arguments: list[str],
    where: str,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = (PROJECT / "Pulumi.stage-b.yaml").read_text(encoding="utf-8")
    spoilt = {
        "odd": shipped.replace("    redis:\n", "    vllm: {precision: int4}\n    redis:\n"),
        "tight": shipped.replace("keep_full: 15", "keep_full: 3"),
    }
    paths = {name: tmp_path / f"Pulumi.{name}.yaml" for name in spoilt}
    for name, text in spoilt.items():
        assert text != shipped
        paths[name].write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["dreamseed", *(argument.format(**paths) for argument in arguments)])
    monkeypatch.chdir(PROJECT)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert where in said
    assert remedy in said
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "stage-a", "--file", "x.yaml"], ["plan", "stage-x"]])
def test_a_stage_is_named_once_and_among_those_that_there_are(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli.build(("plan",)), arguments)
    assert result.exit_code == 2
    assert "stage-a" in result.output


def test_planning_imports_neither_an_engine_nor_a_provider() -> None:
    heavy = "{'pulumi', 'pulumi_gcp', 'pulumi_docker', 'rehearsal', 'components', 'b2sdk', 'grpc'}"
    code = (
        "import sys; from dreamseed import cli; sys.argv = ['dreamseed', 'plan', 'stage-a', '--json']\n"
        f"try: cli.main()\nexcept SystemExit: sys.stderr.write(repr(sorted({heavy} & set(sys.modules))))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert ran.stderr == "[]"
    assert json.loads(ran.stdout)["name"] == "stage-a"
