"""Posting to the GitHub of the tests: what was done, or in which words it was refused."""

from __future__ import annotations

import pytest

from dreamseed.cost.report.comment import MARKER
from dreamseed.errors import PostingError
from dreamseed.github.api import Api
from dreamseed.github.comments import Posted, post
from dreamseed.github.pull_request import PullRequest
from tests.github.server import TOKEN, FakeGitHub

PULL_REQUEST = PullRequest("dreamseedai", "infrastructure", 7)
OLD = f"{MARKER}\nold figures\n"
NEW = f"{MARKER}\nnew figures\n"


def posted(github: FakeGitHub, body: str = NEW, waits: list[float] | None = None) -> Posted:
    slept: list[float] = [] if waits is None else waits
    with Api(github.url, TOKEN) as api:
        return post(body, MARKER, PULL_REQUEST, api, sleep=slept.append)


def refused(github: FakeGitHub, waits: list[float] | None = None) -> str:
    with pytest.raises(PostingError) as error:
        posted(github, waits=waits)
    assert TOKEN not in str(error.value)
    return str(error.value)
