"""The name of a pull request, as it is written in a command: OWNER/REPO#NUMBER."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

FORM = "OWNER/REPO#NUMBER"
_NAME = re.compile(r"(?P<owner>[A-Za-z0-9_-]+)/(?P<repository>[A-Za-z0-9._-]+)#(?P<number>[1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True)
class PullRequest:
    """One pull request of a repository."""

    owner: str
    repository: str
    number: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `text`; raises `ValueError` that says which form it must have."""
        found = _NAME.fullmatch(text)
        if found is None or found["repository"] in (".", ".."):
            raise ValueError(f"'{text}' names no pull request: write {FORM}, such as dreamseedai/infrastructure#7")
        return cls(found["owner"], found["repository"], int(found["number"]))

    @property
    def comments_path(self) -> str:
        """Where its comments are listed and created; a pull request is an issue there.

        Source: https://docs.github.com/en/rest/issues/comments (read 2026-11-26).
        """
        return f"/repos/{self.owner}/{self.repository}/issues/{self.number}/comments"

    def comment_path(self, comment: int) -> str:
        """Where one of its comments is edited."""
        return f"/repos/{self.owner}/{self.repository}/issues/comments/{comment}"

    def __str__(self) -> str:
        return f"{self.owner}/{self.repository}#{self.number}"
