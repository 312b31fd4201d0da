"""The arrays that go into the network and come out of it: their names, order, types and shapes, in this file alone.

`encode.py` and `field_queries.py` make the arrays of one page (numpy), training stacks them into batches (torch), and
the exported file knows them by its own names. Shapes are written without the axis of pages: a batch has B in front.
Letters: B pages, F fields, U different prompts, N words.

To add an input: name it here, fill it in `encode.py` (or `field_queries.py`), read it in `network.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
Array = TypeVar("Array")  # numpy's or torch's
OtherArray = TypeVar("OtherArray")

VOCABULARY = 30522  # word pieces of all-MiniLM-L6-v2, among them the next three
PAD_TOKEN, UNKNOWN_TOKEN, MASK_TOKEN = 0, 100, 103
TOKENS_PER_WORD = 6  # first four and last two; 98 % of the words on invoices have six or fewer
PROMPT_TOKENS = 32  # a description of about 20 words
SHAPE_BUCKETS = 2048  # for the hashed shape of a word ("99/99/9999")
CANVAS_HEIGHT, CANVAS_WIDTH = 640, 480  # the picture: grey, the page fitted in, white below and right
NEIGHBOURS_ABOVE, NEIGHBOURS_BELOW, NEIGHBOURS_LEFT = 6, 4, 4  # words with which a printed label may begin or end
NEIGHBOURS = NEIGHBOURS_ABOVE + NEIGHBOURS_BELOW + NEIGHBOURS_LEFT
GROUPS = ("text", "name", "address", "identifier", "date", "time", "number", "code", "document")
DOCUMENT = GROUPS.index("document")  # asks whether the page is of a type of document: only "no answer" answers it

START, END, INSIDE = 0, 1, 2  # of a span: its first word, its last word, each of its words
SPAN_ROLES = 3


class WordFeature(IntEnum):
    """The columns of `PageInputs.word_features`."""

    PLACE_IN_LINE = 0  # 0-1
    LINE = 1  # 0-1, among the lines of these words
    CONFIDENCE = 2  # of the reading, 0-1
    PRINT_HEIGHT = 3  # against the page's median print, 0-4
    ASPECT = 4  # of the page, height over width, 0-4
    FIRST_OF_LINE = 5  # 0 or 1
    GAP_BEFORE = 6  # to the word before on the line, in heights of print
    GAP_AFTER = 7


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array in the exported file. An axis of varying length has a name; whole numbers are from `lowest` to `below`,
    which may be the length of an axis; `per_batch`: there is one for all pages, without an axis of pages."""

    onnx_name: str
    dtype: Literal["int64", "float32"]
    axes: tuple[int | str, ...]
    lowest: int = 0
    below: int | str = 0
    per_batch: bool = False

    @property
    def dynamic_axes(self) -> dict[int, str]:
        """Axis with the pages counted -> its name."""
        first = 0 if self.per_batch else 1
        return {first + place: axis for place, axis in enumerate(self.axes) if isinstance(axis, str)}


def int64(onnx_name: str, *axes: int | str, lowest: int = 0, below: int | str, per_batch: bool = False) -> ArraySpec:
    return ArraySpec(onnx_name, "int64", axes, lowest, below, per_batch)


def float32(onnx_name: str, *axes: int | str) -> ArraySpec:
    return ArraySpec(onnx_name, "float32", axes)


@dataclass(frozen=True, slots=True)
class FieldInputs(Generic[Array]):
    """What is asked of a page."""

    prompt_token_ids: Annotated[
        Array, int64("prompts", "descriptions", "prompt_pieces", lowest=1, below=VOCABULARY, per_batch=True)
    ]
    """[U, P] word pieces of the different prompts, PAD_TOKEN behind the last. The same in a batch."""
    prompt_index: Annotated[Array, int64("which", "fields", below="descriptions")]
    """[F] each field's row of `prompt_token_ids`, -1 for padding."""
    group_ids: Annotated[Array, int64("group", "fields", below=len(GROUPS))]
    """[F] indexes into GROUPS."""
    repeated: Annotated[Array, int64("repeated", "fields", below=2)]
    """[F] 1 for the columns of lists."""


@dataclass(frozen=True, slots=True)
class PageInputs(Generic[Array]):
    """The words of a page, or of a part of it, and its picture."""

    token_ids: Annotated[Array, int64("pieces", "words", TOKENS_PER_WORD, lowest=1, below=VOCABULARY)]
    """[N, TOKENS_PER_WORD] word pieces, PAD_TOKEN behind the last."""
    shape_ids: Annotated[Array, int64("shape", "words", below=SHAPE_BUCKETS)]
    """[N] hashed shapes of the words."""
    page_boxes: Annotated[Array, float32("boxes", "words", 4)]
    """[N, 4] left, top, right, bottom in fractions of the page, deskewed."""
    word_features: Annotated[Array, float32("context", "words", len(WordFeature))]
    """[N, 8] see WordFeature."""
    canvas_boxes: Annotated[Array, float32("places", "words", 4)]
    """[N, 4] the deskewed boxes in fractions of the canvas."""
    image_boxes: Annotated[Array, float32("seen", "words", 4)]
    """[N, 4] where the words really are on the picture, in fractions of the canvas."""
    neighbours: Annotated[Array, int64("near", "words", NEIGHBOURS, lowest=-1, below="words")]
    """[N, NEIGHBOURS] indexes of words above, below and left of each word, -1 for none."""
    picture: Annotated[Array, float32("picture", CANVAS_HEIGHT, CANVAS_WIDTH)]
    """[CANVAS_HEIGHT, CANVAS_WIDTH] ink, 0 (paper) to 1 (black)."""


@dataclass(frozen=True, slots=True)
class NetworkInputs(Generic[Array]):
    """A batch: all arrays with the axis of pages."""

    fields: FieldInputs[Array]
    page: PageInputs[Array]

    @property
    def field_mask(self) -> Any:
        """[B, F] False for padding."""
        prompt_index: Any = self.fields.prompt_index
        return prompt_index >= 0

    @property
    def word_mask(self) -> Any:
        """[B, N] False for padding."""
        token_ids: Any = self.page.token_ids
        return token_ids[..., 0] != PAD_TOKEN

    def map(self, change: Callable[[Array], OtherArray]) -> NetworkInputs[OtherArray]:
        return NetworkInputs.ordered([change(array) for array in self.by_onnx_name().values()])

    def by_onnx_name(self) -> dict[str, Array]:
        """In the order of the exported file."""
        fields = {spec.onnx_name: getattr(self.fields, name) for name, spec in FIELD_SPECS.items()}
        return fields | {spec.onnx_name: getattr(self.page, name) for name, spec in PAGE_SPECS.items()}

    @classmethod
    def ordered(cls, arrays: Sequence[Array]) -> NetworkInputs[Array]:
        """The reverse of `by_onnx_name`."""
        of_fields, of_page = arrays[: len(FIELD_SPECS)], arrays[len(FIELD_SPECS) :]
        return cls(
            FieldInputs(**dict(zip(FIELD_SPECS, of_fields, strict=True))),
            PageInputs(**dict(zip(PAGE_SPECS, of_page, strict=True))),
        )


@dataclass(frozen=True, slots=True)
class NetworkOutputs(Generic[Array]):
    """What the network says of a batch."""

    span_logits: Annotated[Array, float32("logits", "fields", SPAN_ROLES, "words")]
    """[F, 3, N] that a word is the START, the END or INSIDE of a field's value."""
    no_answer_logits: Annotated[Array, float32("absent", "fields")]
    """[F] that the field has no value here."""
    same_row_logits: Annotated[Array, float32("together", "words", "words")]
    """[N, N] that two words begin cells of the same row."""

    def in_order(self) -> tuple[Array, ...]:
        return tuple(getattr(self, name) for name in OUTPUT_SPECS)

    @classmethod
    def ordered(cls, arrays: Sequence[Array]) -> NetworkOutputs[Array]:
        """The reverse of `in_order`."""
        return cls(**dict(zip(OUTPUT_SPECS, arrays, strict=True)))


def _specs_of(arrays: type) -> dict[str, ArraySpec]:
    hints = get_type_hints(arrays, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in dataclasses.fields(arrays)}


# name of an array -> its spec; the exported file has the arrays in this order
FIELD_SPECS, PAGE_SPECS, OUTPUT_SPECS = (_specs_of(arrays) for arrays in (FieldInputs, PageInputs, NetworkOutputs))
INPUT_SPECS = (*FIELD_SPECS.values(), *PAGE_SPECS.values())


def one_page(fields: FieldInputs[NDArray[Any]], page: PageInputs[NDArray[Any]]) -> NetworkInputs[NDArray[Any]]:
    """A batch of one."""
    arrays = NetworkInputs(fields, page).by_onnx_name()
    return NetworkInputs.ordered([
        arrays[spec.onnx_name] if spec.per_batch else arrays[spec.onnx_name][None] for spec in INPUT_SPECS
    ])  # fmt: skip


def padded_shape(spec: ArraySpec, lengths: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of one page's array where axes of varying length are as long as `lengths` says."""
    return tuple(lengths[axis] if isinstance(axis, str) else axis for axis in spec.axes)
