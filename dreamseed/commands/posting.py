"""Post a comment to a pull request, and say on stderr where it is, or why it could not be."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from dreamseed.errors import PostingError
from dreamseed.github.pull_request import PullRequest


def pull_request_named(post: str | None) -> PullRequest | None:
    """Return the pull request that ``--post`` names, if it is given; raises `typer.BadParameter`."""
    try:
        return None if post is None else PullRequest.read(post)
    except ValueError as error:
        raise typer.BadParameter(f"--post: {error}") from error


def posted(body: str, marker: str, pull_request: PullRequest, environment: Mapping[str, str]) -> bool:
    """Post `body`, whose first line is `marker`; tell whether it could be."""
    from dreamseed.github.api import Api  # only here: the HTTP client would slow every other call down
    from dreamseed.github.comments import post

    try:
        with Api.from_environment(environment) as api:
            done = post(body, marker, pull_request, api)
    except PostingError as error:
        typer.echo(f"the comment was not posted: {error}", err=True)
        return False
    typer.echo(f"comment {done.outcome}: {done.url}", err=True)
    for other in done.others:
        typer.echo(f"an older run left a second comment, which is not kept up to date: delete {other}", err=True)
    return True
