from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi import StringAsset
from pulumi.runtime import rpc

from rehearsal.providers.paths import at_key, common_parent, find, joined, segments
from rehearsal.providers.values import UNKNOWN, Opaque, Secret
from rehearsal.providers.wire import SECRET, SIGNATURE, UNKNOWN_TEXT, decode, encode

LEAVES = st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner) | inner.map(Secret),
    max_leaves=20,
)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_every_value_survives_the_wire(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == values


def test_pulumi_s_own_sdk_and_this_codec_understand_each_other() -> None:
    properties = {"asset": StringAsset("content"), "plain": [1, True, 0.5, "text"], "nested": {"a.b": None}}
    values = decode(asyncio.run(rpc.serialize_properties(properties, {})))
    assert values["plain"] == [1, True, 0.5, "text"]
    assert isinstance(values["asset"], Opaque)
    read = rpc.deserialize_properties(encode(values | {"password": Secret("hunter2")}))
    assert read["asset"].text == "content"
    assert rpc.is_rpc_secret(read["password"])
    assert rpc.unwrap_rpc_secret(read["password"]) == "hunter2"


def test_an_unknown_inside_a_secret_is_both() -> None:
    struct = struct_pb2.Struct()
    struct.update({"password": {SIGNATURE: SECRET, "value": UNKNOWN_TEXT}})
    assert decode(struct) == {"password": Secret(UNKNOWN)}
    assert encode(decode(struct)) == struct


def test_an_output_value_counts_as_what_it_holds() -> None:
    struct = struct_pb2.Struct()
    output = {SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "dependencies": []}
    struct.update({"a": output, "b": output | {"value": 1}, "c": output | {"value": "x", "secret": True}})
    assert decode(struct) == {"a": UNKNOWN, "b": 1, "c": Secret("x")}


def test_a_secret_hides_in_every_repr() -> None:
    assert "hunter2" not in repr({"password": [Secret({"value": "hunter2"})]})


def test_generic_paths_are_taken_apart_and_put_together() -> None:
    for path in ("a", "a[].b", "a.*", "a.*.b[]", "a[].b[].c"):
        assert joined(segments(path)) == path
    assert common_parent(("rules[].action", "rules[].actionParameters.id")) == ("rules", "[]")
    assert common_parent(("type", "policies[].name")) == ()
    assert common_parent(("rules[].logging", "rules[].logging.enabled")) == ("rules", "[]")


def test_a_path_finds_every_value_and_says_where() -> None:
    values = {"rules": [{"to": {"a.b": 1}}, {"to": {"c": 2}}, UNKNOWN]}
    found = list(find(values, segments("rules[].to.*")))
    assert found == [('rules[0].to["a.b"]', 1), ("rules[1].to.c", 2), ("rules[2]", UNKNOWN)]
    assert list(find({"a": Secret({"b": 1})}, segments("a.b"))) == [("a.b", Secret(1))]
    assert at_key("", "name") == "name"
