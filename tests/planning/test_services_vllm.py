from __future__ import annotations

import re

import pytest

from dreamseed.planning.services.vllm import CONNECTION_KIB, router_connections, router_memory_mib
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import STAGE_NAMES, container, file, planned, shipped

CONFIG = "/usr/local/etc/haproxy/haproxy.cfg"


def router(plan: StagePlan, name: str = "vllm-router-1") -> str:
    return file(container(plan, name), CONFIG).text


def refused(text: str, method: str, path: str) -> bool:
    """What the router's own rules do with a request: its access lists and its one rule about them, nothing assumed."""
    lists: dict[str, bool] = {}
    for name, criterion, values in re.findall(r"^  acl (\S+) (\S+) (.*)$", text, re.MULTILINE):
        assert criterion in ("path", "path_beg", "path_end"), criterion
        known = values.split()
        matches = {
            "path": path in known,
            "path_beg": path.startswith(tuple(known)),
            "path_end": path.endswith(tuple(known)),
        }
        lists[name] = lists.get(name, False) or matches[criterion]
    rules = re.findall(r"http-request deny deny_status 403 unless (.*)$", text, re.MULTILINE)
    assert len(rules) == 1, "one rule denies by default"
    allowed = any(
        all(lists.get(word, word == f"METH_{method}") for word in group.split()) for group in rules[0].split(" or ")
    )
    return not allowed


OPEN = [("POST", "/v1/chat/completions"), ("POST", "/v1/completions"), ("GET", "/v1/models")]
CLOSED = [
    ("GET", "/v1/chat/completions"),
    ("POST", "/v1/models"),
    ("GET", "/metrics"),
    ("GET", "/health"),
    ("POST", "/v1/load_lora_adapter"),
    ("POST", "/tokenize"),
    ("POST", "/v1/chat/completions/"),
    ("POST", "/v1/chat/completions/../../metrics"),
    ("POST", "//v1/chat/completions"),
    ("POST", "/V1/chat/completions"),
    ("GET", "/"),
]


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_the_openai_paths_pass(method: str, path: str) -> None:
    assert not refused(router(shipped("stage-c")), method, path)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_everything_else_is_denied_by_default(method: str, path: str) -> None:
    assert refused(router(shipped("stage-c")), method, path)


def test_a_rule_by_beginnings_of_paths_would_let_more_through() -> None:
    loosened = router(shipped("stage-c")).replace("acl chat path ", "acl chat path_beg ")
    assert not refused(loosened, "POST", "/v1/chat/completions/../../metrics")


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_router_knows_every_engine_by_its_published_port(name: str) -> None:
    plan = shipped(name)
    address = {host.name: host.address for host in plan.hosts}
    engines = [one for one in plan.vllm.containers if one.service == "vllm"]
    expected = {(one.name, f"{address[one.host]}:{one.ports[0].published}") for one in engines}
    routers = [one for one in plan.vllm.containers if one.service == "vllm-router"]
    assert len(routers) == 2 * len(plan.config.servers)
    for one in routers:
        known = re.findall(r"^  server (\S+) (\S+) check weight", file(one, CONFIG).text, re.MULTILINE)
        assert set(known) == expected


def test_an_engine_that_holds_more_gets_more() -> None:
    weights = dict(re.findall(r"server (\S+) \S+ check weight (\d+)", router(shipped("stage-c"))))
    assert int(weights["server-1-vllm-1"]) > int(weights["server-1-vllm-2"])


def test_only_what_an_engine_never_got_refused_or_left_without_a_word_is_sent_again() -> None:
    text = router(shipped("stage-a"))
    assert re.findall(r"^  retry-on (.*)$", text, re.MULTILINE) == ["conn-failure empty-response 500 503"]


def test_a_request_of_the_longest_context_is_held_whole_and_every_further_try_asks_another_engine() -> None:
    text = router(shipped("stage-a"))
    # Without it a request whose body comes after its head is never tried again: 30 of 60 got 502 beside a dead engine.
    assert "  option http-buffer-request\n" in text
    assert "  option redispatch 1\n" in text
    # It ends requests without another try: one that waited for an engine that was just replaced got 500.
    assert "shutdown-sessions" not in text
    assert "  option srvtcpka\n" in text
    [buffer_bytes] = re.findall(r"^  tune.bufsize (\d+)$", text, re.MULTILINE)
    assert int(buffer_bytes) >= 6 * max(shipped(name).config.vllm.max_model_len for name in STAGE_NAMES)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_a_router_is_replaced_after_every_engine_that_it_sends_to_is_there(name: str) -> None:
    by_name = {one.name: one for one in shipped(name).vllm.containers}
    for one in by_name.values():
        if one.service == "vllm-router":
            before: list[str] = [*one.after]
            for earlier in before:
                before += [each for each in by_name[earlier].after if each not in before]
            assert {engine for engine in by_name if by_name[engine].service == "vllm"} <= set(before)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_a_router_holds_all_that_the_api_can_send(name: str) -> None:
    plan = shipped(name)
    one = container(plan, "vllm-router-1")
    connections = plan.config.api.max_instances * plan.config.api.concurrency
    assert f"maxconn {connections}\n" in file(one, CONFIG).text
    assert connections * CONNECTION_KIB <= one.memory_mib * 1024


def test_a_routers_memory_grows_in_steps_with_what_it_holds() -> None:
    assert [router_memory_mib(number) for number in (1, 1_200, 3_200)] == [128, 192, 384]
    assert router_connections(shipped("stage-e").config) == 3_200


def test_engines_share_no_card_and_keep_their_secrets_in_files() -> None:
    for name in STAGE_NAMES:
        engines = [one for one in shipped(name).vllm.containers if one.service == "vllm"]
        cards = [(one.host, gpu) for one in engines for gpu in one.gpu_indices]
        assert len(set(cards)) == len(cards)
        for one in engines:
            assert set(one.secrets) == {"hugging-face-token", "vllm-api-key"}
            assert {file.mode for file in one.files} == {"0400"}
            assert "HF_TOKEN" not in one.environment
            assert "VLLM_API_KEY" not in one.environment


def test_the_stand_in_for_machines_without_a_card_asks_for_none() -> None:
    plan = planned("stage-c", {"vllm": {"accelerator": "simulated"}})
    assert all(one.gpu_indices == () and not one.ulimits for one in plan.vllm.containers)
