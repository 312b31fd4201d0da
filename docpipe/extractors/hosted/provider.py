"""What goes over the wire and what comes back, as all providers understand it.

In: a Question. Out: a `Request` with encoded pictures and a JSON Schema that the provider takes; `Heard` is its answer.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx2

from docpipe.extractors.generative.backend import Finish, Question, Token
from docpipe.extractors.hosted.retries import WORDS, Failure

Feature = Literal["schema", "limits", "temperature", "logprobs", "detail", "thinking", "limit", "old_limit"]
"""What a request can do without: the schema, the keywords in it that bound what is written, temperature 0,
log-probabilities, pictures in detail, tokens for thinking, the most tokens to write, and their old name."""

# A page of 2,000 pixels as JPEG has 160 to 230 KiB and takes 12 ms, as PNG 190 to 450 KiB and 50 to 110 ms
# (docs/hosted.md), a photo many times as much. Colours are kept at full width: else coloured print smears.
JPEG_QUALITY = 90
MEDIA_TYPE = "image/jpeg"

SCHEMA_IN_WORDS = "The answer must fit this JSON Schema:\n"
# Keywords that bound a value without changing its shape; which of them a provider takes is in its own module.
LIMITS = frozenset({"minLength", "maxLength", "pattern", "minItems", "maxItems", "format", "minimum", "maximum"})

# Rough, and more rather than less: what a request is reserved with before the server says what it was.
BYTES_PER_TOKEN = 2  # of a prompt's text: German prose has 3.5 to 4.5, digits and other scripts down to 2
PIXELS_PER_TOKEN = 750  # as Anthropic's documentation counts; OpenAI and Qwen come to 780 to 850
PICTURE_TOKENS = 1_120  # Gemini's for a picture in detail, however small
KEY_CHARACTERS_PER_TOKEN = 2  # of keys, quotes and braces, with the blanks of an answer that is set out in lines


@dataclass(frozen=True, slots=True)
class Picture:
    data: bytes
    width: int
    height: int

    @property
    def as_text(self) -> str:
        """In base64."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def tokens(self) -> int:
        return max(PICTURE_TOKENS, self.width * self.height // PIXELS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Request:
    """`schema` is the answer's, whether it is sent as such or in words; `answer_tokens` without those for thinking."""

    model: str
    parts: tuple[str | Picture, ...]
    schema: Mapping[str, Any]
    answer_tokens: int
    thinking_tokens: int
    uses: frozenset[Feature]

    @property
    def most_tokens(self) -> int:
        return self.answer_tokens + (self.thinking_tokens if "thinking" in self.uses else 0)

    @property
    def prompt_tokens(self) -> int:
        """An estimate."""
        texts = sum(len(part.encode()) for part in self.parts if isinstance(part, str))
        texts += len(json.dumps(self.schema))
        return texts // BYTES_PER_TOKEN + sum(part.tokens for part in self.parts if isinstance(part, Picture))


@dataclass(frozen=True, slots=True)
class Usage:
    """As the server counts. `tokens_in` has all of the prompt, also the `cached` part and the pictures."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0
    image_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cached + other.cached,
            self.image_tokens + other.image_tokens,
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """`usage` is None where the server does not tell. `why` is its code for a refusal, `model` its name of itself."""

    text: str
    finish: Finish = "complete"
    tokens: tuple[Token, ...] = ()
    usage: Usage | None = None
    why: str = ""
    model: str = ""


class Provider(Protocol):
    """One API, through its official client. `uses` is what its requests begin with; `max_side` the pixels of a
    picture's longer side that it makes use of."""

    @property
    def uses(self) -> frozenset[Feature]: ...

    @property
    def max_side(self) -> int: ...

    def send(self, request: Request) -> Heard:
        """One request, no retries. Raises whatever the client raises."""
        ...

    def failure(self, error: Exception) -> Failure | None:
        """What such an error means; None: it is none of the client's."""
        ...


def encoded(parts: Iterable[Any]) -> tuple[str | Picture, ...]:
    """Texts as they are; pictures as JPEG: scans and photos are large as PNG, and all servers take it."""
    return tuple(part if isinstance(part, str) else _jpeg(part) for part in parts)


def _jpeg(image: Any) -> Picture:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return Picture(buffer.getvalue(), image.width, image.height)


def answer_tokens(question: Question) -> int:
    """The most that an object with all slots can need."""
    skeleton = json.dumps(dict.fromkeys(slot.name for slot in question.slots))
    return sum(slot.tokens for slot in question.slots) + len(skeleton) // KEY_CHARACTERS_PER_TOKEN


def trimmed(schema: Mapping[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    """A copy without these keywords, at any depth. What is under `properties` are names, not keywords."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in dropped:
            continue
        if key == "properties":
            found[key] = {name: trimmed(inner, dropped) for name, inner in value.items()}
        elif key == "items":
            found[key] = trimmed(value, dropped)
        elif key == "anyOf":
            found[key] = [trimmed(inner, dropped) for inner in value]
        else:
            found[key] = value
    return found


def unions(schema: Mapping[str, Any]) -> int:
    """How many values may be of more than one type."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    own = isinstance(schema.get("type"), list) or "anyOf" in schema
    return own + sum(unions(each) for each in inner)


def without_unions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which null is not allowed: an empty text takes its place, which means the same to docpipe."""
    found = dict(schema)
    if isinstance(found.get("type"), list):
        found["type"] = next((kind for kind in found["type"] if kind != "null"), "null")
    if "properties" in found:
        found["properties"] = {name: without_unions(inner) for name, inner in found["properties"].items()}
    if "items" in found:
        found["items"] = without_unions(found["items"])
    return found


def is_json_object(text: str) -> bool:
    """Whether an object begins somewhere in the text and comes to its end; a fence or a word before it does no harm."""
    start = text.find("{")
    try:
        return start >= 0 and isinstance(json.JSONDecoder(strict=False).raw_decode(text, start)[0], dict)
    except (ValueError, RecursionError):
        return False


def told(pieces: Sequence[tuple[str, Sequence[int] | None, float]], text: str) -> tuple[Token, ...]:
    """Tokens as (text, its bytes, log-probability), joined where a letter is cut in two; none where they do not make up
    the text. A server may add the token that ends the answer."""
    for given in (pieces, pieces[:-1]):
        found = _whole_letters(given)
        if found and "".join(token.text for token in found) == text:
            return found
    return ()


def _whole_letters(pieces: Sequence[tuple[str, Sequence[int] | None, float]]) -> tuple[Token, ...]:
    found: list[Token] = []
    held, log_probability = b"", 0.0
    for text, raw, own in pieces:
        held += text.encode() if raw is None else bytes(raw)
        log_probability += own
        try:
            found.append(Token(held.decode(), log_probability))
        except UnicodeDecodeError:
            continue  # the rest of the letter is in the next token
        held, log_probability = b"", 0.0
    return () if held else tuple(found)


def words_of(body: Any) -> str:
    """The message in an error's body, with the parameters that it names; never what it repeats of the request."""
    if not isinstance(body, Mapping):
        return str(body or "")[:WORDS]
    error = body.get("error", body)
    if not isinstance(error, Mapping):
        return str(error)[:WORDS]
    said = [error.get("message"), error.get("param"), error.get("code"), error.get("type")]
    detail = error.get("detail")
    if isinstance(detail, list):  # FastAPI's; `input` would be the request
        said += [f"{entry.get('loc')} {entry.get('msg')}" for entry in detail if isinstance(entry, Mapping)]
    elif detail is not None:
        said.append(detail)
    return " ".join(str(each) for each in said if each)[:WORDS]


def client_failure(client: Any, error: Exception) -> Failure | None:
    """What an error of OpenAI's or Anthropic's client means: both are generated alike. `client` is the library."""
    match error:
        case client.APIStatusError():
            body = error.body if error.body is not None else error.response.text
            return Failure("answer", words_of(body), error.status_code, dict(error.response.headers), body)
        case client.APITimeoutError() if not isinstance(error.__cause__, httpx2.ConnectTimeout):
            return Failure("timeout", "")
        case client.APIConnectionError() if isinstance(error.__cause__, httpx2.RemoteProtocolError | httpx2.ReadError):
            return Failure("cut", str(error.__cause__))
        case client.APIConnectionError():
            return Failure("connection", str(error.__cause__ or error))
        case client.APIResponseValidationError() | json.JSONDecodeError():
            return Failure("cut", "the answer is no JSON")
    return None
