"""What a generative extractor and the model behind it hand to each other.

In: page images and a schema, as a `Prompt` with output slots to fill. Out: a `BackendReply`: what the model wrote, how
probable each token was, and what it cost. A `Backend` is a model on this machine or one behind an HTTP API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from PIL.Image import Image

FinishReason = Literal["complete", "length", "loop", "refused", "timeout"]
"""Why a model stopped writing. `length`: no tokens were left; `loop`: it repeated itself; `refused`: it declined to
answer; `timeout`: the server did not answer in time. All but `complete` are failures."""


@dataclass(frozen=True, slots=True)
class OutputSlot:
    """One part of the output, `{name: value}`: `name` is the path of a single field (`gross_total`) or of a list
    (`line_items`), `value_schema` the JSON Schema of its value, `max_tokens` how many tokens may be written for it."""

    name: str
    value_schema: Mapping[str, Any]
    max_tokens: int

    @property
    def is_list(self) -> bool:
        return self.value_schema.get("type") == "array"


@dataclass(frozen=True, slots=True)
class Prompt:
    """`parts` are texts and images in the order in which the model sees them; the first is a text that is the same for
    every document of a schema, so a backend can keep what it computed for it. Slots do not depend on each other: a
    backend may fill them side by side, or all in one object. `page_lines` are the text lines of the pages shown, in
    reading order: no part of the prompt, and of no influence on the output; a backend may draft tokens from them.
    `rows_left_out` counts those of the pages' words that the budget had no room for."""

    parts: tuple[str | Image, ...]
    slots: tuple[OutputSlot, ...]
    page_lines: tuple[str, ...] = field(default=(), compare=False)
    rows_left_out: int = field(default=0, compare=False)

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    @property
    def json_schema(self) -> dict[str, Any]:
        """Of one object with all slots."""
        return slots_schema(self.slots)


@dataclass(frozen=True, slots=True)
class OutputToken:
    """`text` as it stands in the output; `log_probability` under the schema: a token that the schema forces has 0."""

    text: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Completion:
    """A JSON object with the values of one slot or of several, as far as it got. `tokens` joined are `text`, or there
    are none where the model does not report them. `null_probabilities`: how probable null was as the value of a slot,
    by the slot's name, where it is known."""

    text: str
    slot_names: tuple[str, ...]
    finish: FinishReason = "complete"
    tokens: tuple[OutputToken, ...] = ()
    null_probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackendReply:
    """`tokens_in` counts the prompt with its images, `image_tokens` those of the images alone; `money` is in the
    currency of the price list, 0.0 for a model on this machine."""

    completions: tuple[Completion, ...]
    tokens_in: int = 0
    image_tokens: int = 0
    tokens_out: int = 0
    money: float = 0.0

    @property
    def cost(self) -> dict[str, float]:
        """With the names of `Extraction.cost`."""
        return {
            "tokens_in": float(self.tokens_in), "image_tokens": float(self.image_tokens),
            "tokens_out": float(self.tokens_out), "money": self.money,
        }  # fmt: skip


class Backend(Protocol):
    @property
    def name(self) -> str:
        """`kind:weights@revision`."""
        ...

    @property
    def max_side(self) -> int:
        """Pixels of an image's longer side that the model can make use of."""
        ...

    @property
    def sees_pictures(self) -> bool:
        """Whether it takes images; of a server that does not say, whether it may."""
        ...

    @property
    def reads_words(self) -> bool:
        """Whether it takes pages as words."""
        ...

    def complete(self, prompts: Sequence[Prompt]) -> Sequence[BackendReply | DocpipeError]:
        """One reply for each prompt, in their order, or the error that came in its place: what the others cost is not
        thrown away. A slot that was cut off is no error but has its `finish`. Raises ModelError when the model cannot
        run or be reached at all."""
        ...


def slots_schema(slots: Sequence[OutputSlot]) -> dict[str, Any]:
    """The JSON Schema of one object with the values of these slots."""
    return object_schema({slot.name: slot.value_schema for slot in slots})


def object_schema(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema of an object with exactly these keys, in this order."""
    return {
        "type": "object",
        "properties": {name: dict(value_schema) for name, value_schema in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
