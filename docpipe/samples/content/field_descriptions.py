"""What is asked about each field: several descriptions, so that a network learns to follow a schema.

In: a random source and a document type. Out: one description for each path template. `words/fields.txt` holds them.
"""

from __future__ import annotations

from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.seeded_random import SeededRandom

QUESTIONS_SHARE = 0.2  # of the documents ask all their fields as questions, where there is one


def field_descriptions(rng: SeededRandom, schema: str) -> dict[str, str]:
    """A description by path; the lines of `fields.txt` are keyed `schema.path`."""
    as_questions = rng.chance(QUESTIONS_SHARE)
    descriptions = {}
    for key, options in word_lists("fields").items():
        owner, _, path = key.partition(".")
        if owner == schema:
            questions = [option for option in options if option.endswith("?")]
            descriptions[path] = rng.pick(questions) if as_questions and questions else rng.pick(options)
    return descriptions
