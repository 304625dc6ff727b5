"""Plays a vendor's bridged plugin, as a process of its own: `acme_plugin.py MODE ENGINE_ADDRESS`.

It refuses what the official plugins were seen to refuse: a state without its version in `__meta`, a value of another
type, an unknown in a state, a secret that arrives wrapped though it never said that it takes them. It never creates.
MODE names what goes wrong; see `MODES`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

DATABASE, RECORD = "acme:index/database:Database", "acme:index/record:Record"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
VERSION = "2.3.0"
MODES = (
    "well",
    "modern",  # knows Handshake, takes secrets wrapped
    "noise",  # prints something before its port
    "other-version",
    "dies-at-start",
    "hangs-at-start",
    "dies-in-check",
    "hangs-in-check",
    "garbage-in-check",
    "garbage-schema",
)
TIERS = ("small", "large")
REPLACING = {"name", "tier"}
DATABASE_META = '{"schema_version":"2"}'
RECORD_VERSION = 500

STRING, BOOLEAN, INTEGER = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
INPUTS: dict[str, Any] = {
    "name": STRING,
    "tier": {"$ref": "#/types/acme:index/Tier:Tier"},
    "port": INTEGER,
    "public": BOOLEAN,
    "password": {"type": "string", "secret": True},
    "settings": {"$ref": "#/types/acme:index/DatabaseSettings:DatabaseSettings"},
}
COMPUTED: dict[str, Any] = {
    "endpoint": STRING,
    "encrypted": BOOLEAN,
    "addresses": {"type": "array", "items": STRING},
    "labels": {"type": "object", "additionalProperties": STRING},
    "connections": INTEGER,
    "state": {"$ref": "#/types/acme:index/State:State"},
    "backup": {"$ref": "#/types/acme:index/DatabaseSettings:DatabaseSettings"},
    "replication": {"$ref": "#/types/acme:index/DatabaseSettings:DatabaseSettings", "secret": True},
    "token": {"type": "string", "secret": True},
}
SETTINGS = {
    "collation": {"type": "string", "description": "Of texts."},
    "fast": BOOLEAN,
    "flags": {"type": "array", "items": {"$ref": "#/types/acme:index/Flag:Flag"}},
}
SCHEMA = {
    "name": "acme",
    "version": VERSION,
    "types": {
        "acme:index/Tier:Tier": {"type": "string", "enum": [{"value": tier} for tier in TIERS]},
        "acme:index/State:State": {"type": "string", "enum": [{"value": "STARTING"}, {"value": "RUNNING"}]},
        "acme:index/DatabaseSettings:DatabaseSettings": {"type": "object", "properties": SETTINGS},
        "acme:index/Flag:Flag": {
            "type": "object",
            "properties": {"name": STRING, "value": STRING, "checked": BOOLEAN, "description": STRING},
        },
    },
    "resources": {
        DATABASE: {
            "description": "A database.",
            "inputProperties": INPUTS,
            "requiredInputs": ["tier"],
            "properties": INPUTS | COMPUTED,
        },
        RECORD: {
            "inputProperties": {"content": STRING},
            "requiredInputs": ["content"],
            "properties": {"content": STRING, "createdOn": STRING, "proxied": BOOLEAN},
        },
    },
}


class RefusalError(Exception):
    """What the plugin answers with an error."""


def say(line: str, stream: TextIO = sys.stdout) -> None:
    """Print a line at once."""
    stream.write(f"{line}\n")
    stream.flush()


def secret(value: Any) -> dict[str, Any]:
    """A value wrapped as a secret."""
    return {SIGNATURE: SECRET, "value": value}


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    """Values on the wire, nulls included."""
    return json_format.ParseDict(values, struct_pb2.Struct())


def plain(message: struct_pb2.Struct, *, wrapped: bool) -> dict[str, Any]:
    """What arrived; a wrapped secret is refused by a plugin that does not take them."""
    text = json.dumps(json_format.MessageToDict(message))
    if SIGNATURE in text and not wrapped:
        raise RefusalError("a secret arrived wrapped, and this plugin did not say that it takes them")
    values: dict[str, Any] = opened(json.loads(text))
    return values


def opened(value: Any) -> Any:
    """The value without secret wrappers."""
    if isinstance(value, dict):
        return opened(value["value"]) if SIGNATURE in value else {key: opened(item) for key, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


WORDS = {"string": "a string", "boolean": "a bool", "integer": "a number", "array": "a list", "object": "an object"}
PYTHON: dict[str, Any] = {"string": str, "boolean": bool, "integer": (int, float), "array": list, "object": dict}


def fits(value: Any, row: dict[str, Any], where: str) -> None:
    """Refuse a state's value of another type, in the words of the upstream libraries."""
    if "$ref" in row:
        row = SCHEMA["types"][row["$ref"].removeprefix("#/types/")]  # type: ignore[index]
    kind = row["type"]
    if value is None:
        return
    if UNKNOWN in json.dumps(value):
        raise RefusalError(f"{where}: a state cannot be unknown")
    if not isinstance(value, PYTHON[kind]) or (kind == "integer" and isinstance(value, bool)):
        raise RefusalError(f"{where}: {WORDS[kind]} is required")
    if "enum" in row and {"value": value} not in row["enum"]:
        raise RefusalError(f"{where}: {value!r} is none of the enumeration")
    if kind == "array":
        for index, item in enumerate(value):
            fits(item, row["items"], f"{where}[{index}]")
    elif kind == "object":
        if where in ("backup", "replication") and not value:
            raise RefusalError(f"{where}: an empty block is no block")
        for key, item in value.items():
            fits(item, row.get("properties", {}).get(key) or row.get("additionalProperties", STRING), f"{where}.{key}")


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """The paths of leaves that differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        joined = [(key, f"{path}.{key}" if path else key) for key in sorted({**old, **new}) if key != "checked"]
        return [at for key, where in joined for at in differences(old.get(key), new.get(key), where)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [at for index, (one, other) in pairs for at in differences(one, other, f"{path}[{index}]")]
    return [] if old == new else [path]


class Acme(provider_pb2_grpc.ResourceProviderServicer):
    """The plugin; every method takes and gives what the bridge does."""

    def __init__(self, mode: str, engine: str) -> None:
        self.mode = mode
        self.modern = mode == "modern"
        self.configured = False
        self.engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))

    def handshake(self, request: Any, context: Any) -> Any:
        """Unknown to most plugins of today."""
        if not self.modern:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "unknown method Handshake")
        assert request.engine_address
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def attach(self, request: Any, _context: Any) -> Any:
        """The engine's address a second time."""
        assert request.address
        return empty_pb2.Empty()

    def plugin_info(self, _request: Any, _context: Any) -> Any:
        """The version."""
        return plugin_pb2.PluginInfo(version="9.0.0" if self.mode == "other-version" else f"v{VERSION}")

    def schema(self, _request: Any, _context: Any) -> Any:
        """Types of everything."""
        return provider_pb2.GetSchemaResponse(schema="<html>" if self.mode == "garbage-schema" else json.dumps(SCHEMA))

    def check_config(self, request: Any, _context: Any) -> Any:
        """A region that does not exist is refused."""
        given = plain(request.news, wrapped=True)
        assert "version" not in given, "the engine's own key"
        wrong = [] if given.get("region", "eu") in ("eu", "us") else ["expected region to be one of [eu us]"]
        failures = [provider_pb2.CheckFailure(property="region", reason=reason) for reason in wrong]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def configure(self, request: Any, _context: Any) -> Any:
        """A token must be given, in both forms."""
        given = plain(request.args, wrapped=True)
        assert request.acceptSecrets, "the engine takes secrets"
        if given.get("token") != request.variables.get("acme:config:token"):
            raise RefusalError("args and variables differ")
        if given.get("token") == "wrong":
            raise RefusalError("could not validate the token")
        self.configured = True
        return provider_pb2.ConfigureResponse(acceptSecrets=self.modern, supportsPreview=True)

    def check(self, request: Any, _context: Any) -> Any:
        """Tiers, and names of what has none."""
        self._must_be_configured()
        if self.mode == "dies-in-check":
            say("panic: nil pointer dereference", sys.stderr)
            os._exit(2)
        if self.mode == "hangs-in-check":
            time.sleep(3600)
        inputs = plain(request.news, wrapped=self.modern)
        self.engine.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message="deprecated: everything"))
        failures = []
        if request.type == DATABASE:
            if inputs.get("tier") not in (*TIERS, UNKNOWN):
                reason = f"expected tier to be one of {list(TIERS)}, got {inputs.get('tier')}"
                failures.append(provider_pb2.CheckFailure(property="tier", reason=reason))
            if "name" not in inputs:
                olds = plain(request.olds, wrapped=self.modern)
                inputs["name"] = olds.get("name") or f"{request.name}-{request.randomSeed.hex()[:7]}"
                inputs["__defaults"] = ["name"]
            if "password" in inputs:
                inputs["password"] = secret(inputs["password"])
        return provider_pb2.CheckResponse(inputs=struct(inputs), failures=failures)

    def diff(self, request: Any, _context: Any) -> Any:
        """State against inputs; a tier or name replaces."""
        self._must_be_configured()
        assert request.id, "a resource that exists has an id"
        state = plain(request.olds, wrapped=self.modern)
        self._understood(request.type, state)
        news = plain(request.news, wrapped=self.modern)
        inputs = {key: value for key, value in news.items() if not key.startswith("__")}
        known = SCHEMA["resources"][request.type]["inputProperties"]  # type: ignore[index]
        paths = differences({key: state[key] for key in known if key in state}, inputs)
        kinds = provider_pb2.PropertyDiff
        detailed = {
            path: kinds(kind=kinds.UPDATE_REPLACE if path in REPLACING else kinds.UPDATE, inputDiff=False)
            for path in paths
        }
        replaces = [path for path in paths if path in REPLACING]
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if paths else answer.DIFF_NONE,
            replaces=replaces,
            diffs=sorted({path.split(".")[0] for path in paths}),
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(replaces) and "name" not in news.get("__defaults", ()),
        )

    def _understood(self, token: str, state: dict[str, Any]) -> None:
        meta = json.loads(state.pop("__meta", "{}"))
        version, newest = int(meta.get("schema_version", 0)), RECORD_VERSION if token == RECORD else 2
        if version > newest:
            raise RefusalError(
                f"The current state of {token} was created by a newer provider version  and cannot be downgraded from "
                f"resource schema version {version} to {newest}. Please upgrade the provider"
            )
        if version < newest:
            raise RefusalError(f"Could not parse raw state as v{newest - 1} format")
        rows = SCHEMA["resources"][token]["properties"]  # type: ignore[index]
        for key, value in state.items():
            if key not in ("id", "__defaults"):
                fits(value, rows[key], key)

    def create(self, request: Any, _context: Any) -> Any:
        """A preview alone: what is computed is unknown, also within a secret and within a block."""
        self._must_be_configured()
        if not request.preview:
            raise RefusalError("a rehearsal let the plugin create something")
        inputs = plain(request.properties, wrapped=self.modern)
        return provider_pb2.CreateResponse(properties=struct(self._planned(request.type, inputs)))

    def update(self, request: Any, _context: Any) -> Any:
        """A preview alone: what was computed stays."""
        self._must_be_configured()
        if not request.preview:
            raise RefusalError("a rehearsal let the plugin update something")
        state = plain(request.olds, wrapped=self.modern)
        self._understood(request.type, dict(state))
        inputs = plain(request.news, wrapped=self.modern)
        planned = self._planned(request.type, inputs)
        kept = {key: value for key, value in state.items() if key in planned and key not in inputs}
        return provider_pb2.UpdateResponse(properties=struct(planned | kept))

    def _planned(self, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
        given = {key: value for key, value in inputs.items() if key != "__defaults"}
        if token == RECORD:
            return given | {"id": UNKNOWN, "createdOn": UNKNOWN, "proxied": UNKNOWN}
        planned = given | dict.fromkeys(COMPUTED, UNKNOWN) | {"__meta": DATABASE_META}
        planned |= {"replication": secret(UNKNOWN), "token": secret(UNKNOWN)}
        if "password" in planned:
            planned["password"] = secret(planned["password"])
        if "settings" in planned:
            flags = [{**flag, "checked": UNKNOWN} for flag in planned["settings"].get("flags", ())]
            planned["settings"] = {**planned["settings"], **({"flags": flags} if flags else {})}
        else:
            planned["settings"] = None
        return planned

    def _must_be_configured(self) -> None:
        if not self.configured:
            raise RefusalError("the plugin is not configured")

    Handshake: Any = handshake
    Attach: Any = attach
    GetPluginInfo: Any = plugin_info
    GetSchema: Any = schema
    CheckConfig: Any = check_config
    Configure: Any = configure
    Check: Any = check
    Diff: Any = diff
    Create: Any = create
    Update: Any = update


class Refusing(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """A refusal, or a failed assertion, is answered as the real plugins do: status unknown, and words."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap the method."""
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler

        def answer(request: Any, context: Any) -> Any:
            try:
                return handler.unary_unary(request, context)
            except (RefusalError, AssertionError) as refusal:
                context.abort(grpc.StatusCode.UNKNOWN, str(refusal))

        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )


def garbled(_request: bytes, _context: Any) -> bytes:
    """Bytes that are no message."""
    return b"\xff\xff\xff\xff"


def main() -> None:
    """Serve until the process is killed."""
    mode, engine = sys.argv[1], sys.argv[2]
    assert mode in MODES
    if mode == "dies-at-start":
        say("cannot find libvendor.so", sys.stderr)
        sys.exit(3)
    if mode == "hangs-at-start":
        time.sleep(3600)
    if mode == "noise":
        say("Acme(TM) plugin\nstarting on 8 cores ...")
    server = grpc.server(ThreadPoolExecutor(8), interceptors=[Refusing()])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Acme(mode, engine), server)
    if mode == "garbage-in-check":
        garbage = grpc.method_handlers_generic_handler(
            "pulumirpc.ResourceProvider", {"Check": grpc.unary_unary_rpc_method_handler(garbled)}
        )
        server = grpc.server(ThreadPoolExecutor(8), handlers=[garbage])
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(Acme(mode, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    say(str(port))
    say("and something after it")
    server.wait_for_termination()


if __name__ == "__main__":
    main()
