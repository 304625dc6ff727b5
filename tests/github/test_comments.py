"""Which comment is edited, which is left alone, and that none is made twice, against a real server on loopback."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from dreamseed.cost.report.comment import MARKER
from dreamseed.errors import PostingError
from dreamseed.github import comments
from dreamseed.github.comments import LONGEST_WAIT_SECONDS, MOST_CHARACTERS, TRIES, Outcome
from dreamseed.github.refusals import PassingError, check
from tests.github.posting import NEW, OLD, posted, refused
from tests.github.server import VIEWER, FakeGitHub, Fault


def test_the_first_time_the_comment_is_created(github: FakeGitHub) -> None:
    github.write("looks good", "a-person")
    done = posted(github)
    assert (done.outcome, done.url, done.others) == (Outcome.CREATED, github.comments[1]["html_url"], ())
    assert github.bodies() == ["looks good", NEW]


def test_later_the_same_comment_is_edited_in_place(github: FakeGitHub) -> None:
    number = github.write(OLD)
    github.write("looks good", "a-person")
    assert posted(github).outcome is Outcome.EDITED
    assert github.bodies() == [NEW, "looks good"]
    assert github.asked[-1] == ("PATCH", f"/repos/dreamseedai/infrastructure/issues/comments/{number}")


@pytest.mark.parametrize("kept", [NEW, NEW.replace("\n", "\r\n"), NEW.rstrip()])
def test_a_comment_that_says_the_same_already_is_left_alone(github: FakeGitHub, kept: str) -> None:
    github.write(kept)
    assert posted(github).outcome is Outcome.UNCHANGED
    assert github.writes() == []


def test_a_comment_on_a_later_page_is_found(github: FakeGitHub) -> None:
    github.most_per_page = 2
    for _ in range(4):
        github.write("talk", "a-person")
    github.write(OLD)
    assert posted(github).outcome is Outcome.EDITED
    assert github.bodies() == ["talk"] * 4 + [NEW]
    assert sum(method == "GET" for method, _ in github.asked) == 3


def test_where_lines_end_as_in_a_browser_the_marker_is_found(github: FakeGitHub) -> None:
    github.write(OLD.replace("\n", "\r\n"))
    assert posted(github).outcome is Outcome.EDITED


@pytest.mark.parametrize(
    "body",
    [
        f"I wonder what wrote this:\n\n{OLD}",
        f"> {OLD}",
        f"{MARKER} is the marker",
        f" {OLD}",
        "<!-- dreamseed-costs -->\nanother tool's",
        "",
        None,
    ],
)
def test_a_comment_that_has_the_marker_elsewhere_is_not_touched(github: FakeGitHub, body: str | None) -> None:
    github.write(body)
    assert posted(github).outcome is Outcome.CREATED
    assert github.bodies() == [body, NEW]


@pytest.mark.parametrize("author", ["a-person", "github-actions", "GitHub-Actions[bot]", "another-app[bot]", None])
def test_a_comment_of_someone_else_is_not_touched_though_it_has_the_marker(
    github: FakeGitHub, author: str | None
) -> None:
    github.write(OLD, author)
    github.write(OLD)
    assert posted(github).outcome is Outcome.EDITED
    assert github.bodies() == [OLD, NEW]


def test_of_two_comments_with_the_marker_the_oldest_is_edited_and_the_other_named(github: FakeGitHub) -> None:
    github.most_per_page = 1
    github.write(OLD)
    github.write(OLD)
    done = posted(github)
    assert github.bodies() == [NEW, OLD]
    assert (done.url, done.others) == (github.comments[0]["html_url"], (github.comments[1]["html_url"],))


def _in_the_middle(body: str | None, marker: str) -> bool:
    return marker in (body or "")


def _anyones(comment: comments.Comment, viewer: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("rule", "mutant", "body", "author"),
    [
        ("has_marker", _in_the_middle, f"quoted:\n{OLD}", VIEWER),
        ("is_own", _anyones, OLD, "a-person"),
    ],
)
def test_a_rule_that_took_too_much_would_overwrite_what_is_not_ours(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    mutant: Callable[..., bool],
    body: str,
    author: str,
) -> None:
    github.write(body, author)
    monkeypatch.setattr(comments, rule, mutant)
    posted(github)
    assert github.bodies() == [NEW]


@pytest.mark.parametrize("done", [True, False])
def test_a_create_whose_answer_is_lost_is_looked_for_before_it_is_tried_again(github: FakeGitHub, done: bool) -> None:
    github.faults = [Fault("POST", done=done)]
    assert posted(github).outcome is (Outcome.UNCHANGED if done else Outcome.CREATED)
    assert github.bodies() == [NEW]
    assert github.writes() == (["POST"] if done else ["POST", "POST"])


def test_a_retry_that_did_not_look_again_would_create_twice(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "_all", lambda pull_request, api: iter(()))
    github.faults = [Fault("POST", done=True)]
    posted(github)
    assert github.bodies() == [NEW, NEW]


def test_an_edit_whose_answer_is_lost_is_found_done(github: FakeGitHub) -> None:
    github.write(OLD)
    github.faults = [Fault("PATCH", done=True)]
    assert posted(github).outcome is Outcome.UNCHANGED
    assert github.bodies() == [NEW]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_tried_again_after_growing_waits(github: FakeGitHub, method: str, status: int) -> None:
    if method == "PATCH":
        github.write(OLD)
    github.faults = [Fault(method, status), Fault(method, status)]
    waits: list[float] = []
    posted(github, waits=waits)
    assert github.bodies() == [NEW]
    assert waits == [2, 4]


def test_a_server_that_keeps_failing_is_given_up(github: FakeGitHub) -> None:
    github.faults = [Fault("POST", 503)] * (TRIES + 1)
    text = refused(github)
    assert "GitHub answers 503" in text
    assert "run the same command again later: it looks first" in text
    assert github.writes() == ["POST"] * TRIES


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_waited_for_as_long_as_it_says(github: FakeGitHub, status: int) -> None:
    github.faults = [Fault("POST", status, {"Retry-After": "7"})]
    waits: list[float] = []
    assert posted(github, waits=waits).outcome is Outcome.CREATED
    assert waits == [7]
    assert github.bodies() == [NEW]


def test_a_rate_limit_that_does_not_say_how_long_is_given_a_minute(github: FakeGitHub) -> None:
    github.faults = [Fault("GET", 403, answer={"message": "You have exceeded a secondary rate limit."})]
    waits: list[float] = []
    posted(github, waits=waits)
    assert waits == [60]


@pytest.mark.parametrize(("begins_anew", "wait_seconds"), [(1030, 31), (990, 1)])
def test_a_used_up_limit_is_waited_for_until_it_begins_anew(begins_anew: int, wait_seconds: float) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(begins_anew)}
    answer = httpx.Response(403, headers=headers, request=httpx.Request("GET", "https://api.github.com/"))
    with pytest.raises(PassingError) as error:
        check(answer, now=1000.0)
    assert error.value.wait_seconds == wait_seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": str(int(LONGEST_WAIT_SECONDS) + 1)},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"},
    ],
)
def test_a_rate_limit_that_lasts_long_is_an_error_at_once(github: FakeGitHub, headers: dict[str, str]) -> None:
    github.faults = [Fault("GET", 403, headers)]
    waits: list[float] = []
    assert "run the same command again in" in refused(github, waits)
    assert (waits, github.writes()) == ([], [])


def test_a_comment_that_is_longer_than_github_takes_is_refused_before_anything_is_sent(github: FakeGitHub) -> None:
    with pytest.raises(PostingError, match="the comment has 65,537 characters"):
        posted(github, NEW.ljust(MOST_CHARACTERS + 1, "x"))
    assert github.asked == []
    assert posted(github, NEW.ljust(MOST_CHARACTERS, "x")).outcome is Outcome.CREATED


def test_a_comment_without_its_marker_would_not_be_found_again_and_is_no_comment(github: FakeGitHub) -> None:
    with pytest.raises(ValueError, match="does not begin with the line"):
        posted(github, f"text\n{NEW}")
    assert github.asked == []
