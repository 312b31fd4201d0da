"""Models behind an HTTP API: what is sent, and what becomes of a good answer. Each against a real server."""

from __future__ import annotations

import base64
import io
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.errors import ModelError, UsageError
from docpipe.extractors.generative.backend import BackendReply, OutputSlot, Prompt
from tests.support.hosted_server import (
    ANSWER,
    KEY,
    KINDS,
    PROMPT,
    TEXT,
    VARIABLES,
    CannedResponse,
    ReceivedRequest,
    fake_provider,
    set_keys,
    single_reply,
    success,
)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_one_request_and_its_answer_one_object_with_all_slots(kind: str):
    with fake_provider(kind) as (server, backend):
        reply = single_reply(backend)
    (completion,) = reply.completions
    assert (completion.text, completion.slot_names, completion.finish) == (
        ANSWER,
        ("invoice_number", "gross_total"),
        "complete",
    )
    assert len(server.received) == 1
    assert backend.name == f"{kind}:some-model@127.0.0.1:{server.port}", "another server's model is another model"


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_counted_as_the_server_counts_them(kind: str):
    with fake_provider(kind) as (_server, backend):
        reply = single_reply(backend)
    assert (reply.tokens_in, reply.tokens_out) == (1000, 20)
    assert reply.image_tokens == (0 if kind == "anthropic" else 700)  # Anthropic does not tell
    assert reply.money == 0.0  # without a price list


@pytest.mark.parametrize("kind", KINDS)
def test_texts_and_pictures_arrive_in_their_order(kind: str):
    with fake_provider(kind) as (server, backend):
        single_reply(backend)
    parts = server.parts()
    assert [part.get("text", "picture") for part in parts] == [
        "Find these fields.",
        "Page 1 of 1:",
        "picture",
        "Answer with JSON.",
    ]
    with Image.open(io.BytesIO(_picture(parts[2]))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (120, 80))
        assert picture.getpixel((60, 40)) == pytest.approx((200, 220, 255), abs=4)


def _picture(part) -> bytes:
    if "image_url" in part:
        assert part["image_url"]["detail"] == "high"
        head, data = part["image_url"]["url"].split(",")
        assert head == "data:image/jpeg;base64"
    elif "source" in part:
        assert part["source"]["media_type"] == "image/jpeg"
        data = part["source"]["data"]
    else:
        assert part["inlineData"]["mime_type"] == "image/jpeg"  # as the client writes it
        data = part["inlineData"]["data"].replace("-", "+").replace("_", "/")
    return base64.b64decode(data)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_sent_with_the_keywords_that_the_provider_takes(kind: str):
    with fake_provider(kind) as (server, backend):
        single_reply(backend)
    schema = server.schema()
    assert list(schema["properties"]) == schema["required"] == ["invoice_number", "gross_total"]
    assert schema["additionalProperties"] is False
    if kind == "openai":  # a server of one's own is sent everything
        assert schema["properties"]["invoice_number"] == TEXT
        assert server.received[0].body["response_format"]["json_schema"]["strict"] is True
    else:
        assert schema["properties"]["gross_total"] == {"type": ["string", "null"]}


def test_a_field_with_the_name_of_a_keyword_stays_in_the_schema():
    prompt = replace(PROMPT, slots=(OutputSlot("pattern", TEXT, 40), OutputSlot("format", TEXT, 40)))
    with fake_provider("anthropic", success("anthropic", '{"pattern": "a", "format": "b"}')) as (server, backend):
        single_reply(backend, prompt)
    assert list(server.schema()["properties"]) == ["pattern", "format"]


def test_anthropic_gets_no_more_unions_than_it_takes_and_is_told_how_to_say_null():
    slots = tuple(OutputSlot(f"field_{number}", TEXT, 20) for number in range(17))
    response = success("anthropic", json.dumps(dict.fromkeys((slot.name for slot in slots), "")))
    with fake_provider("anthropic", response) as (server, backend):
        single_reply(backend, Prompt(PROMPT.parts, slots))
        single_reply(backend, Prompt(PROMPT.parts, slots[:16]))
    assert {value["type"] for value in server.schema(0)["properties"].values()} == {"string"}
    assert 'null, write ""' in server.texts(0)
    assert server.schema(1)["properties"]["field_0"]["type"] == ["string", "null"]
    assert 'null, write ""' not in server.texts(1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_may_be_as_long_as_its_slots_and_the_thinking_beside_them(kind: str):
    with fake_provider(kind, hosted_thinking_tokens=500) as (server, backend):
        single_reply(backend)
    body = server.received[0].body
    most = body["generationConfig"]["maxOutputTokens"] if kind == "gemini" else body["max_tokens"]
    assert 500 + 40 + 30 < most < 500 + 40 + 30 + 50  # and the keys
    assert server.temperature() == 0


@pytest.mark.parametrize(("kind", "header"), [("openai", "authorization"), ("anthropic", "authorization")])
def test_the_key_goes_into_one_header_of_the_request_and_nowhere_else(kind: str, header: str):
    with fake_provider(kind) as (server, backend):
        single_reply(backend)
    headers = server.received[0].headers
    assert [name for name, value in headers.items() if KEY in value] == [header]
    assert KEY not in server.received[0].path + json.dumps(server.received[0].body)


def test_the_key_for_gemini_goes_into_its_header_and_not_into_the_address():
    with fake_provider("gemini") as (server, backend):
        single_reply(backend)
    assert [name for name, value in server.received[0].headers.items() if KEY in value] == ["x-goog-api-key"]
    assert KEY not in server.received[0].path


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_is_in_no_log_not_even_when_everything_is_logged(kind: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), fake_provider(kind) as (_server, backend):
        single_reply(backend)
    assert caplog.records
    assert KEY not in caplog.text
    assert KEY not in repr(backend) + repr(vars(backend))


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_the_provider_itself_is_not_asked(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLES[kind])
    with pytest.raises(ModelError, match=f"{VARIABLES[kind]} is not set"):
        hosted_backend(kind, "some-model", load_settings({}))


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_server_of_ones_own_needs_no_key_and_is_sent_none(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLES[kind])
    with fake_provider(kind) as (server, backend):
        assert single_reply(backend).tokens_out == 20
    assert not {"authorization", "x-api-key"} & set(server.received[0].headers)


def test_what_is_no_address_is_no_server():
    with pytest.raises(UsageError, match="DOCPIPE_OPENAI_URL"):
        hosted_backend("openai", "some-model", load_settings({"DOCPIPE_OPENAI_URL": "localhost:8000"}))


def test_a_password_in_an_address_is_not_accepted_and_not_shown():
    settings = load_settings({"DOCPIPE_OPENAI_URL": "http://me:a-password@localhost:8000/v1"})
    with pytest.raises(UsageError, match="DOCPIPE_OPENAI_URL") as caught:
        hosted_backend("openai", "some-model", settings)
    assert "a-password" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_are_sent_side_by_side_and_answered_in_their_order(kind: str):
    def echo(request: ReceivedRequest) -> CannedResponse:
        body = json.dumps(request.body)
        number = next(number for number in range(9) if f"Document {number}." in body)
        return success(kind, json.dumps({"invoice_number": str(number), "gross_total": None}))

    prompts = [replace(PROMPT, parts=(f"Document {number}.",)) for number in range(9)]
    with fake_provider(kind, echo, hosted_parallel=3) as (server, backend):
        replies = backend.complete(prompts)
    assert [json.loads(reply.completions[0].text)["invoice_number"] for reply in replies] == list("012345678")
    assert server.most_at_once <= 3


def test_no_prompt_is_no_request():
    with fake_provider("openai") as (server, backend):
        assert backend.complete([]) == []
    assert server.received == []


def _reported_tokens(*texts: str):
    return [{"token": text, "logprob": -0.5, "bytes": list(text.encode())} for text in texts]


@pytest.mark.parametrize("kind", ["openai", "gemini"])
def test_the_probability_of_each_token_comes_back_where_the_server_tells_it(kind: str):
    texts = ('{"', "invoice_number", '": "', "R-17", '", ', '"gross_total": "119,00"}')
    with fake_provider(kind, success(kind, ANSWER, tokens=_reported_tokens(*texts))) as (server, backend):
        (completion,) = single_reply(backend).completions
    assert [token.text for token in completion.tokens] == list(texts)
    assert {token.log_probability for token in completion.tokens} == {-0.5}
    body = server.received[0].body
    assert body["generationConfig"]["responseLogprobs"] if kind == "gemini" else body["logprobs"]


def test_a_character_that_two_tokens_share_is_one_token_as_probable_as_both():
    text = '{"invoice_number": "Ä"}'
    first, second = "Ä".encode()
    reported = [
        *_reported_tokens('{"invoice_number": "'),
        {"token": "\\xc3", "logprob": -0.25, "bytes": [first]},
        {"token": "\\x84", "logprob": -0.5, "bytes": [second]},
        *_reported_tokens('"}', "<|end|>"),  # vLLM has the token that ends the answer too
    ]
    with fake_provider("openai", success("openai", text, tokens=reported)) as (_server, backend):
        (completion,) = single_reply(backend).completions
    assert "".join(token.text for token in completion.tokens) == text
    assert next(token.log_probability for token in completion.tokens if token.text == "Ä") == -0.75


def test_tokens_that_do_not_make_up_the_text_are_left_out():
    with fake_provider("openai", success("openai", ANSWER, tokens=_reported_tokens('{"other'))) as (_server, backend):
        (completion,) = single_reply(backend).completions
    assert (completion.text, completion.tokens) == (ANSWER, ())


def test_a_server_that_counts_nothing_is_answered_for_all_the_same():
    with fake_provider("openai", success("openai", ANSWER, usage=None)) as (_server, backend):
        reply = single_reply(backend)
    assert isinstance(reply, BackendReply)
    assert (reply.tokens_in, reply.tokens_out) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_money_is_what_the_price_list_says_and_cached_tokens_have_their_own_price(kind: str, tmp_path: Path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({f"{kind}:some-model": {"in": 2.0, "out": 10.0, "cached_in": 0.5}}), "utf-8")
    with fake_provider(kind, prices=prices) as (_server, backend):
        reply = single_reply(backend)
    assert reply.money == pytest.approx((600 * 2.0 + 400 * 0.5 + 20 * 10.0) / 1e6)


def test_what_the_model_really_is_called_is_logged_once(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO), fake_provider("openai") as (_server, backend):
        single_reply(backend)
        single_reply(backend)
    assert [line for line in caplog.messages if "served by" in line] == [
        "openai:some-model is served by a-dated-snapshot"
    ]


@pytest.mark.parametrize(
    "message",
    [{"content": [{"type": "text", "text": ANSWER}]}, {"content": ANSWER}],
)
def test_odd_but_whole_answers_of_a_server_are_understood(message: dict):
    body = {
        "id": "1", "object": "chat.completion", "created": 1, "model": "some-model",
        "choices": [{
            "index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message},
            "logprobs": {"content": [{"token": "{", "logprob": None, "bytes": None, "top_logprobs": []}]},
        }],
        "usage": {"prompt_tokens": "12", "completion_tokens": None, "total_tokens": 12},
    }  # fmt: skip
    with fake_provider("openai", CannedResponse(body)) as (_server, backend):
        reply = single_reply(backend)
    assert reply.completions[0].text == ANSWER
    assert reply.completions[0].tokens == ()
