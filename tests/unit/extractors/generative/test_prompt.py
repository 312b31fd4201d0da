"""The wording, as it stands: a change of it must be wanted, since it changes results.

To take a change over: `python -m tests.unit.extractors.generative.test_prompt`, and look at the difference.
"""

from pathlib import Path

import pytest

from docpipe.extractors.generative.prompt import PromptPage, instructions, prompt_parts, type_instructions
from docpipe.schema import load_schema
from tests.support.page_images import BlankImage

SNAPSHOTS = Path(__file__).parent / "snapshots"


def wording(name: str) -> str:
    schema = load_schema(name)
    opening = type_instructions(schema) if schema.choices else instructions(schema)
    pages = [
        PromptPage(1, BlankImage(10, 10).open()),
        PromptPage(3, words="Total 12,00"),
        PromptPage(3, BlankImage(10, 10).open(), is_crop=True),
    ]
    parts = prompt_parts(opening, pages)
    return "\n".join(part if isinstance(part, str) else "<picture>" for part in parts) + "\n"


@pytest.mark.parametrize("name", ["invoice", "receipt", "form", "auto"])
def test_the_prompt_is_worded_as_it_was(name):
    assert wording(name) == (SNAPSHOTS / f"prompt_{name}.txt").read_text()


def test_a_prompt_asks_for_a_part_of_a_schema_alone():
    text = instructions(load_schema("invoice").only(["gross_total", "line_items"]))
    assert '"gross_total"' in text
    assert '"unit_price"' in text
    assert '"iban"' not in text


if __name__ == "__main__":
    for name in ("invoice", "receipt", "form", "auto"):
        (SNAPSHOTS / f"prompt_{name}.txt").write_text(wording(name))
