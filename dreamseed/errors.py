"""Errors that a user can act on: where, what, why and what to write instead."""

from __future__ import annotations


class DreamSeedError(Exception):
    """A refusal with its place, its reason and its remedy.

    `where` is a path such as ``stage-c › kafka › brokers``; `what` states the fault, `why` the rule behind
    it, `remedy` what to write instead.
    """

    def __init__(self, where: str, what: str, why: str, remedy: str) -> None:
        self.where = where
        self.what = what
        self.why = why
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  why: {self.why}\n  write instead: {self.remedy}"


class ConfigError(DreamSeedError):
    """A stage file says something that no stage may say."""


class PlanError(DreamSeedError):
    """A stage file is well formed, but what it asks for cannot work."""


class PromotionError(DreamSeedError):
    """Two stages are each sound, but the step from one to the other is not."""


class PostingError(DreamSeedError):
    """A comment could not be posted to a pull request."""


class ConfigErrors(Exception):  # noqa: N818 - it holds several errors
    """Every fault of one stage file at once, in the file's order."""

    def __init__(self, errors: tuple[ConfigError, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))
