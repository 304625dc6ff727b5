"""One comment of our own on a pull request: found by the marker in its first line, edited in place, or created."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

import pydantic
import tenacity

from dreamseed.errors import PostingError
from dreamseed.github.api import Api
from dreamseed.github.pull_request import PullRequest
from dreamseed.github.refusals import PassingError, one_line

MOST_CHARACTERS = 65_536
"""GitHub's limit of a comment; it answers 422 "Body is too long (maximum is 65536 characters)" above."""
TRIES = 4
FIRST_WAIT_SECONDS = 2.0
"""Doubled after each try, where the refusal does not say how long to wait."""
LONGEST_WAIT_SECONDS = 90.0
"""A rate limit that asks for more is an error at once."""


class Author(pydantic.BaseModel):
    """Who wrote a comment."""

    login: str


class Comment(pydantic.BaseModel):
    """A comment as GitHub lists it; the author is None when the account was deleted."""

    id: int
    html_url: Annotated[str, pydantic.AfterValidator(one_line)]
    body: str | None = None
    user: Author | None = None


T = TypeVar("T")
_PAGE = pydantic.TypeAdapter(list[Comment])
_ONE = pydantic.TypeAdapter(Comment)


class Outcome(StrEnum):
    """What was done."""

    CREATED = "created"
    EDITED = "edited"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Posted:
    """The comment's address, what was done, and further comments of ours with the marker, which were left alone."""

    outcome: Outcome
    url: str
    others: tuple[str, ...] = ()


def post(
    body: str, marker: str, pull_request: PullRequest, api: Api, sleep: Callable[[float], None] = time.sleep
) -> Posted:
    """Make `body`, whose first line is `marker`, our comment on the pull request; raises `PostingError`.

    Each try looks through all comments first. So a create whose answer was lost is not made twice: the next try finds
    the comment. Of several the oldest is edited.
    """
    if not has_marker(body, marker):
        raise ValueError(f"the comment does not begin with the line {marker}: it would not be found again")
    if len(body) > MOST_CHARACTERS:
        raise PostingError(
            str(pull_request),
            f"the comment has {len(body):,} characters",
            f"GitHub takes {MOST_CHARACTERS:,} at most",
            "compare stages whose names are shorter, or attach the file that --markdown writes",
        )
    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        wait=_wait_seconds,
        stop=tenacity.stop_after_attempt(TRIES),
        sleep=sleep,
        reraise=True,
    )
    return trying(_look_and_write, body, marker, pull_request, api)


def has_marker(body: str | None, marker: str) -> bool:
    """Tell whether the first line is the marker; quoted or in the middle of a text it marks nothing."""
    return (body or "").splitlines()[:1] == [marker]


def is_own(comment: Comment, viewer: str) -> bool:
    """Tell whether the token's owner wrote it: anyone may write the marker, and many tokens may edit everything."""
    return comment.user is not None and comment.user.login == viewer


def _look_and_write(body: str, marker: str, pull_request: PullRequest, api: Api) -> Posted:
    viewer = api.viewer()
    ours = [each for each in _all(pull_request, api) if has_marker(each.body, marker) and is_own(each, viewer)]
    if not ours:
        created = _checked(_ONE, api.send("POST", pull_request.comments_path, {"body": body}), pull_request)
        return Posted(Outcome.CREATED, created.html_url)
    oldest, *others = sorted(ours, key=lambda each: each.id)
    outcome = Outcome.UNCHANGED
    if (oldest.body or "").splitlines() != body.splitlines():
        api.send("PATCH", pull_request.comment_path(oldest.id), {"body": body})
        outcome = Outcome.EDITED
    return Posted(outcome, oldest.html_url, tuple(each.html_url for each in others))


def _all(pull_request: PullRequest, api: Api) -> Iterator[Comment]:
    for page in api.pages(pull_request.comments_path):
        yield from _checked(_PAGE, page, pull_request)


def _checked(form: pydantic.TypeAdapter[T], answer: object, pull_request: PullRequest) -> T:
    try:
        return form.validate_python(answer)
    except pydantic.ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the whole"
        raise PostingError(
            str(pull_request),
            f"the answer about its comments has another form than GitHub's: {place}: {fault['msg']}",
            "another server or a proxy may have answered",
            "set GITHUB_API_URL to the address of GitHub's interface",
        ) from error


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, PassingError) and (error.wait_seconds or 0) <= LONGEST_WAIT_SECONDS


def _wait_seconds(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.wait_seconds if isinstance(error, PassingError) else None
    return FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1) if told is None else told
