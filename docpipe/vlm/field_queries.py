"""A schema becomes what the network is asked: a query per leaf, and one whether the page is such a document.

In: a `Schema`. Out: `FieldQuery`s in schema order, and their arrays. Shared by training and the shipped extractor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from docpipe.paths import words_of
from docpipe.schema import Schema
from docpipe.schema_ports import Kind, group_of
from docpipe.vlm.inputs import GROUPS, PROMPT_TOKENS, UNKNOWN_TOKEN, FieldInputs

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class FieldQuery:
    """What the network is asked about one field: a description, its group of GROUPS, and whether it repeats in rows."""

    prompt: str
    group: str
    repeated: bool


def field_queries(schema: Schema) -> dict[str, FieldQuery]:
    """Template path -> query. Fields that are read by their captions alone are not asked: all fields attend to each
    other, so one more changes what the network says of the others."""
    return {
        spec.path: FieldQuery(
            field_prompt(spec.path, spec.prompt), network_group(spec.kind), repeated=spec.list_path is not None
        )
        for spec in schema.fields
        if spec.is_asked
    }


def network_group(kind: Kind) -> str:
    """The group of a kind as the network was trained: codes and choices were one."""
    group = group_of(kind)
    return "code" if group == "choice" else group


def document_query(name: str, description: str) -> FieldQuery:
    """Whether a page is a document of this type."""
    prompt = field_prompt(name, description) if name else description
    return FieldQuery(prompt, "document", repeated=False)


def field_prompt(path: str, description: str) -> str:
    """`line_items[].unit_price` -> `line items unit price: <description>`, or the name alone if that says the same."""
    name = words_of(path.replace("[]", "").replace(".", "_"))
    return name if description.lower().strip(" .?") in ("", name.lower()) else f"{name}: {description}"


def encode_queries(queries: Sequence[FieldQuery], tokenizer: Tokenizer) -> FieldInputs[NDArray[Any]]:
    """A prompt for each query, equal ones too."""
    token_ids = np.zeros((len(queries), PROMPT_TOKENS), np.int64)
    for row, query in enumerate(queries):
        ids = tokenizer.encode(query.prompt, add_special_tokens=False).ids[:PROMPT_TOKENS] or [UNKNOWN_TOKEN]
        token_ids[row, : len(ids)] = ids
    return FieldInputs(
        prompt_token_ids=token_ids,
        prompt_index=np.arange(len(queries)),
        group_ids=np.array([GROUPS.index(query.group) for query in queries], np.int64),
        repeated=np.array([int(query.repeated) for query in queries], np.int64),
    )
