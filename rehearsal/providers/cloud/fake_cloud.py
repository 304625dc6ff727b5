"""The fake cloud: create, read, update, delete and list over kept state, refusing what the real APIs refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal.providers.cloud import objects_gcp, objects_other
from rehearsal.providers.cloud.filling import PLACES, Draw, Filler
from rehearsal.providers.cloud.functions import FUNCTIONS, answer_of
from rehearsal.providers.cloud.generators import random_outputs
from rehearsal.providers.cloud.store import Row, Store
from rehearsal.providers.paths import find, segments
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import UNKNOWN, Values, like, plain
from rehearsal.tables.facts import UnknownTypeError, facts_for, lifecycle_for, tokens_with_facts
from rehearsal.tables.objects import ObjectRule
from rehearsal.tables.shapes import resource_shape

RULES = objects_gcp.RULES | objects_other.RULES
COMMON = objects_other.COMMON | {"gcp": objects_gcp.COMMON}
ALREADY_EXISTS = {
    "gcp": "googleapi: Error 409: '{identity}' already exists, alreadyExists",
    "docker": "Error response from daemon: Conflict: the name '{identity}' is already in use",
    "cloudflare": "409 Conflict: an object '{identity}' already exists",
    "grafana": "status: 409, body: '{identity}' already exists",
}
OWN_ALREADY_EXISTS = "'{identity}' already exists"


def rule_for(token: str) -> ObjectRule:
    """How the fake cloud makes a type; raises `UnknownTypeError` naming where to add it."""
    known = token in tokens_with_facts(token.partition(":")[0])
    rule = (facts_for(token).made if known else None) or RULES.get(token)
    if rule is None:
        place = "objects_gcp.py" if token.startswith("gcp:") else "objects_other.py"
        raise UnknownTypeError(
            f"the fake cloud cannot make {token}: add it to rehearsal/providers/cloud/{place}, or `made` to its table"
        )
    return rule


def _scope(token: str, config: Values) -> str:
    """Objects with one name on two Docker hosts are two objects."""
    return str(plain(config.get("host", "")) or "") if token.startswith("docker:") else ""


def _left_behind(row: Row, subject: Subject) -> bool:
    """Whether a killed run made it for this same resource on a server: the attached Docker provider adopts that, too.

    A second creation for one resource comes of nothing else: a container is deleted before it is made again.
    """
    return subject.token.startswith("docker:") and row.urn == subject.urn


def _refuse_creation(token: str, inputs: Values) -> None:
    """Refuse an input that the API takes in an update only."""
    for path, refusals in lifecycle_for(token).create_refused.items():
        for concrete, value in find(inputs, segments(path)):
            if str(plain(value)) in refusals:
                raise RefusedError(f"{concrete}: {refusals[str(plain(value))]}", RefusedError.Kind.INVALID_ARGUMENT)


class FakeCloud:
    """Everything that the rehearsals of one state directory have made.

    Tests and people may use `list`, `remove` and `edit` from another process to play what happens behind the engine's
    back.
    """

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory)

    def close(self) -> None:
        """Close the state's file."""
        self._store.close()

    def create(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """Make an object; a second one of the same identity is refused unless its API takes it."""
        token, rule = subject.token, rule_for(subject.token)
        _refuse_creation(token, inputs)
        placed = planned | {
            key: subject.config[key] for key in PLACES if plain(planned.get(key)) is UNKNOWN and subject.config.get(key)
        }
        placed |= {
            key: like(placed[key], value) for key, value in random_outputs(token, placed).items() if key in placed
        }
        filler = self._filler(subject, rule, placed, "made")
        filler.id = filler.text(rule.id, needed=True)
        outputs = filler.fill(resource_shape(token))
        if rule.local:
            return Found(filler.id, inputs, outputs)
        scope, identity = _scope(token, subject.config), filler.text(rule.unique or rule.id, sealed=True)
        taken = None if rule.upsert or not rule.unique else self._store.by_identity(token, scope, identity)
        if taken is not None and _left_behind(taken, subject):
            self._store.remove(taken)
        elif taken is not None:
            message = ALREADY_EXISTS.get(token.partition(":")[0], OWN_ALREADY_EXISTS).format(identity=identity)
            raise RefusedError(message, RefusedError.Kind.ALREADY_EXISTS)
        kept = self._store.sealed(inputs), self._store.sealed(outputs)
        self._store.put(Row(token, scope, filler.id, identity, subject.urn, *kept))
        return Found(filler.id, inputs, outputs)

    def _filler(self, subject: Subject, rule: ObjectRule, planned: Values, event: str) -> Filler:
        filler = Filler(rule, COMMON.get(subject.token.partition(":")[0], {}), planned, Draw("", 0))
        seed = f"{subject.token}/{filler.text(rule.seed)}" if rule.seed else subject.urn
        count = self._store.count(f"{seed} {event}")
        filler.draw = Draw(seed if rule.seed else f"{seed} {event} {count}", count)
        name = rule.outputs.get("name")
        if planned.get("name") is UNKNOWN and isinstance(name, str) and "{id}" not in name:
            filler.values = planned | {"name": filler.text(name)}
        return filler

    def _find(self, subject: Subject, object_id: str) -> Row | None:
        return self._store.by_id(subject.token, _scope(subject.token, subject.config), object_id, subject.urn)

    def _imported(self, subject: Subject, given: str) -> Row | None:
        """An object by what a person writes to import it: its id, or a longer or shorter form of it."""
        exact = self._find(subject, given)
        if exact is not None:
            return exact
        scope = _scope(subject.token, subject.config)
        rows = [row for row in self._store.rows(subject.token) if row.scope == scope]
        near = [r for r in rows if r.id.endswith(f"/{given}") or given.endswith(f"/{r.id}") or r.identity == given]
        return near[0] if len(near) == 1 else None

    def read(self, subject: Subject, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The object as kept now, or None when it is gone."""
        if rule_for(subject.token).local:
            return Found(resource_id, inputs, state) if state else None
        row = self._find(subject, resource_id) if state else self._imported(subject, resource_id)
        if row is None:
            return None
        outputs = self._store.opened(row.outputs, state)
        kept = self._store.opened(row.inputs, inputs)
        if not isinstance(outputs, dict) or not isinstance(kept, dict):
            raise TypeError("an object's properties are kept as an object")
        if inputs:
            kept = {key: kept[key] for key in inputs if key in kept}
        return Found(row.id, kept, outputs)

    def update(self, subject: Subject, resource_id: str, inputs: Values, planned: Values) -> Values:
        """Change an object in place; one that is gone is refused."""
        rule = rule_for(subject.token)
        row = None if rule.local else self._find(subject, resource_id)
        if row is None and not rule.local:
            raise RefusedError(
                f"{subject.token} '{resource_id}' was not found: it was deleted outside; run `pulumi refresh` first",
                RefusedError.Kind.NOT_FOUND,
            )
        filler = self._filler(subject, rule, planned, "updated")
        filler.id = resource_id
        outputs = filler.fill(resource_shape(subject.token))
        if row is not None:
            kept = self._store.sealed(inputs), self._store.sealed(outputs)
            self._store.put(replace(row, inputs=kept[0], outputs=kept[1], urn=subject.urn))
        return outputs

    def delete(
        self,
        subject: Subject,
        resource_id: str,
        state: Values | None = None,  # noqa: ARG002 - real clouds need it; here the kept object says how it goes
    ) -> None:
        """Remove an object, unless the API guards it."""
        rule, row = rule_for(subject.token), self._find(subject, resource_id)
        if row is None:
            return
        if rule.guard and any(value is True for _, value in find(row.outputs, segments(rule.guard))):
            raise RefusedError(
                f"the API refuses to delete '{resource_id}': {rule.guard} is true; set it to false and apply first"
            )
        self._store.remove(row)

    def list(self, token: str = "") -> Sequence[Found]:
        """Every object of a type, or of all; secrets show as their digests."""
        return [Found(row.id, row.inputs, row.outputs) for row in self._store.rows(token)]

    def tokens(self) -> Sequence[str]:
        """The types of which there are objects, in alphabetical order."""
        return sorted({row.token for row in self._store.rows()})

    def invoke(self, function: str, arguments: Values, config: Values) -> Values:
        """A function of a provider; one without a handler is refused, naming where to add it."""
        handler = FUNCTIONS.get(function) or answer_of(function)
        if handler is None:
            raise RefusedError(
                f"no handler for the function {function}: add one to rehearsal/providers/cloud/functions.py, or its "
                "answer to `functions` in `_meta` of its package's table",
                RefusedError.Kind.UNIMPLEMENTED,
            )
        return handler(arguments, config, self._store)

    def remove(self, token: str, object_id: str) -> None:
        """Delete an object by hand, past every guard; raises KeyError when there is none."""
        self._store.remove(self._by_hand(token, object_id))

    def edit(self, token: str, object_id: str, changes: Mapping[str, Any]) -> None:
        """Change top-level properties of an object by hand; raises KeyError when there is none."""
        row = self._by_hand(token, object_id)
        inputs = row.inputs | {key: value for key, value in changes.items() if key in row.inputs}
        self._store.put(replace(row, inputs=inputs, outputs=row.outputs | dict(changes)))

    def _by_hand(self, token: str, object_id: str) -> Row:
        for row in self._store.rows(token):
            if row.id == object_id:
                return row
        raise KeyError(f"no {token} with the id {object_id}")
