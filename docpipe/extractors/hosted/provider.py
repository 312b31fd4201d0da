"""What is sent to a provider and what comes back, in terms that hold for all of them.

In: a `Prompt`. Out: a `ProviderRequest` with encoded images and a JSON Schema; a `ProviderResponse` is its answer.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from docpipe.extractors.generative.backend import FinishReason, OutputToken, Prompt
from docpipe.extractors.hosted.budget import TokenUsage
from docpipe.extractors.hosted.failures import RequestFailure

Feature = Literal[
    "schema", "bounds", "temperature", "logprobs", "image_detail", "thinking", "token_limit", "legacy_limit_name"
]
"""What a request can do without: the schema, the keywords in it that bound values, temperature 0, log-probabilities,
images in detail, tokens for thinking, a limit of the tokens to write, and the old name of that limit."""

# A page of 2,000 pixels as JPEG has 160 to 230 KiB and takes 12 ms, as PNG 190 to 450 KiB and 50 to 110 ms
# (docs/hosted.md), a photo many times as much. Colours are kept at full width: else coloured print smears.
JPEG_QUALITY = 90
MEDIA_TYPE = "image/jpeg"

# Rough, and more rather than less: what a request is reserved with before the server says what it was.
BYTES_PER_TOKEN = 2  # of a prompt's text: German prose has 3.5 to 4.5, digits and other scripts down to 2
PIXELS_PER_TOKEN = 750  # as Anthropic's documentation counts; OpenAI and Qwen come to 780 to 850
MIN_IMAGE_TOKENS = 1_120  # Gemini's for an image in detail, however small
KEY_CHARACTERS_PER_TOKEN = 2  # of keys, quotes and braces, with the blanks of an answer that is set out in lines


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """The bytes of a file of `MEDIA_TYPE`; sides in pixels."""

    data: bytes
    width: int
    height: int

    @property
    def as_base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")

    @property
    def estimated_tokens(self) -> int:
        return max(MIN_IMAGE_TOKENS, self.width * self.height // PIXELS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """`output_schema` stands for what may be written, whether it is sent as such or in words; `answer_tokens` are
    without those for thinking."""

    model: str
    parts: tuple[str | EncodedImage, ...]
    output_schema: Mapping[str, Any]
    answer_tokens: int
    thinking_tokens: int
    features: frozenset[Feature]

    @property
    def max_tokens(self) -> int:
        return self.answer_tokens + (self.thinking_tokens if "thinking" in self.features else 0)

    @property
    def estimated_prompt_tokens(self) -> int:
        text_bytes = sum(len(part.encode()) for part in self.parts if isinstance(part, str))
        text_bytes += len(json.dumps(self.output_schema))
        images = [part for part in self.parts if isinstance(part, EncodedImage)]
        return text_bytes // BYTES_PER_TOKEN + sum(image.estimated_tokens for image in images)


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """`usage` is None where the server does not report it. `reason` is its code for why it stopped or refused,
    `served_model` the name of the model as the server gives it."""

    text: str
    finish: FinishReason = "complete"
    tokens: tuple[OutputToken, ...] = ()
    usage: TokenUsage | None = None
    reason: str = ""
    served_model: str = ""


class Provider(Protocol):
    """One API, through its official client. `features` is what its requests begin with; `max_side` the pixels of an
    image's longer side that it makes use of."""

    @property
    def features(self) -> frozenset[Feature]: ...

    @property
    def max_side(self) -> int: ...

    def sees_pictures(self, model: str) -> bool:
        """Whether this model takes images, as far as its server says; true where nobody says otherwise."""
        ...

    def send(self, request: ProviderRequest) -> ProviderResponse:
        """One request, no retries. Raises whatever the client raises."""
        ...

    def failure(self, error: Exception) -> RequestFailure | None:
        """What such an error means; None: it is none of the client's."""
        ...


def encode_parts(parts: Iterable[Any]) -> tuple[str | EncodedImage, ...]:
    """Texts as they are; images as JPEG: scans and photos are large as PNG, and all servers take it."""
    return tuple(part if isinstance(part, str) else _as_jpeg(part) for part in parts)


def _as_jpeg(image: Any) -> EncodedImage:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return EncodedImage(buffer.getvalue(), image.width, image.height)


def max_answer_tokens(prompt: Prompt) -> int:
    """The most that an object with all slots can need."""
    skeleton = json.dumps(dict.fromkeys(slot.name for slot in prompt.slots))
    return sum(slot.max_tokens for slot in prompt.slots) + len(skeleton) // KEY_CHARACTERS_PER_TOKEN


def is_json_object(text: str) -> bool:
    """Whether an object begins somewhere in the text and comes to its end; a fence or a word before it does no harm."""
    start = text.find("{")
    try:
        return start >= 0 and isinstance(json.JSONDecoder(strict=False).raw_decode(text, start)[0], dict)
    except (ValueError, RecursionError):
        return False


@dataclass(frozen=True, slots=True)
class ReportedToken:
    """A token as a server reports it. `data` are its bytes, None where the server gives its text alone."""

    text: str
    data: bytes | None
    log_probability: float


def output_tokens(reported: Sequence[ReportedToken], text: str) -> tuple[OutputToken, ...]:
    """The tokens of a text, joined where a character is split over several; none where they do not make up the text. A
    server may add the token that ends the answer."""
    for candidates in (reported, reported[:-1]):
        tokens = _with_whole_characters(candidates)
        if tokens and "".join(token.text for token in tokens) == text:
            return tokens
    return ()


def _with_whole_characters(reported: Sequence[ReportedToken]) -> tuple[OutputToken, ...]:
    tokens: list[OutputToken] = []
    pending, log_probability = b"", 0.0
    for token in reported:
        pending += token.text.encode() if token.data is None else token.data
        log_probability += token.log_probability
        try:
            tokens.append(OutputToken(pending.decode(), log_probability))
        except UnicodeDecodeError:
            continue  # the rest of the character is in the next token
        pending, log_probability = b"", 0.0
    return () if pending else tuple(tokens)
