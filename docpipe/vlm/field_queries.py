"""A schema becomes the questions that the network is asked: one per leaf, and one whether the page is such a document.

In: a `Schema`. Out: paths and `Question`s in schema order. Shared by training and the shipped extractor.
"""

from __future__ import annotations

from docpipe.schema import Schema
from docpipe.schema_ports import Kind, group_of
from docpipe.vlm.encode import Question


def questions(schema: Schema) -> dict[str, Question]:
    """Template path -> question."""
    return {
        spec.path: Question(
            worded(spec.path, spec.prompt), network_group(spec.kind), repeated=spec.list_path is not None
        )
        for spec in schema.fields
    }


def network_group(kind: Kind) -> str:
    """The group of a kind as the network was trained: codes and choices were one."""
    group = group_of(kind)
    return "code" if group == "choice" else group


def document_question(name: str, description: str) -> Question:
    """Whether a page is a document of this type."""
    prompt = worded(name, description) if name else description
    return Question(prompt, "document", repeated=False)


def worded(path: str, prompt: str) -> str:
    """`line_items[].unit_price` -> `line items unit price: <prompt>`; a prompt that repeats the name is left off."""
    name = path.replace("[]", "").replace(".", " ").replace("_", " ")
    return name if prompt.lower().strip(" .?") in ("", name.lower()) else f"{name}: {prompt}"
