from __future__ import annotations

import configparser
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jinja2
import pytest
import yaml

from dreamseed.planning.container import SECRET_CLOSE, SECRET_OPEN, Container, File
from dreamseed.planning.render import render
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from tests.planning.stage_oracle import OPEN_NOTHING
from tests.planning.stages import STAGE_NAMES, shipped

KNOWN_SECRETS = {*map(str, GeneratedSecret), *map(str, ProvidedSecret)}
SECRET_WORDS = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|AUTH)$")


def containers() -> Iterator[tuple[str, Container]]:
    return ((name, one) for name in STAGE_NAMES for one in shipped(name).containers)


def files(ending: str) -> dict[str, File]:
    """Every distinct file of all stages whose path ends so, by where it was found first."""
    found: dict[str, tuple[str, File]] = {}
    for name, one in containers():
        for file in one.files:
            if file.path.endswith(ending):
                found.setdefault(file.text, (f"{name} {one.name} {file.path}", file))
    return dict(found.values())


def filled(text: str) -> str:
    return text.replace(SECRET_OPEN, "").replace(SECRET_CLOSE, "")


def shell_errors(text: str, folder: Path) -> str:
    script = folder / "script.sh"
    script.write_text(text, encoding="utf-8")
    return subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False).stderr  # noqa: S607 - any POSIX shell will do


def test_every_shell_script_of_every_stage_parses(tmp_path: Path) -> None:
    scripts = files(".sh")
    assert len(scripts) >= 15
    assert {where: errors for where, file in scripts.items() if (errors := shell_errors(file.text, tmp_path))} == {}


def test_a_script_that_does_not_parse_would_be_noticed(tmp_path: Path) -> None:
    script = next(iter(files(".sh").values()))
    assert shell_errors(script.text + "if true; then\n", tmp_path)


@pytest.mark.parametrize("ending", [".yml", ".yaml"])
def test_every_yaml_file_of_every_stage_parses_to_a_mapping(ending: str) -> None:
    found = files(ending)
    assert found or ending == ".yaml"
    assert all(isinstance(yaml.safe_load(filled(file.text)), dict) for file in found.values())


def test_every_json_file_of_every_stage_parses() -> None:
    found = files(".json")
    assert len(found) >= 10
    for file in found.values():
        json.loads(filled(file.text))


def test_every_ini_file_of_every_stage_parses_without_a_key_given_twice() -> None:
    found = {**files("pgbouncer.ini"), **files("offsite.conf"), **files("local.conf"), **files("rclone.conf")}
    assert len(found) >= 4
    for where, file in found.items():
        parser = configparser.ConfigParser(interpolation=None, strict=True)
        parser.read_string(filled(file.text))
        assert parser.sections(), where


def test_every_properties_file_names_a_key_once() -> None:
    for where, file in files(".properties").items():
        keys = [line.split("=", 1)[0] for line in file.text.splitlines() if line and not line.startswith("#")]
        assert len(set(keys)) == len(keys), where


def test_a_template_that_asks_for_a_value_it_was_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("redis.conf.j2", port=6401)


def test_no_file_holds_what_a_template_leaves_behind() -> None:
    for name, one in containers():
        for file in one.files:
            assert "{%" not in file.text, (name, one.name, file.path)
            assert "Undefined" not in file.text, (name, one.name, file.path)
            assert " None" not in file.text, (name, one.name, file.path)


def test_secrets_stand_in_files_that_only_the_container_reads() -> None:
    seen = set()
    for name, one in containers():
        for file in one.files:
            if opening := set(file.secrets) - OPEN_NOTHING:
                assert file.mode in ("0400", "0440"), (name, one.name, file.path)
                assert opening <= KNOWN_SECRETS, (name, one.name, file.path)
                seen |= opening
    assert {"redis", "postgres-superuser", "vllm-api-key", "backup-key", "tunnel-token"} <= seen


def told(one: Container) -> list[str]:
    health = one.health.test if one.health else ()
    return [*one.command, *one.entrypoint, *health, *(f"{key}={value}" for key, value in one.environment.items())]


def leaks(one: Container) -> list[str]:
    """What a container is told outside of files that is a secret, or the place of one in its environment."""
    marked = [text for text in told(one) if SECRET_OPEN in text]
    return marked + [key for key in one.environment if SECRET_WORDS.search(key)]


def test_no_secret_stands_in_a_command_an_environment_or_a_check() -> None:
    assert {(name, one.name): found for name, one in containers() if (found := leaks(one))} == {}


def test_a_password_in_the_environment_would_be_noticed() -> None:
    one = next(iter(shipped("stage-b").redis.containers))
    assert leaks(replace(one, environment={"REDIS_PASSWORD": "x"})) == ["REDIS_PASSWORD"]
    assert leaks(replace(one, command=(f"--requirepass={SECRET_OPEN}redis{SECRET_CLOSE}",)))


def test_files_of_a_container_stand_at_paths_of_their_own() -> None:
    for name, one in containers():
        paths = [file.path for file in one.files]
        assert len(set(paths)) == len(paths), (name, one.name)
        assert all(path.startswith("/") for path in paths)


def arguments_with_secrets(text: str) -> list[str]:
    """The words of a script that give a program a user's password as an argument."""
    return re.findall(r"(?:--user|-u|-a|--pass(?:word)?)[ =]\S*\$\S+", text)


def test_no_script_gives_a_password_as_an_argument_that_a_process_list_shows() -> None:
    scripts = files(".sh")
    assert {where: found for where, file in scripts.items() if (found := arguments_with_secrets(file.text))} == {}
    assert arguments_with_secrets('curl --user "patroni:$password" http://db')
    assert arguments_with_secrets("redis-cli -a $(cat /run/secrets/redis)")
