"""The judge that answers from the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rehearsal.providers.judge.difference import Comparison, zero_is_unset
from rehearsal.providers.judge.names import autoname
from rehearsal.providers.judge.notes import CHECKS
from rehearsal.providers.judge.plan import planner_for, sealed
from rehearsal.providers.judge.rules import check_rules
from rehearsal.providers.judge.structure import check_fields
from rehearsal.providers.seams import Checked, Difference, PropertyChange, RefusedError, Subject
from rehearsal.providers.values import Secret, Value, Values, plain, revealed
from rehearsal.tables.facts import TypeFacts, facts_for, lifecycle_for
from rehearsal.tables.shapes import Kind, Shape, config_shape, resource_shape

DEFAULTS = "__defaults"
# Configuration that the engine itself adds to a provider instance.
ENGINE_CONFIG = frozenset({"version", "pluginDownloadURL"})


class TableJudge:
    """Judges by `rehearsal/tables`; keeps nothing between calls."""

    def check_config(self, package: str, inputs: Values) -> Checked:
        """Unknown keys and mistyped values are wrong; values that are no text arrive as JSON texts."""
        fields = config_shape(package)
        parsed = {
            key: _parsed(value, fields[key]) if key in fields else value
            for key, value in inputs.items()
            if key not in ENGINE_CONFIG
        }
        return Checked(inputs, list(check_fields(parsed, fields)))

    def check(self, subject: Subject, inputs: Values, old_inputs: Values, seed: bytes) -> Checked:
        """Names filled in, secrets marked, and every broken rule of the type's table."""
        facts = facts_for(subject.token)
        named = self._named(subject, facts, inputs, old_inputs, seed)
        failures = list(check_fields(named, resource_shape(subject.token).inputs))
        failures += check_rules(named, facts)
        if subject.token in CHECKS:
            failures += CHECKS[subject.token](named)
        return Checked(sealed(named, facts.secret), failures)

    @staticmethod
    def _named(subject: Subject, facts: TypeFacts, inputs: Values, old_inputs: Values, seed: bytes) -> Values:
        prop = facts.autoname
        given = {key: value for key, value in inputs.items() if key != DEFAULTS}
        if prop is None or given.get(prop) is not None:
            return given
        rivals = {other for group in facts.conflicts if prop in group for other in group} - {prop}
        if any(given.get(rival) is not None for rival in rivals):
            return given
        if prop in plain_list(old_inputs.get(DEFAULTS)) and old_inputs.get(prop) is not None:
            return given | {prop: old_inputs[prop], DEFAULTS: [prop]}
        package = subject.token.partition(":")[0]
        return given | {prop: autoname(package, prop, subject.name, seed + subject.urn.encode()), DEFAULTS: [prop]}

    def diff(
        self,
        subject: Subject,
        old_inputs: Values,  # noqa: ARG002 - a vendor's plugin needs it; the tables compare the outputs in state
        state: Values,
        inputs: Values,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """State against plan; a difference under an ignored path is none."""
        planned = planner_for(subject.token).update(state, inputs, subject.config)
        before, after = revealed(state), revealed(planned)
        if not isinstance(before, dict) or not isinstance(after, dict):
            raise TypeError("a resource's properties are an object")
        changes = [
            change
            for change in Comparison(subject.token, before, after).changes()
            if not any(_is_below(change.path, ignored) for ignored in ignore_changes)
        ]
        return Difference(changes, self._delete_first(subject.token, changes, inputs, before, after))

    @staticmethod
    def _delete_first(
        token: str, changes: Sequence[PropertyChange], inputs: Values, before: Values, after: Values
    ) -> bool:
        facts, lifecycle = facts_for(token), lifecycle_for(token)
        if not any(change.replaces for change in changes):
            return False
        if lifecycle.delete_first_while_same:
            explicit = [key for key in lifecycle.delete_first_while_same if key not in plain_list(inputs.get(DEFAULTS))]
            return any(inputs.get(key) is not None and before.get(key) == after.get(key) for key in explicit)
        bridged = zero_is_unset(token.partition(":")[0])
        named = facts.autoname is not None and facts.autoname not in plain_list(inputs.get(DEFAULTS))
        return facts.delete_before_replace or (bridged and named)

    def plan_create(self, subject: Subject, inputs: Values) -> Values:
        """Inputs, constant defaults, and unknown for what the cloud computes."""
        return planner_for(subject.token).create(inputs, subject.config)

    def plan_update(
        self,
        subject: Subject,
        state: Values,
        inputs: Values,
        old_inputs: Values | None = None,  # noqa: ARG002 - as in `diff`
    ) -> Values:
        """As for a new resource, but what state knows stays known."""
        return planner_for(subject.token).update(state, inputs, subject.config)

    def seal(self, subject: Subject, values: Values) -> Values:
        """Everything at the table's secret paths is marked secret."""
        return sealed(values, facts_for(subject.token).secret)

    def keeps_on_delete(self, subject: Subject, state: Values) -> bool:
        """Raises `RefusedError` while a guard in state holds; an update of its own must lift it first."""
        facts, lifecycle = facts_for(subject.token), lifecycle_for(subject.token)
        guard = facts.deletion_protection
        if guard is not None and plain(state.get(guard)) is True:
            raise RefusedError(
                f"cannot destroy {subject.name} ({subject.token}) without setting {guard}=false and running "
                "`pulumi up` first: the value in state decides"
            )
        policy = plain(state.get("deletionPolicy"))
        if policy == "PREVENT":
            raise RefusedError(
                f"cannot destroy {subject.name} ({subject.token}): deletionPolicy is PREVENT in state; set it to "
                "DELETE or ABANDON and run `pulumi up` first"
            )
        kept = lifecycle.delete_keeps
        if isinstance(kept, str):
            return plain(state.get(kept)) is not True
        if isinstance(kept, dict):
            return any(plain(state.get(path)) in values for path, values in kept.items())
        return kept or policy == "ABANDON"


def plain_list(value: Value) -> list[Value]:
    """A list out of its wrapper, empty for anything else."""
    bare = plain(value)
    return bare if isinstance(bare, list) else []


def _parsed(value: Value, shape: Shape) -> Value:
    """A configuration value that is no text travels as JSON text."""
    bare = plain(value)
    if shape.kind is Kind.STRING or not isinstance(bare, str):
        return value
    try:
        parsed: Value = json.loads(bare)
    except json.JSONDecodeError:
        return value
    return Secret(parsed) if isinstance(value, Secret) else parsed


def _is_below(path: str, ignored: str) -> bool:
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))
