"""What is asked about each field: several descriptions, so that a network learns to follow a schema.

In: dice and a document type. Out: one description per path template. `words/fields.txt` holds them.
"""

from __future__ import annotations

from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

QUESTIONS_SHARE = 0.2  # of the documents ask all their fields as questions, where there is one


def field_descriptions(rng: SeededRandom, schema: str) -> dict[str, str]:
    """A description per field; lines of `fields.txt` are keyed `schema.path`."""
    asks = rng.chance(QUESTIONS_SHARE)
    made = {}
    for key, options in word_lists("fields").items():
        owner, _, path = key.partition(".")
        if owner == schema:
            questions = [option for option in options if option.endswith("?")]
            made[path] = rng.pick(questions) if asks and questions else rng.pick(options)
    return made
