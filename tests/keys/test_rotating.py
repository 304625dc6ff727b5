"""The real engine on a small stack whose keys the command exchanges: killed on the way, and by wrong programs, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dreamseed.cli import build
from dreamseed.keys import rotating
from dreamseed.keys.bringing import RotationError
from rehearsal.chaos.verdict import differences
from rehearsal.runner.engine import Engine, Interruption, Reached, Run
from rehearsal.runner.resources import Action
from tests.keys.site import Stood, a_copy, declared, named, secret, stand, unlock
from tests.recovery.site import STACK, Site

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("keys")]
PASSWORD, B2_KEY, TOKEN = "RandomPassword", "ApplicationKey", "ZeroTrustAccessServiceToken"


class KilledError(BaseException):
    """The command dies here."""


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> Stood:
    return stand(Path(__file__).with_name("sample.py"), "stage-c", tmp_path_factory.mktemp("keys"))


@pytest.fixture
def site(stood: Stood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with a_copy(stood, tmp_path, monkeypatch) as copy:
        yield copy


def require_exchanged(site: Site, old: str, generation: int = 2) -> None:
    """The end of an exchange of the cache's password, however it came about."""
    assert declared(site) == {"redis": {"generation": generation}}
    passwords = named(site, PASSWORD)
    assert set(passwords) == {f"redis-{generation}", "postgres-monitor"}
    assert all(password["protect"] for password in passwords.values())
    new = secret(passwords[f"redis-{generation}"], "result")
    assert len(new) == 40
    assert new != old
    text = json.dumps(site.engine.read_state(STACK, show_secrets=True))
    assert old not in text
    assert old not in "".join(site.said)
    assert new not in "".join(site.said)
    assert text.count(new) >= 3  # the password, its copy in Secret Manager, the container's file
    preview = site.engine.preview(STACK, "stage-c", lambda _: None)
    assert preview.succeeded
    assert preview.events.all_changes() == []


def test_a_password_is_exchanged_and_nothing_stateful_is_touched(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = secret(named(site, PASSWORD)["redis"], "result")
    before = site.before()
    ups: list[Run] = []
    up = Engine.up

    def seen(engine: Engine, name: str, stage: str, reached: Reached) -> Run:
        ups.append(up(engine, name, stage, reached))
        return ups[-1]

    monkeypatch.setattr(Engine, "up", seen)
    result = site.run("keys", "rotate", "redis")
    assert result.exit_code == 0, result.output
    require_exchanged(site, old)
    first, second = ([(c.action, c.resource.name) for c in run.events.changes()] for run in ups)
    assert sorted(first) == [
        (Action.CREATE, "redis-2"),
        (Action.REPLACE, "redis"),  # the copy's version
        (Action.REPLACE, "redis"),  # the container
    ]
    assert second == [(Action.DELETE, "redis")]
    with site.cloud() as cloud:
        left = differences(site.before().state, cloud, before.objects)
    assert len(left) == 2  # the previous version in Secret Manager is switched off, and stays
    assert all("secretVersion" in line for line in left)
    assert site.run("keys", "rotate", "redis").exit_code == 0
    require_exchanged(site, old, generation=3)


@pytest.mark.parametrize("sentence", range(4))
def test_a_command_that_dies_after_any_sentence_is_run_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, sentence: int
) -> None:
    """The sentences: what is declared first, what it does, what is declared then, what that does."""
    old = secret(named(site, PASSWORD)["redis"], "result")
    count = iter(range(100))
    real = rotating.Rotation.run

    def dying(rotation: rotating.Rotation) -> None:
        def say(line: str) -> None:
            if next(count) == sentence:
                raise KilledError(line)

        monkeypatch.setattr(rotating.Rotation, "run", real)
        object.__setattr__(rotation.stack, "say", say)
        rotation.run()

    monkeypatch.setattr(rotating.Rotation, "run", dying)
    with pytest.raises(KilledError):
        site.run("keys", "rotate", "redis")
    both = {"generation": 2, "with_previous": True}
    assert declared(site) == {"redis": both if sentence < 2 else {"generation": 2}}
    result = site.run("keys", "rotate", "redis")
    assert result.exit_code == 0, result.output
    assert "going on with generation 2" in result.output
    require_exchanged(site, old)


@pytest.mark.parametrize("with_previous", [True, False])
def test_an_engine_killed_while_it_exchanges_is_run_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, with_previous: bool
) -> None:
    old = secret(named(site, PASSWORD)["redis"], "result")
    up = Engine.up
    runs: list[Run] = []

    def killed(engine: Engine, name: str, stage: str, reached: Reached) -> Run:
        interruption = Interruption(after_changes=1, at_once=1) if len(runs) == (not with_previous) else None
        runs.append(up(engine, name, stage, reached, interruption=interruption))
        return runs[-1]

    monkeypatch.setattr(Engine, "up", killed)
    first = site.run("keys", "rotate", "redis")
    assert runs[-1].interrupted
    assert first.exit_code == 1
    assert declared(site)["redis"].get("with_previous", False) is with_previous
    unlock(site)
    monkeypatch.setattr(Engine, "up", up)
    again = site.run("keys", "rotate", "redis")
    assert again.exit_code == 0, again.output
    require_exchanged(site, old)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("another key", r"another key would change: create urn:.*::postgres-monitor-2"),
        ("the data", r"state would be lost: replace urn:.*::redis-data"),
    ],
)
def test_a_program_that_would_do_more_is_refused_before_it_does_anything(
    site: Site, monkeypatch: pytest.MonkeyPatch, wrong: str, told: str
) -> None:
    before = site.before()
    monkeypatch.setenv("WRONG", wrong)
    with pytest.raises(RotationError, match=told):
        site.run("keys", "rotate", "redis")
    assert site.before().ids == before.ids
    assert site.before().passwords == before.passwords


def test_a_program_that_forgets_to_protect_the_new_one_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "no protection")
    result = site.run("keys", "rotate", "redis")
    assert result.exit_code == 1
    assert "redis-2 is not protected: the program must declare it so" in result.output
    assert not named(site, PASSWORD)["redis-2"].get("protect")


def test_a_key_to_a_bucket_is_exchanged_and_the_previous_one_is_deleted_at_backblaze(site: Site) -> None:
    before = named(site, B2_KEY)
    [(name, key)] = before.items()
    assert site.run("keys", "rotate", "content-key").exit_code == 0
    [(now, new)] = named(site, B2_KEY).items()
    assert now == f"{name}-2"
    assert new["id"] != key["id"]
    assert secret(new, "application_key") != secret(key, "application_key")


def test_the_service_token_stays_and_its_secret_is_exchanged(site: Site) -> None:
    [before] = named(site, TOKEN).values()
    assert site.run("keys", "rotate", "service-token").exit_code == 0
    [after] = named(site, TOKEN).values()
    assert after["id"] == before["id"]
    assert after["outputs"]["clientId"] == before["outputs"]["clientId"]
    assert secret(after, "clientSecret") != secret(before, "clientSecret")
    assert secret(before, "clientSecret") not in json.dumps(site.engine.read_state(STACK, show_secrets=True))
    entry = declared(site)["service-token"]
    assert entry["generation"] == 2
    assert after["inputs"]["previousClientSecretExpiresAt"] == entry["previous_until"]


def test_what_a_person_made_is_written_into_every_stage_file_and_brought_to_its_users(site: Site) -> None:
    new = "https://chat.example/hooks/the-new-one"
    value = site.folder / "value"
    value.write_text(f"{new}\n", encoding="utf-8")
    result = site.run("keys", "rotate", "alert-chat", "--value-file", str(value))
    assert result.exit_code == 0, result.output
    assert new not in result.output
    for file in site.config_file.parent.glob("Pulumi.stage-?.yaml"):
        text = file.read_text(encoding="utf-8")
        assert new not in text
        assert "# Examples, encrypted" in text
    version = named(site, "SecretVersion")["chat"]
    assert json.loads(version["inputs"]["secretData"]["plaintext"]) == new
    again = site.run("keys", "rotate", "alert-chat", "--value-file", str(value))
    assert "comes into use: nothing to do" in again.output


def test_an_exchange_does_not_begin_while_something_else_waits(site: Site) -> None:
    (site.project.directory / "__main__.py").write_text("", encoding="utf-8")
    site.engine.unprotect(STACK)
    with pytest.raises(RotationError, match=r"changes wait for an `up`.*\n.*\n.*pulumi up"):
        site.run("keys", "rotate", "redis")
    assert declared(site) == {}


def test_a_key_that_the_stack_does_not_have_is_refused(site: Site) -> None:
    with pytest.raises(RotationError, match=r"it has no tunnel\n  why: tunnel is not in its state"):
        site.run("keys", "rotate", "tunnel")
    assert declared(site) == {}


def test_the_list_tells_age_and_what_is_replaced(site: Site) -> None:
    result = site.run("keys", "list")
    assert result.exit_code == 0
    redis = result.output.split("\nredis: ")[1].split("\n")
    assert redis[1] == "  made by: the program"
    assert "files of redis-1, redis-2, redis-3, redis-cluster, redis-exporter" in redis[2]
    assert redis[3] == "  exchanged by: dreamseed keys rotate redis"
    assert redis[6].startswith("  age: 0 days, since 20")
    assert redis[6].endswith(", generation 1")


def test_what_no_command_exchanges_is_refused_with_what_a_person_does() -> None:
    options = ["--stack", STACK, "--config-file", "Pulumi.stage-c.yaml"]
    unknown = CliRunner().invoke(build(["keys"]), ["keys", "rotate", "nothing", *options])
    assert unknown.exit_code == 2
    told = CliRunner().invoke(build(["keys"]), ["keys", "rotate", "backup-cipher", *options])
    assert "makes every backup so far unreadable" in str(told.exception)
