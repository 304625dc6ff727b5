"""GitHub's interface, as far as a comment on a pull request needs it."""
