from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.simulator.served import CHAT, Client, served

ENGLISH = "a" * 4_000


def events(stream: bytes) -> list[Any]:
    """Return the JSON of a stream's events, without the last, which is [DONE]."""
    *chunks, done, rest = stream.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert all(chunk.startswith(b"data: ") for chunk in chunks)
    return [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]


def test_a_chat_is_answered_and_says_in_text_header_and_fingerprint_that_it_is_simulated() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.post("/v1/chat/completions", json={**CHAT, "max_tokens": 8}) as response:
            assert response.status == 200
            assert "simulated" in response.headers["X-Simulated"]
            body = await response.json()
        choice = body["choices"][0]
        assert choice["message"]["content"].startswith("[simulated answer, written by no model]")
        assert choice["finish_reason"] == "length"
        assert body["usage"]["completion_tokens"] == 8
        assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + 8
        assert body["system_fingerprint"].startswith("simulated-vllm-")
        assert body["object"] == "chat.completion"

    served(scenario)


def test_the_same_prompt_gets_the_same_answer_and_another_one_another() -> None:
    async def scenario(client: Client) -> None:
        contents = []
        for text in ("one", "one", "two"):
            _, body = await client.chat(messages=[{"role": "user", "content": text}])
            contents.append(body["choices"][0]["message"]["content"])
            assert body["choices"][0]["finish_reason"] == "stop"
        assert contents[0] == contents[1] != contents[2]

    served(scenario)


def test_a_chat_streams_byte_by_byte_as_vllm_does() -> None:
    async def scenario(client: Client) -> None:
        stream = await client.stream("/v1/chat/completions", {**CHAT, "max_tokens": 2, "stream": True})
        first = events(stream)[0]
        head = (
            f'data: {{"id":"{first["id"]}","object":"chat.completion.chunk","created":{first["created"]},'
            '"model":"llama-2-13b-chat","choices":[{"index":0,"delta":{'
        )
        expected = (
            f'{head}"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}],'
            '"prompt_token_ids":null,"prompt_text":null}\n\n'
            f'{head}"content":"[simulated"}},"logprobs":null,"finish_reason":null,"token_ids":null}}]}}\n\n'
            f'{head}"content":" answer,"}},"logprobs":null,"finish_reason":"length","stop_reason":null,'
            '"token_ids":null}],"system_fingerprint":"simulated-vllm-0.31.0"}\n\n'
            "data: [DONE]\n\n"
        )
        assert stream.decode() == expected

    # So slow that no two tokens share a chunk.
    served(scenario, SIMULATOR_SPEED="2")


def test_a_completion_streams_byte_by_byte_as_vllm_does() -> None:
    async def scenario(client: Client) -> None:
        body = {"prompt": "Once", "max_tokens": 1, "stream": True, "stream_options": {"include_usage": True}}
        stream = await client.stream("/v1/completions", body)
        first = events(stream)[0]
        head = (
            f'data: {{"id":"{first["id"]}","object":"text_completion","created":{first["created"]},'
            '"model":"llama-2-13b-chat","choices":['
        )
        expected = (
            f'{head}{{"index":0,"text":"[simulated","logprobs":null,"finish_reason":"length","stop_reason":null,'
            '"prompt_token_ids":null,"token_ids":null}]}\n\n'
            f'{head}],"usage":{{"prompt_tokens":2,"total_tokens":3,"completion_tokens":1}},'
            '"system_fingerprint":"simulated-vllm-0.31.0"}\n\n'
            "data: [DONE]\n\n"
        )
        assert stream.decode() == expected

    served(scenario)


def test_a_stream_carries_the_whole_answer_and_its_usage_where_it_is_asked_for() -> None:
    async def scenario(client: Client) -> None:
        _, whole = await client.chat(max_tokens=50)
        options = {"include_usage": True, "continuous_usage_stats": True}
        body = {**CHAT, "max_tokens": 50, "stream": True, "stream_options": options}
        *chunks, last = events(await client.stream("/v1/chat/completions", body))
        texts = [chunk["choices"][0]["delta"]["content"] for chunk in chunks]
        assert "".join(texts) == whole["choices"][0]["message"]["content"]
        assert last["choices"] == []
        assert last["usage"] == {key: whole["usage"][key] for key in last["usage"]}
        assert [chunk["usage"]["completion_tokens"] for chunk in chunks][-1] == 50
        assert "system_fingerprint" not in chunks[-1]

    served(scenario)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_stop_text_ends_the_answer_before_itself(streamed: bool) -> None:
    async def scenario(client: Client) -> None:
        asked = {**CHAT, "stop": [" by no"]}
        if streamed:
            chunks = events(await client.stream("/v1/chat/completions", {**asked, "stream": True}))
            text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
            end = chunks[-1]["choices"][0]
        else:
            _, body = await client.post("/v1/chat/completions", asked)
            end = body["choices"][0]
            text = end["message"]["content"]
        assert text == "[simulated answer, written"
        assert (end["finish_reason"], end["stop_reason"]) == ("stop", " by no")

    served(scenario)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/models", 401), ("/v1/none", 401), ("/health", 200), ("/metrics", 200), ("/version", 200)]
)
def test_the_key_guards_only_what_vllm_guards(path: str, status: int) -> None:
    async def scenario(client: Client) -> None:
        async with client.http.get(path) as response:
            assert response.status == status
            if status == 401:
                assert await response.json() == {"error": "Unauthorized"}
        async with client.http.get(path, headers={"Authorization": "Bearer secret"}) as response:
            assert response.status == (404 if path == "/v1/none" else 200)
        async with client.http.get(path, headers={"Authorization": "Basic secret"}) as response:
            assert response.status == status

    served(scenario, api_key="secret")


def test_the_list_of_models_names_what_is_served_and_its_length() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.get("/v1/models") as response:
            body = await response.json()
        assert [(card["id"], card["max_model_len"]) for card in body["data"]] == [("llama-2-13b-chat", 4096)]
        assert body["data"][0]["root"] == "meta-llama/Llama-2-13b-chat-hf"

    served(scenario)


FAULTS: list[tuple[dict[str, object], int, str, str]] = [
    ({"model": "gpt"}, 404, "NotFoundError", "The model `gpt` does not exist."),
    ({"messages": 7}, 400, "Bad Request", "1 validation error:\n  {'type': 'list_type', 'loc': 'body.messages', "),
    ({"temperature": 3}, 400, "BadRequestError", "temperature must be in [0, 2], got 3.0."),
    ({"temperature": -1}, 400, "BadRequestError", "temperature must be non-negative, got -1.0."),
    ({"max_tokens": 0}, 400, "BadRequestError", "max_tokens must be at least 1, got 0."),
    ({"max_tokens": 5_000}, 400, "BadRequestError", "max_tokens=5000 cannot be greater than max_model_len=4096."),
    ({"max_tokens": 4_096}, 400, "BadRequestError", "This model's maximum context length is 4096 tokens. However, "),
    ({"stream_options": {"include_usage": True}}, 400, "Bad Request", "1 validation error:\n  {'type': 'value_error'"),
    ({"n": 2}, 400, "BadRequestError", "The simulated server answers n=1 only"),
]


@pytest.mark.parametrize(("change", "status", "kind", "message"), FAULTS)
def test_a_fault_in_a_request_is_answered_in_vllms_words(
    change: dict[str, object], status: int, kind: str, message: str
) -> None:
    async def scenario(client: Client) -> None:
        found, body = await client.chat(**change)
        assert (found, body["error"]["type"], body["error"]["code"]) == (status, kind, status)
        assert body["error"]["message"].startswith(message)
        assert await client.metric("http_requests_total", handler="/v1/chat/completions", status="4xx") == 1

    served(scenario)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"{", "application/json", "1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.1'"),
        (b"{}", "text/plain", "1 validation error:\n  Unsupported Media Type"),
        (b"\xff", "application/json", "There was an error parsing the body"),
    ],
)
def test_a_body_that_is_no_json_is_refused(body: bytes, kind: str, message: str) -> None:
    async def scenario(client: Client) -> None:
        async with client.http.post("/v1/completions", data=body, headers={"Content-Type": kind}) as response:
            assert response.status == 400
            assert (await response.json())["error"]["message"].startswith(message)

    served(scenario)


def test_a_prompt_longer_than_the_model_is_refused_with_its_length() -> None:
    async def scenario(client: Client) -> None:
        status, body = await client.post("/v1/completions", {"prompt": ENGLISH * 5, "max_tokens": 10})
        assert status == 400
        assert "your prompt contains 5001 input tokens, for a total of 5011 tokens" in body["error"]["message"]
        assert body["error"]["param"] == "input_tokens"

    served(scenario)


def test_a_path_that_is_not_there_is_answered_with_vllms_error_object() -> None:
    async def scenario(client: Client) -> None:
        async with client.http.get("/v1/embeddings") as response:
            body = await response.json()
        assert body == {"error": {"message": "Not Found", "type": "Not Found", "param": None, "code": 404}}

    served(scenario)


async def until_running(client: Client, count: int) -> None:
    while await client.metric("vllm:num_requests_running") != count:
        await asyncio.sleep(0.001)


def test_a_full_queue_refuses_with_503_and_counts_it() -> None:
    async def scenario(client: Client) -> None:
        first = asyncio.create_task(client.chat(max_tokens=4_000, ignore_eos=True))
        await until_running(client, 1)
        status, body = await client.chat(max_tokens=1)
        assert (status, body["error"]["type"]) == (503, "Service Unavailable")
        assert body["error"]["message"].startswith("The engine is currently busy")
        assert await client.metric("vllm:admission_rejections_total", reason="max_num_queued_reqs") == 1
        first.cancel()
        await until_running(client, 0)
        assert (await client.chat(max_tokens=1))[0] == 200

    served(scenario, "--max-num-queued-reqs", "1", SIMULATOR_SPEED="1")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_client_that_leaves_frees_its_place_and_counts_as_an_abort(streamed: bool) -> None:
    async def scenario(client: Client) -> None:
        asked = client.http.post(
            "/v1/chat/completions", json={**CHAT, "max_tokens": 4_000, "ignore_eos": True, "stream": streamed}
        )
        leaving = asyncio.ensure_future(asked)
        await until_running(client, 1)
        if streamed:
            (await leaving).close()
        leaving.cancel()
        await until_running(client, 0)
        assert await client.metric("vllm:request_success_total", finished_reason="abort") == 1
        assert await client.metric("vllm:kv_cache_usage_perc") == 0

    served(scenario, SIMULATOR_SPEED="1")


def test_a_closing_server_lets_answers_end_refuses_new_ones_and_still_calls_itself_healthy() -> None:
    async def scenario(client: Client) -> None:
        under_way = asyncio.create_task(client.chat(max_tokens=200, ignore_eos=True))
        await until_running(client, 1)
        closing = asyncio.create_task(client.server.close(30))
        await asyncio.sleep(0)
        status, body = await client.chat(max_tokens=1)
        assert (status, body["error"]["message"]) == (500, "cannot schedule new futures after shutdown")
        async with client.http.get("/health") as response:
            assert response.status == 200
        await closing
        status, body = await under_way
        assert (status, body["usage"]["completion_tokens"]) == (200, 200)

    served(scenario, SIMULATOR_SPEED="20")


def test_a_server_that_may_not_wait_aborts_what_runs() -> None:
    async def scenario(client: Client) -> None:
        under_way = asyncio.create_task(client.chat(max_tokens=4_000, ignore_eos=True))
        await until_running(client, 1)
        await client.server.close(0)
        status, body = await under_way
        assert (status, body["choices"][0]["finish_reason"]) == (200, "abort")
        assert body["usage"]["completion_tokens"] < 4_000

    served(scenario, SIMULATOR_SPEED="1")
