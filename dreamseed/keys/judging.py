"""Whether what a run would do is the exchange of one key, and nothing that must not come with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dreamseed.keys.resources import TOLD_BY, KeyResource
from rehearsal.runner.events import Change
from rehearsal.runner.resources import Action, Traits
from rehearsal.runner.resources import Resource as Seen


def faults(changes: Iterable[Change], key: KeyResource | None, classify: Callable[[Seen], Traits]) -> Iterator[str]:
    """Yield what must not happen while `key` is exchanged: a loss of state, or that another key changes."""
    allowed = _own(key) if key is not None else frozenset()
    for change in changes:
        resource, did = change.resource, change.action
        if resource.type in TOLD_BY and (resource.type, resource.name, did) not in allowed:
            yield f"another key would change: {did} {resource.urn}"
        elif classify(resource).stateful and did in (Action.REPLACE, Action.DELETE):
            yield f"state would be lost: {did} {resource.urn}"


def _own(key: KeyResource) -> frozenset[tuple[str, str | None, Action]]:
    """Return what is the exchange itself: the new generation comes, the previous one goes, or one changes in place."""
    if key.in_place:
        return frozenset({(key.type, key.current, Action.UPDATE)})
    return frozenset({(key.type, key.current, Action.CREATE), (key.type, key.previous, Action.DELETE)})
