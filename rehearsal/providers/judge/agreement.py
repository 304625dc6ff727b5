"""Where two judges of a package disagree: the tables, and the vendor's own plugin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.plugin_judge import PluginJudge
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.client import PluginFailedError
from rehearsal.providers.plugin.settling import SettledCloud
from rehearsal.providers.seams import Checked, Difference, Failure, Found, Judge, RefusedError, Subject
from rehearsal.providers.values import UNKNOWN, Value, Values, plain, revealed

SEED = bytes(32)
UNSET: tuple[Value, ...] = (None, "", 0, False, [], {})


@dataclass(frozen=True)
class Case:
    """A resource as a program declares it, and, where there is one, the change of it that is judged."""

    subject: Subject
    inputs: Values
    changed: Values | None = None


@dataclass(frozen=True)
class Side:
    """A judge, and a fake cloud of its own that makes what it plans."""

    judge: Judge
    fake: FakeCloud

    def make(self, subject: Subject, inputs: Values, planned: Values) -> Found:
        """Make a plan, and forget it again: the next case may have the same name."""
        cloud = SettledCloud(self.fake, self.judge.schema) if isinstance(self.judge, PluginJudge) else self.fake
        found = cloud.create(subject, inputs, planned)
        with suppress(KeyError):
            self.fake.remove(subject.token, found.id)
        return found


@dataclass(frozen=True, order=True)
class Disagreement:
    """One thing that the two see differently: of which type, at which step, where, and what each of them says."""

    token: str
    step: str
    path: str
    tables: str
    plugin: str

    def __str__(self) -> str:
        return f"{self.token} {self.step} {self.path}: tables {self.tables}, plugin {self.plugin}"


@dataclass(frozen=True)
class Standing:
    """What a side made of a case."""

    subject: Subject
    inputs: Values
    planned: Values
    outputs: Values


class Unaided(TableJudge):
    """The other half of a plugin's judge when the plugin is to be heard alone: it finds nothing and marks nothing."""

    def check_config(self, package: str, inputs: Values) -> Checked:  # noqa: ARG002 - nothing is judged
        """Nothing is wrong."""
        return Checked(inputs)

    def check(
        self,
        subject: Subject,  # noqa: ARG002 - nothing is judged
        inputs: Values,
        old_inputs: Values,  # noqa: ARG002 - nothing is judged
        seed: bytes,  # noqa: ARG002 - nothing is judged
    ) -> Checked:
        """Nothing is wrong."""
        return Checked(inputs)

    def seal(self, subject: Subject, values: Values) -> Values:  # noqa: ARG002 - nothing is marked
        """The values as they are."""
        return values


def compare(cases: Iterable[Case], tables: Side, plugin: Side) -> Iterator[Disagreement]:
    """Judge each case by both sides, step by step: Check, plan, the Diff of what nobody changed, and of the change.

    Raises `PluginFailedError` when the plugin itself fails; what it refuses with an error is a disagreement.
    """
    for case in cases:
        try:
            yield from _compare(case, tables, plugin)
        except PluginFailedError:
            raise
        except RefusedError as refused:
            yield Disagreement(case.subject.token, "error", case.subject.name, "have none", f"says: {refused}")


def _compare(case: Case, tables: Side, plugin: Side) -> Iterator[Disagreement]:
    token = case.subject.token
    checks = [side.judge.check(case.subject, case.inputs, {}, SEED) for side in (tables, plugin)]
    yield from _verdicts(token, "Check", *checks)
    if any(checked.failures for checked in checks):
        return
    # Both go on from the same inputs: names that each would draw are not what is compared.
    inputs = checks[1].inputs
    by_tables, by_plugin = _made(tables, case.subject, inputs), _made(plugin, case.subject, inputs)
    yield from _plans(token, by_tables.planned, by_plugin.planned)
    yield from _changes(token, "Diff of no change", (tables, by_tables, inputs), (plugin, by_plugin, inputs))
    if case.changed is None:
        return
    again = [side.judge.check(case.subject, case.changed, inputs, SEED) for side in (tables, plugin)]
    yield from _verdicts(token, "Check of a change", *again)
    if not any(checked.failures for checked in again):
        changed = again[1].inputs
        yield from _changes(token, "Diff", (tables, by_tables, changed), (plugin, by_plugin, changed))


def _made(side: Side, subject: Subject, inputs: Values) -> Standing:
    planned = side.judge.plan_create(subject, inputs)
    found = side.make(subject, inputs, planned)
    return Standing(replace(subject, id=found.id), inputs, planned, found.outputs)


def _verdicts(token: str, step: str, tables: Checked, plugin: Checked) -> Iterator[Disagreement]:
    if bool(tables.failures) != bool(plugin.failures):
        place = (*tables.failures, *plugin.failures)[0].path or "(no place)"
        yield Disagreement(token, step, place, _said(tables.failures), _said(plugin.failures))


def _said(failures: Sequence[Failure]) -> str:
    return f"refuse ({failures[0].reason})" if failures else "accept"


def _plans(token: str, tables: Values, plugin: Values) -> Iterator[Disagreement]:
    for key in sorted({*tables, *plugin}):
        if key.startswith("__") or key == "id":
            continue
        left, right = plain(tables.get(key)), plain(plugin.get(key))
        if (left is UNKNOWN) != (right is UNKNOWN) or (left is not UNKNOWN and not _same(left, right)):
            yield Disagreement(token, "plan", key, _told(left), _told(right))


def _same(left: Value, right: Value) -> bool:
    bare, other = revealed(left), revealed(right)
    if isinstance(bare, dict) and isinstance(other, dict):
        return all(_same(bare.get(key), other.get(key)) for key in {*bare, *other})
    if isinstance(bare, list) and isinstance(other, list) and len(bare) == len(other):
        return all(map(_same, bare, other))
    return bare == other or (bare in UNSET and other in UNSET) or bare is UNKNOWN or other is UNKNOWN


def _told(value: Value) -> str:
    """What is known of a value, without the value: it may be a secret."""
    return (
        "do not know" if value is UNKNOWN else "know none" if value in UNSET else f"know one ({type(value).__name__})"
    )


def _changes(
    token: str, step: str, tables: tuple[Side, Standing, Values], plugin: tuple[Side, Standing, Values]
) -> Iterator[Disagreement]:
    left, right = (
        side.judge.diff(one.subject, one.inputs, one.outputs, inputs, ()) for side, one, inputs in (tables, plugin)
    )
    by_tables, by_plugin = _by_property(left), _by_property(right)
    for key in sorted({*by_tables, *by_plugin}):
        words = [found.get(key, "keep") for found in (by_tables, by_plugin)]
        if words[0] != words[1]:
            yield Disagreement(token, step, key, *words)
    replaced = "replace" in by_tables.values() and "replace" in by_plugin.values()
    if replaced and left.delete_before_replace != right.delete_before_replace:
        order = [
            "delete the old one first" if found.delete_before_replace else "delete it last" for found in (left, right)
        ]
        yield Disagreement(token, step, "(order)", *order)


def _by_property(difference: Difference) -> dict[str, str]:
    """By top-level property, whether its change replaces or updates."""
    found: dict[str, str] = {}
    for change in difference.changes:
        key = change.path.replace("[", ".").partition(".")[0] or "(no place)"
        found[key] = "replace" if change.replaces or found.get(key) == "replace" else "update"
    return found
