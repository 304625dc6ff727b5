"""Calls to a plugin: handshake, configuration, and a deadline for every answer.

Source of the protocol: pulumi 3.259.0, sdk/go/common/resource/plugin/provider_plugin.go, read 2026-11-27.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.providers.plugin.finding import Plugin, major_of
from rehearsal.providers.plugin.process import PluginProcess
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values, revealed
from rehearsal.providers.wire import encode

# A schema of a large provider is tens of MiB.
MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.enable_http_proxy", 0),
]
# The largest plugin that was tried started in 4 s; a busy laptop is given more.
SECONDS = 60.0
POLL_SECONDS = 0.1
# How gRPC's client tells that an answer is no message of the protocol.
NO_MESSAGE = "Exception deserializing response"
REMEDY = "judge by the tables instead (JUDGE=tables, --judge tables or judge='tables')"
# What the engine adds to a provider's configuration for itself.
ENGINE_CONFIG = frozenset({"version", "pluginDownloadURL", "__internal"})


class PluginFailedError(RefusedError):
    """The plugin itself failed: it did not start, hung, died or answered what nobody understands."""


@dataclass(frozen=True)
class Protocol:
    """What a plugin says of itself, by Handshake or when configured."""

    accepts_secrets: bool = False
    supports_preview: bool = False


@dataclass(frozen=True)
class Waits:
    """How many seconds a plugin may take to start, and for each answer."""

    start: float = SECONDS
    answer: float = SECONDS


WAITS = Waits()


class PluginClient:
    """One plugin process, configured at most once; safe for many threads.

    `seconds` is what an answer may take. The first failure of the plugin itself holds: it is stopped, and every later
    call is refused at once.
    """

    def __init__(self, plugin: Plugin, home: Path, waits: Waits = WAITS, directory: Path | None = None) -> None:
        """Start the plugin, in `directory`; raises `PluginFailedError`."""
        self.plugin = plugin
        self.protocol = Protocol()
        self.seconds = waits.answer
        self._lock = threading.Lock()
        self._broken: PluginFailedError | None = None
        self._process = PluginProcess(plugin, home, directory)
        self._shaken = False
        self._start_seconds = waits.start
        why = self._process.start(self._start_seconds)
        if why is not None:
            raise self._break(why)
        channel = grpc.insecure_channel(self._process.address, OPTIONS)
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._connect(channel)
        self._greet()

    def _connect(self, channel: grpc.Channel) -> None:
        """Wait until it serves at the port that it printed."""
        ready, deadline = grpc.channel_ready_future(channel), time.monotonic() + self._start_seconds
        while True:
            try:
                ready.result(timeout=POLL_SECONDS)
            except grpc.FutureTimeoutError:
                if self._process.ended:
                    raise self._break("ended after it printed its port") from None
                if time.monotonic() > deadline:
                    why = f"did not serve at the port that it printed within {self._start_seconds:g} s"
                    raise self._break(why) from None
            else:
                return

    def _greet(self) -> None:
        """Handshake, or Attach where there is none yet; then its version."""
        folder = str(self.plugin.binary.parent)
        greeting = provider_pb2.ProviderHandshakeRequest(
            engine_address=self._process.engine_address,
            root_directory=folder,
            program_directory=folder,
            configure_with_urn=True,
        )
        answer = self._optional("Handshake", greeting)
        if answer is not None:
            self._shaken = True
            self.protocol = Protocol(answer.accept_secrets, supports_preview=True)
        else:
            self._optional("Attach", plugin_pb2.PluginAttach(address=self._process.engine_address))
        info = self._optional("GetPluginInfo", empty_pb2.Empty())
        version = info.version.removeprefix("v") if info is not None else ""
        if self.plugin.major and version and major_of(version) != self.plugin.major:
            raise self._break(f"is of version {version}, and the installed SDK is of version {self.plugin.major}")

    def _optional(self, method: str, request: Any) -> Any:
        """An answer, or None from a plugin that does not know the method, whatever words it has for that."""
        try:
            return self.call(method, request, "the plugin")
        except PluginFailedError:
            raise
        except RefusedError:
            return None

    def configure(self, config: Values) -> None:
        """Configure as the engine does; raises `RefusedError` in the plugin's words."""
        given = {key: value for key, value in config.items() if key not in ENGINE_CONFIG}
        package = self.plugin.package
        request = provider_pb2.ConfigureRequest(
            variables={f"{package}:config:{key}": _text(value) for key, value in given.items()},
            args=encode(given),
            acceptSecrets=True,
            acceptResources=True,
            sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
            urn=provider_urn(package),
            id="rehearsal",
            name=package,
            type=provider_type(package),
        )
        answer = self.call("Configure", request, f"the configuration of {package}")
        if not self._shaken:
            self.protocol = Protocol(answer.acceptSecrets, answer.supportsPreview)

    def call(self, method: str, request: Any, about: str) -> Any:
        """One call; `about` names what is judged. Raises `RefusedError`, in the plugin's words where it has some."""
        if self._broken is not None:
            raise self._broken
        try:
            return getattr(self._stub, method)(request, timeout=self.seconds)
        except grpc.RpcError as error:
            code, words = error.code(), str(error.details())
        if self._broken is not None:
            raise self._broken
        match code:
            case grpc.StatusCode.UNIMPLEMENTED:
                raise RefusedError(f"{method} is unknown to {self.plugin}", RefusedError.Kind.UNIMPLEMENTED)
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._break(f"did not answer {method} of {about} within {self.seconds:g} s")
            case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
                raise self._break(f"ended, or closed its connection, during {method} of {about} ({words})")
            case grpc.StatusCode.INTERNAL if NO_MESSAGE in words:
                raise self._break(f"answered {method} of {about} with what is no answer ({words})")
        raise RefusedError(f"{self.plugin} refused {method} of {about}: {words}")

    def _break(self, why: str) -> PluginFailedError:
        """Stop the plugin for good; the error that it and every later call is refused with."""
        with self._lock:
            if self._broken is None:
                said = self._process.last_words()
                self._broken = PluginFailedError(
                    f"{self.plugin} {why}.\nIts last words: {said}\nIt was stopped. Perhaps it waits for a network or "
                    f"a daemon, which a rehearsal does not give it. What to do: {REMEDY}, or another version of it"
                )
                self._process.stop()
            return self._broken

    def stop(self) -> None:
        """End the plugin."""
        self._process.stop()


def provider_type(package: str) -> str:
    """The type token of a package's provider."""
    return f"pulumi:providers:{package}"


def provider_urn(package: str) -> str:
    """A URN for a package's provider where nobody has told one: plugins use it for their words."""
    return f"urn:pulumi:rehearsal::rehearsal::{provider_type(package)}::{package}"


def _text(value: Any) -> str:
    """A value of the configuration in the older form: texts as they are, all else as JSON, secrets in plain."""
    bare = revealed(value)
    return bare if isinstance(bare, str) else json.dumps(bare)


def config_key(config: Mapping[str, Any]) -> str:
    """What tells one configuration from another."""
    return json.dumps({key: _text(value) for key, value in config.items()}, sort_keys=True)
