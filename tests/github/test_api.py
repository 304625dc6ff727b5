"""Refusals in words, and that the token goes nowhere but to GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from dreamseed.errors import PostingError
from dreamseed.github.api import Api
from dreamseed.github.pull_request import PullRequest
from tests.github.posting import OLD, refused
from tests.github.server import LIST, TOKEN, VIEWER, FakeGitHub, Fault, serving


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (301, "Moved Permanently", "write its new name"),
        (401, "Bad credentials", "set GITHUB_TOKEN to a valid token"),
        (403, "Resource not accessible by integration", "permissions: pull-requests: write"),
        (404, "Not Found", "check OWNER/REPO#NUMBER"),
        (410, "This issue was deleted", "name a pull request that is there"),
        (418, "teapot", "check GITHUB_API_URL"),
        (422, "Validation Failed", "mend what it names"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_is_not_tried_again_and_says_where_what_why_and_what_to_do(
    github: FakeGitHub, method: str, status: int, message: str, remedy: str
) -> None:
    github.faults = [Fault(method, status, {"Location": "http://elsewhere.example/"}, {"message": message})]
    text = refused(github)
    assert text.startswith(f"{method} {github.url}{LIST}: GitHub answers {status}: {message}\n  why: ")
    assert remedy in text
    assert github.faults == []
    assert len(github.writes()) == (method == "POST")


def test_the_faults_that_github_names_are_shown_on_one_line_without_control_characters(github: FakeGitHub) -> None:
    errors = [{"message": "Body is too long\n::error::\x1b[31m (maximum is 65536 characters)"}, {"code": "custom"}]
    github.faults = [Fault("POST", 422, answer={"message": "Validation Failed", "errors": errors})]
    shown = "Validation Failed; Body is too long ::error:: [31m (maximum is 65536 characters)"
    assert refused(github).splitlines()[0].endswith(f"GitHub answers 422: {shown}")


@pytest.mark.parametrize("answer", [b"<html>proxy</html>", {"message": "fine"}, [{"id": "x"}], [3]])
def test_an_answer_that_is_not_githubs_is_refused_before_anything_is_written(github: FakeGitHub, answer: Any) -> None:
    github.faults = [Fault("GET", 200, answer=answer)]
    assert "GITHUB_API_URL" in refused(github)
    assert github.writes() == []


@pytest.mark.parametrize(
    "viewer", [{"errors": [{"message": "API rate limit exceeded"}]}, {"data": {"viewer": None}}, {"data": None}, []]
)
def test_nothing_is_edited_where_it_cannot_be_told_whose_token_it_is(github: FakeGitHub, viewer: Any) -> None:
    github.viewer = viewer
    github.write(OLD)
    assert "GitHub does not tell whose token it is" in refused(github)
    assert github.writes() == []


def test_every_request_names_the_version_of_the_interface_the_program_and_the_token(github: FakeGitHub) -> None:
    github.write(OLD)
    with Api(github.url, TOKEN) as api:
        assert api.viewer() == VIEWER
        assert len(list(api.pages(LIST))) == 1
    for headers in github.headers:
        assert headers["X-GitHub-Api-Version"] == "2022-11-28"
        assert headers["Accept"] == "application/vnd.github+json"
        assert headers["User-Agent"] == "dreamseed-infrastructure"
        assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert github.asked == [("POST", "/graphql"), ("GET", f"{LIST}?per_page=100")]


def test_on_a_server_of_ones_own_queries_are_answered_beside_the_interface(github: FakeGitHub) -> None:
    with Api(f"{github.url}/api/v3", TOKEN) as api, pytest.raises(PostingError):
        api.viewer()
    assert github.asked == [("POST", "/api/graphql")]


def test_a_next_page_on_another_server_is_not_asked_for(github: FakeGitHub) -> None:
    github.most_per_page = 1
    github.write("one", "a-person")
    github.write("two", "a-person")
    with serving() as other:
        github.next_page = f"{other.url}{LIST}"
        assert "elsewhere or read already" in refused(github)
        assert other.asked == []
    assert github.writes() == []


def test_a_next_page_without_a_valid_address_is_an_error(github: FakeGitHub) -> None:
    github.most_per_page = 1
    github.write("one", "a-person")
    github.write("two", "a-person")
    github.next_page = "http://127.0.0.1:port/"
    assert "its next page has no valid address" in refused(github)


def test_pages_that_lead_back_end(github: FakeGitHub) -> None:
    github.most_per_page = 1
    github.write("one", "a-person")
    github.write("two", "a-person")
    github.next_page = f"{github.url}{LIST}?per_page=100"
    assert "elsewhere or read already" in refused(github)


def test_a_server_that_does_not_answer_is_an_error_with_the_remedy(github: FakeGitHub) -> None:
    github.silent.set()
    with Api(github.url, TOKEN, timeout_seconds=0.05) as api, pytest.raises(PostingError, match="no answer") as error:
        api.viewer()
    assert "run the same command again: it looks first" in str(error.value)


def test_a_server_that_is_not_there_is_an_error_with_the_remedy() -> None:
    with serving() as github:
        gone = github.url
    with Api(gone, TOKEN) as api, pytest.raises(PostingError, match="no answer"):
        api.viewer()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.github.com", "the token would be sent unencrypted"),
        ("http://127.0.0.1.example", "the token would be sent unencrypted"),
        ("ftp://api.github.com", "it is no address of a server"),
        ("api.github.com", "it is no address of a server"),
        ("https://", "it is no address of a server"),
        ("https://api.github.com:port", "Invalid port"),
    ],
)
def test_an_address_that_is_none_or_would_show_the_token_is_refused(url: str, why: str) -> None:
    with pytest.raises(PostingError) as error:
        Api.from_environment({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": url})
    assert str(error.value).startswith("GITHUB_API_URL: ")
    assert why in str(error.value)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("url", ["https://api.github.com", "https://github.example/api/v3", "http://localhost:1", ""])
def test_an_address_that_keeps_the_token_secret_is_taken(url: str) -> None:
    with Api.from_environment({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": url}) as api:
        assert isinstance(api, Api)


@pytest.mark.parametrize(
    ("token", "what"),
    [("", "no token"), (f"{TOKEN}\n", "malformed"), (f" {TOKEN}", "malformed"), (f"{TOKEN}é", "malformed")],
)
def test_a_token_that_is_missing_or_malformed_is_refused_without_showing_it(token: str, what: str) -> None:
    with pytest.raises(PostingError) as error:
        Api.from_environment({"GITHUB_TOKEN": token})
    assert str(error.value).startswith("GITHUB_TOKEN: ")
    assert what in str(error.value)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize(("variable", "value"), [("ALL_PROXY", "gopher://proxy"), ("SSL_CERT_FILE", "/nowhere.pem")])
def test_a_proxy_or_certificates_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(PostingError, match="no connection can be set up with them"):
        Api.from_environment({"GITHUB_TOKEN": TOKEN})


@pytest.mark.parametrize("text", ["dreamseedai/infrastructure#7", "a/b.c_d-e#1", "user_short/x#4294967296"])
def test_a_pull_request_is_named_by_owner_repository_and_number(text: str) -> None:
    assert str(PullRequest.read(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "7", "#7", "a/b", "a/b#0", "a/b#-1", "a/b#x", "a/b/c#7", "a/..#7", "a/b?#7", "a b/c#7", "a/b#7\n", "a/b#٧"],
)
def test_another_name_of_a_pull_request_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="write OWNER/REPO#NUMBER"):
        PullRequest.read(text)
