"""The judge that asks the vendor's own plugin.

Its Check, Diff and plans hold; the tables add what its Check leaves to the API, and answer what no plugin answers
offline: whether a guard forbids a delete, and which of what a cloud returns is secret.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from pulumi.runtime.proto import provider_pb2

from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.answers import META, NEWEST, NO_VERSION, difference, with_secrets_of
from rehearsal.providers.plugin.client import ENGINE_CONFIG, PluginClient, provider_type, provider_urn
from rehearsal.providers.plugin.finding import missing_message
from rehearsal.providers.plugin.pool import PluginPool
from rehearsal.providers.plugin.schema import PluginSchema
from rehearsal.providers.seams import Checked, Difference, Failure, Judge, RefusedError, Subject
from rehearsal.providers.values import Values, has_unknown, revealed
from rehearsal.providers.wire import decode, encode

BY_TABLES = "(told by the rehearsal's tables; the plugin lets it through)"


class PluginJudge:
    """Judges one package by its plugin; `tables` judge it otherwise."""

    def __init__(self, pool: PluginPool, tables: Judge) -> None:
        self._pool = pool
        self._tables = tables
        self._lock = threading.Lock()
        self._metas: dict[str, str] = {}

    def schema(self) -> PluginSchema:
        """What the plugin says of the types of properties."""
        return self._pool.schema()

    def configured(self, config: Values) -> PluginClient:
        """The plugin with this configuration; raises `RefusedError` when it refuses it."""
        return self._pool.configured(config)

    def check_config(self, package: str, inputs: Values) -> Checked:
        """The configuration as the plugin uses it, with what it or the tables find wrong."""
        own = {key: value for key, value in inputs.items() if key not in ENGINE_CONFIG}
        request = provider_pb2.CheckRequest(
            urn=provider_urn(package), name=package, type=provider_type(package), olds=encode({}), news=encode(own)
        )
        told = self._tables.check_config(package, inputs)
        try:
            answer = self._pool.any().call("CheckConfig", request, f"the configuration of {package}")
        except RefusedError as refused:
            if refused.kind is RefusedError.Kind.UNIMPLEMENTED:
                return told
            raise
        engines = {key: value for key, value in inputs.items() if key in ENGINE_CONFIG}
        return Checked(with_secrets_of(decode(answer.inputs), own) | engines, _union(answer.failures, told.failures))

    def check(self, subject: Subject, inputs: Values, old_inputs: Values, seed: bytes) -> Checked:
        """The inputs as the plugin uses them; wrong is what the plugin or the tables find wrong."""
        told = self._tables.check(subject, inputs, old_inputs, seed)
        if has_unknown(subject.config):
            return told
        client = self.configured(subject.config)
        request = provider_pb2.CheckRequest(
            **_about(subject), olds=_sent(client, old_inputs), news=_sent(client, inputs), randomSeed=seed
        )
        answer = client.call("Check", request, _name(subject))
        checked = self._received(client, subject, answer.inputs, inputs)
        return Checked(checked, _union(answer.failures, told.failures))

    def diff(
        self, subject: Subject, old_inputs: Values, state: Values, inputs: Values, ignore_changes: Sequence[str]
    ) -> Difference:
        """What the plugin says that the inputs change."""
        client = self.configured(subject.config)
        request = provider_pb2.DiffRequest(
            **_about(subject),
            id=subject.id,
            old_inputs=_sent(client, old_inputs),
            olds=_sent(client, state),
            news=_sent(client, inputs),
            ignoreChanges=ignore_changes,
        )
        return difference(client.call("Diff", request, _name(subject)), old_inputs, inputs)

    def plan_create(self, subject: Subject, inputs: Values) -> Values:
        """What the plugin plans, by its Create of a preview: nothing is made."""
        client = self.configured(subject.config)
        if not client.protocol.supports_preview:
            return self._tables.plan_create(subject, inputs)
        request = provider_pb2.CreateRequest(**_about(subject), properties=_sent(client, inputs), preview=True)
        answer = client.call("Create", request, _name(subject))
        planned = self._received(client, subject, answer.properties, inputs)
        meta = planned.get(META) or self._meta(client, subject)
        return planned | ({META: meta} if meta else {})

    def plan_update(self, subject: Subject, state: Values, inputs: Values, old_inputs: Values | None = None) -> Values:
        """What the plugin plans, by its Update of a preview: nothing is changed."""
        client = self.configured(subject.config)
        if not client.protocol.supports_preview:
            return self._tables.plan_update(subject, state, inputs, old_inputs)
        request = provider_pb2.UpdateRequest(
            **_about(subject),
            id=subject.id,
            old_inputs=_sent(client, old_inputs or {}),
            olds=_sent(client, state),
            news=_sent(client, inputs),
            preview=True,
        )
        answer = client.call("Update", request, _name(subject))
        # What was secret in the state is so in the plan: a plugin that was given it in plain may not know.
        planned = with_secrets_of(self._received(client, subject, answer.properties, inputs), state)
        meta = planned.get(META) or state.get(META)
        return planned | ({META: meta} if meta else {})

    def seal(self, subject: Subject, values: Values) -> Values:
        """As the tables say."""
        return self._tables.seal(subject, values)

    def keeps_on_delete(self, subject: Subject, state: Values) -> bool:
        """As the tables say: a plugin's Delete would reach for the cloud."""
        return self._tables.keeps_on_delete(subject, state)

    def _received(self, client: PluginClient, subject: Subject, answer: Any, given: Values) -> Values:
        """An answer's values: secret is what the plugin, the program or the tables say is."""
        values = decode(answer)
        if not client.protocol.accepts_secrets:
            values = with_secrets_of(values, given)
        return self._tables.seal(subject, values)

    def _meta(self, client: PluginClient, subject: Subject) -> str:
        """What the plugin would write beside a new state, where its plan leaves that out: its schema's version.

        Plugins of the newer upstream kind read a state without it as their oldest format. They name their version when
        they are shown a state of a later one.
        """
        with self._lock:
            if subject.token not in self._metas:
                shown = encode({META: NO_VERSION})
                request = provider_pb2.DiffRequest(
                    **_about(subject), id="none", olds=shown, old_inputs=encode({}), news=encode({})
                )
                try:
                    client.call("Diff", request, _name(subject))
                    newest = None
                except RefusedError as refused:
                    newest = NEWEST.search(str(refused))
                known = newest is not None and newest[1] != "0"
                self._metas[subject.token] = f'{{"schema_version":"{newest[1]}"}}' if newest and known else ""
            return self._metas[subject.token]


class MissingPluginJudge(TableJudge):
    """Refuses the package that it is for: its plugin is asked for and not installed."""

    def check_config(self, package: str, inputs: Values) -> Checked:  # noqa: ARG002 - nothing is judged
        """Raises `RefusedError` with the command that installs the plugin."""
        raise RefusedError(missing_message([package]))


def _about(subject: Subject) -> dict[str, Any]:
    return {"urn": subject.urn, "name": subject.name, "type": subject.token}


def _name(subject: Subject) -> str:
    return f"{subject.name} ({subject.token})"


def _sent(client: PluginClient, values: Values) -> Any:
    """Values on their way to a plugin: in plain where it does not take secrets, as the engine sends them."""
    bare = values if client.protocol.accepts_secrets else revealed(values)
    return encode(bare if isinstance(bare, dict) else {})


def _union(plugins: Any, tables: Sequence[Failure]) -> list[Failure]:
    """The plugin's failures in its words, then the tables' at places of which it said nothing."""
    failures = [Failure(failure.property, failure.reason) for failure in plugins]
    places = {failure.path for failure in failures}
    return failures + [Failure(f.path, f"{f.reason} {BY_TABLES}") for f in tables if f.path not in places]
