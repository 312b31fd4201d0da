"""What a generative extractor and the model behind it say to each other.

In: a page's picture and a schema, as a `Question` with slots to fill. Out: a `Reply`: what the model wrote, how
probable each token was, and what it cost. A `Backend` is a model on this machine or one behind an HTTP API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from PIL.Image import Image

# `length`: no tokens were left; `loop`: it repeated itself; `refused`: it did not want to. All but `complete` fail.
Finish = Literal["complete", "length", "loop", "refused", "timeout"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of the answer, `{name: value}`: `name` is the path of a single field (`gross_total`) or of a list
    (`line_items`), `value` the JSON Schema of what may stand there, `tokens` how many may be written at most."""

    name: str
    value: Mapping[str, Any]
    tokens: int


@dataclass(frozen=True, slots=True)
class Question:
    """`parts` are texts and pictures in the order in which the model shall see them; the first is a text that is the
    same for every document of a schema, so a backend can keep what it computed for it. Slots do not depend on each
    other: a backend may fill them side by side, or all in one object. `words` are the text lines of the pages shown, in
    reading order: no part of the prompt, and of no influence on the answer; a backend may guess from them what comes
    next."""

    parts: tuple[str | Image, ...]
    slots: tuple[Slot, ...]
    words: tuple[str, ...] = field(default=(), compare=False)

    @property
    def pictures(self) -> tuple[Image, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    @property
    def json_schema(self) -> dict[str, Any]:
        """Of one object with all slots."""
        return object_of({slot.name: slot.value for slot in self.slots})


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as it stands in the answer; `log_probability` under the schema: a token that the schema forces has 0."""

    text: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Written:
    """A JSON object with the values of one slot or of several, as far as it got. `tokens` joined are `text`, or there
    are none where the model does not tell. `absent` is the probability of null, by slot, where it is known."""

    text: str
    slots: tuple[str, ...]
    finish: Finish = "complete"
    tokens: tuple[Token, ...] = ()
    absent: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """`tokens_in` counts the prompt with its pictures, `image_tokens` those of the pictures alone; `money` is in the
    currency of the price list, 0.0 for a model on this machine."""

    written: tuple[Written, ...]
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
        """Pixels of a picture's longer side that the model can make use of."""
        ...

    def answer(self, questions: Sequence[Question]) -> Sequence[Reply | DocpipeError]:
        """One reply for each question, in their order, or the error that came in its place: what the others cost is
        not thrown away. A slot that was cut off is no error but has its `finish`. Raises ModelError when the model
        cannot run or be reached at all."""
        ...


def object_of(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema of an object with exactly these keys, in this order."""
    return {
        "type": "object",
        "properties": {name: dict(value) for name, value in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
