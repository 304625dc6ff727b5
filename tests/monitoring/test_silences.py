"""Silences in a real Alertmanager, and which alerts a promotion silences."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from typer.testing import CliRunner

from dreamseed import cli
from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.model import Concern
from dreamseed.monitoring.silences import MAXIMUM_HOURS, close_silence, open_silence, silences, touched_alerts
from dreamseed.planning.services.monitoring import plan_rules
from tests.monitoring.conftest import Alertmanager
from tests.monitoring.test_alertmanager import alert
from tests.planning.stages import ROOT, STAGE_NAMES, shipped

MOMENT = timedelta(milliseconds=1)
NOWHERE = httpx.MockTransport(lambda request: httpx.Response(404, text="not here"))


def opened(alertmanager: Alertmanager, *alerts: str, minutes: float = 30) -> str:
    return open_silence(alertmanager.url, alerts, author="mira", reason="B → C", minutes=minutes)


def test_an_open_silence_holds_its_alerts_and_no_others_until_it_is_closed(alertmanager: Alertmanager) -> None:
    identifier = opened(alertmanager, "RedisDown", "LlmReplicaDown")
    alertmanager.tell(alert("LlmReplicaDown", "critical"), alert("BackupOld"))
    alertmanager.wait_for(silent={"LlmReplicaDown"}, told={"BackupOld"})
    close_silence(alertmanager.url, identifier)
    alertmanager.wait_for(silent=set(), told={"LlmReplicaDown", "BackupOld"})


def test_a_silence_tells_who_wanted_it_why_and_when_it_ends(alertmanager: Alertmanager) -> None:
    before = datetime.now(UTC)
    identifier = opened(alertmanager, "RedisDown", "KafkaBrokerMissing", minutes=45)
    (held,) = silences(alertmanager.url)
    assert held.identifier == identifier
    assert (held.author, held.reason, held.state) == ("mira", "B → C", "active")
    assert held.matchers == ('alertname=~"KafkaBrokerMissing|RedisDown"',)
    # To the millisecond, as Alertmanager keeps it.
    assert before - MOMENT <= held.ends - timedelta(minutes=45) <= datetime.now(UTC)


def test_a_silence_is_closed_once_more_without_a_word_and_is_listed_no_more(alertmanager: Alertmanager) -> None:
    identifier = opened(alertmanager, "RedisDown")
    close_silence(alertmanager.url, identifier)
    close_silence(alertmanager.url, identifier)
    assert silences(alertmanager.url) == ()


def test_a_silence_that_nobody_holds_is_refused_by_its_place(alertmanager: Alertmanager) -> None:
    with pytest.raises(DreamSeedError, match=r"silence/8b1d5b4e-.*\n.*\n.*silence list"):
        close_silence(alertmanager.url, "8b1d5b4e-0000-4000-8000-000000000000")


def test_the_command_opens_lists_and_closes(alertmanager: Alertmanager) -> None:
    def silence(*words: str) -> str:
        result = CliRunner().invoke(cli.build(("silence",)), ["silence", *words, "--alertmanager", alertmanager.url])
        if result.exception:
            raise result.exception
        return result.output

    window = ("--author", "mira", "--reason", "new card", "--minutes", "20", "--project", str(ROOT))
    identifier = silence("open", "--promotion", "stage-b", "stage-c", "--alert", "HostDown", *window).strip()
    listed = silence("list")
    assert listed.startswith(f"{identifier} until ")
    assert "by mira: new card" in listed
    assert "HostDown" in listed
    assert "KafkaBrokerMissing" in listed
    silence("close", identifier)
    assert silence("list") == ""


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"alerts": ()}, "names no alert"),
        ({"alerts": (".*",)}, "is no alert's name"),
        ({"author": " "}, "silence › author"),
        ({"reason": ""}, "silence › reason"),
        ({"minutes": 0}, "silence › minutes"),
        ({"minutes": MAXIMUM_HOURS * 60 + 1}, "silence › minutes"),
    ],
)
def test_a_silence_of_everything_by_nobody_for_no_reason_or_for_ever_is_refused(
    change: dict[str, object], place: str
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    window = {"alerts": ("RedisDown",), "author": "mira", "reason": "B → C", "minutes": 30, **change}
    with pytest.raises(DreamSeedError, match=place):
        open_silence("http://a", window.pop("alerts"), **window, transport=httpx.MockTransport(answer))  # type: ignore[arg-type]
    assert asked == []


def test_an_alertmanager_that_is_not_there_or_refuses_is_an_error_with_its_url() -> None:
    for transport in (NOWHERE, httpx.MockTransport(_no_answer)):
        with pytest.raises(
            DreamSeedError, match=r"http://a › GET /api/v2/silences: (answers with 404|does not answer)"
        ):
            silences("http://a", transport=transport)


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(("old", "new"), list(itertools.pairwise(STAGE_NAMES)))
def test_a_promotion_silences_alerts_on_what_it_touches_and_never_backups_errors_cost_or_objectives(
    old: str, new: str
) -> None:
    silent = set(touched_alerts(shipped(old), shipped(new)))
    plan = shipped(new)
    alerts = [one for group in plan_rules(plan.config, plan.hosts, plan.services) for one in group.alerts]
    told = {one.name for one in alerts if one.concern in (Concern.BACKUP, Concern.ERRORS, Concern.COST)}
    assert told
    assert not silent & (told | {"HostDown"} | {one.name for one in alerts if "slo" in one.labels})
    # Prometheus and an exporter are replaced in each, and engines wait for new routers.
    assert {"LlmReplicaDown", "TargetDown"} <= silent


def test_what_a_promotion_leaves_alone_stays_loud() -> None:
    assert not {"PgDown", "EtcdMemberDown"} & set(touched_alerts(shipped("stage-b"), shipped("stage-c")))
    silent = set(touched_alerts(shipped("stage-c"), shipped("stage-d")))
    assert "PgDown" in silent
    assert not {"RedisDown", "KafkaBrokerMissing"} & silent
    assert touched_alerts(shipped("stage-c"), shipped("stage-c")) == ()
