"""The running plugins of one package: one process for each configuration, started when it is first asked."""

from __future__ import annotations

import threading
from pathlib import Path

from pulumi.runtime.proto import provider_pb2

from rehearsal.providers.plugin.client import REMEDY, WAITS, PluginClient, PluginFailedError, Waits, config_key
from rehearsal.providers.plugin.finding import Plugin
from rehearsal.providers.plugin.schema import PluginSchema
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values

# Each is a process of up to some hundred MiB.
MOST = 16
# A plan of Docker's does not depend on the host, and the plugin must reach none (plugin 5.2.0, tried 2026-11-23).
OVERRIDES: dict[str, Values] = {"docker": {"host": "ssh://nobody@rehearsal.invalid"}}


class PluginPool:
    """Starts plugins and keeps them; a failure to start or to be configured is kept as well."""

    def __init__(self, plugin: Plugin, home: Path, waits: Waits = WAITS, directory: Path | None = None) -> None:
        """`home` and `directory` as in `PluginProcess`."""
        self.plugin = plugin
        self._directory = directory
        self._home = home
        self._waits = waits
        self._lock = threading.RLock()
        self._spare: PluginClient | None = None
        self._configured: dict[str, PluginClient | RefusedError] = {}
        self._failed: RefusedError | None = None
        self._schema: PluginSchema | None = None

    def any(self) -> PluginClient:
        """A plugin that is perhaps not configured: enough for its schema and for checking a configuration."""
        with self._lock:
            running = [client for client in self._configured.values() if isinstance(client, PluginClient)]
            if self._spare is None and not running:
                self._spare = self._start()
            return self._spare or running[0]

    def configured(self, config: Values) -> PluginClient:
        """The plugin with this configuration; raises `RefusedError` when it refuses it."""
        config = config | OVERRIDES.get(self.plugin.package, {})
        key = config_key(config)
        with self._lock:
            if key not in self._configured:
                self._configured[key] = self._configure(config)
            found = self._configured[key]
        if isinstance(found, RefusedError):
            raise found
        return found

    def _configure(self, config: Values) -> PluginClient | RefusedError:
        if len(self._configured) >= MOST:
            return RefusedError(
                f"{MOST} configurations of {self.plugin.package} have plugins of their own already: stop the attached "
                f"providers and start them again, or {REMEDY}"
            )
        client, self._spare = self._spare or self._start(), None
        try:
            client.configure(config)
        except RefusedError as refused:
            client.stop()
            return refused
        return client

    def _start(self) -> PluginClient:
        if self._failed is not None:
            raise self._failed
        try:
            return PluginClient(self.plugin, self._home, self._waits, self._directory)
        except RefusedError as refused:
            self._failed = refused
            raise

    def schema(self) -> PluginSchema:
        """The plugin's schema, asked for once."""
        with self._lock:
            if self._schema is None:
                answer = self.any().call("GetSchema", provider_pb2.GetSchemaRequest(), self.plugin.package)
                try:
                    self._schema = PluginSchema(answer.schema)
                except ValueError as error:
                    raise PluginFailedError(f"{self.plugin} answered with a schema that is none: {error}") from error
            return self._schema

    def stop(self) -> None:
        """End every process."""
        with self._lock:
            for client in (self._spare, *self._configured.values()):
                if isinstance(client, PluginClient):
                    client.stop()
