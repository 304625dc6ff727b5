"""What GitHub's refusals mean: which pass when waited for, and what to do about the others.

Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api (read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from dreamseed.errors import PostingError

UNTOLD_WAIT_SECONDS = 60.0
"""How long to wait at a rate limit that does not say: "at least one minute"."""
MOST_SAID_CHARACTERS = 200
FORK = (
    "give the job `permissions: pull-requests: write`; a pull request from a fork gets a read-only token whatever is "
    'asked for: there write the comment with --markdown >> "$GITHUB_STEP_SUMMARY"'
)
MEANINGS: Mapping[int, tuple[str, str]] = {
    401: ("the token is not accepted: it is wrong, has expired or was revoked", "set GITHUB_TOKEN to a valid token"),
    403: ("the token may not do this here, or the conversation is locked", FORK),
    404: (
        "there is no such pull request or comment, or the token may not see the repository",
        "check OWNER/REPO#NUMBER, and that the token covers the repository",
    ),
    410: ("it was deleted, or the repository has no issues", "name a pull request that is there"),
    422: ("GitHub does not take what was sent", "mend what it names; --markdown shows the comment"),
}
OTHER = ("this program knows no meaning of that answer here", "check GITHUB_API_URL and the status of GitHub")
MOVED = ("the repository was renamed or moved, and a token is not sent after it", "write its new name")


class PassingError(PostingError):
    """A refusal, or an answer that was lost, which may pass; `wait_seconds` is None where nothing says how long."""

    def __init__(self, where: str, what: str, why: str, remedy: str, wait_seconds: float | None = None) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(where, what, why, remedy)


def check(response: httpx.Response, now: float) -> None:
    """Raise `PostingError` unless the answer is a success, `PassingError` where a later try may succeed.

    `now` is the time in seconds since 1970, UTC: a used-up limit says when it begins anew in that unit.
    """
    if response.is_success:
        return
    where = f"{response.request.method} {response.request.url.copy_with(query=None)}"
    what = f"GitHub answers {response.status_code}: {said(response)}"
    wait_seconds = _rate_limit_seconds(response, now)
    if wait_seconds is not None:
        remedy = f"run the same command again in {wait_seconds:.0f} s, and less often"
        raise PassingError(where, what, "too much was asked with this token", remedy, wait_seconds)
    if response.is_server_error:
        raise PassingError(where, what, "GitHub itself failed", "run the same command again later: it looks first")
    why, remedy = MOVED if response.is_redirect else MEANINGS.get(response.status_code, OTHER)
    raise PostingError(where, what, why, remedy)


def lost(request: httpx.Request, error: httpx.RequestError) -> PassingError:
    """Return the error for a request that got no answer; whether it was acted on is not known."""
    return PassingError(
        f"{request.method} {request.url.copy_with(query=None)}",
        f"no answer ({type(error).__name__}: {one_line(str(error))})",
        "the server was not reached or did not answer in time; what was sent may have been done",
        "check GITHUB_API_URL and the network, then run the same command again: it looks first",
    )


def said(response: httpx.Response) -> str:
    """Return the answer's own message on one line, the status' name where it has none."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    message = answer.get("message") if isinstance(answer, dict) else None
    errors = answer.get("errors") if isinstance(answer, dict) else None
    details = [
        each["message"] for each in errors or () if isinstance(each, dict) and isinstance(each.get("message"), str)
    ]
    parts = [part for part in (message, *details) if isinstance(part, str)]
    return one_line("; ".join(parts) or response.reason_phrase)


def one_line(text: str) -> str:
    """Return printable text of one line: what a server says must not steer a terminal or a log."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= MOST_SAID_CHARACTERS else line[:MOST_SAID_CHARACTERS] + " …"


def _rate_limit_seconds(response: httpx.Response, now: float) -> float | None:
    """Return how long a rate limit asks to wait, None where the answer is no rate limit."""
    headers = response.headers
    used_up = headers.get("x-ratelimit-remaining") == "0"
    limited = used_up or "retry-after" in headers or "rate limit" in said(response).lower()
    if response.status_code != 429 and not (response.status_code == 403 and limited):
        return None
    if headers.get("retry-after", "").isdecimal():
        return float(headers["retry-after"])
    if used_up and headers.get("x-ratelimit-reset", "").isdecimal():
        return max(0.0, float(headers["x-ratelimit-reset"]) - now) + 1
    return UNTOLD_WAIT_SECONDS
