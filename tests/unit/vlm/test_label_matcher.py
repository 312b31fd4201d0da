"""A field is known by its caption: how questions and the words beside a value are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from docpipe.data import Box, Word  # noqa: E402 - needs torch
from docpipe.vlm.encode import (  # noqa: E402
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    FIRST,
    Question,
    encode_fields,
    encode_page,
    load_tokenizer,
)
from docpipe.vlm.label_matcher import agreement, seen_from  # noqa: E402
from docpipe.vlm.network import DocumentNetwork, NetworkConfig  # noqa: E402
from docpipe.vlm.training.checkpoint import fresh_network, pretrained_folder  # noqa: E402

ITSELF, DIRECTLY_BEFORE, BEFORE, BEHIND, ABOVE, BELOW, LEFT = range(7)
HEIGHT = 0.02


@pytest.fixture(scope="module")
def network() -> DocumentNetwork:
    torch.manual_seed(1)
    return fresh_network(NetworkConfig()).eval()


def printed(*lines: tuple[float, float, str]) -> list[Word]:
    """Lines of print: left, top, text. A letter is half as wide as it is high."""
    words = []
    for number, (begin, top, text) in enumerate(lines):
        left = begin
        for word in text.split():
            width = HEIGHT * len(word) / 2
            words.append(Word(word, Box(left, top, left + width, top + HEIGHT), 0.99, "ocr", number))
            left += width + HEIGHT / 2
    return words


def sights(network: DocumentNetwork, words: Sequence[Word], prompt: str) -> np.ndarray:
    """[N, SIGHTS] of an untrained network: only spelling counts."""
    tokenizer = load_tokenizer(pretrained_folder() / "tokenizer.json")
    page = encode_page(words, 1.0, np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32), tokenizer)
    asked = encode_fields([Question(prompt, "text", repeated=False)], tokenizer)
    lines = 1.0 + torch.from_numpy(page.context[None, :, FIRST]).cumsum(-1)
    with torch.no_grad():
        question, offered = (network._bag(torch.from_numpy(pieces)[None]) for pieces in (asked.pieces, page.pieces))
        begins, ends = agreement(question, offered, lines)
        near = torch.from_numpy(page.near)[None].split(network.captions.near, dim=-1)
        return seen_from(begins, ends, lines, near)[0, 0].numpy()


def at(words: Sequence[Word], text: str) -> int:
    return next(index for index, word in enumerate(words) if word.text == text)


def test_a_value_sees_the_caption_before_it(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "Kiln Batch No. D-815 Weight of coal 12"), (0.1, 0.2, "Name Kevin Nelson"))
    seen = sights(network, words, "Kiln Batch No.")
    assert seen[:, DIRECTLY_BEFORE].argmax() == at(words, "D-815")
    assert seen[at(words, "D-815"), DIRECTLY_BEFORE] > 0.99
    assert seen[at(words, "12"), BEFORE] > 0.99, "further on, the caption is still on the line"
    assert seen[at(words, "12"), DIRECTLY_BEFORE] < 0.7
    assert seen[at(words, "Kevin"), [DIRECTLY_BEFORE, BEFORE]].max() < 0.7, "another line has other captions"


def test_a_value_sees_the_captions_above_and_below_it(network: DocumentNetwork) -> None:
    words = printed(
        (0.1, 0.10, "Date of inspection"), (0.6, 0.10, "Inspector"),
        (0.1, 0.14, "12/03/1994"), (0.6, 0.14, "Linda Anderson"),
        (0.6, 0.17, "Signature of the chief"),
    )  # fmt: skip
    seen = sights(network, words, "Date of inspection")
    assert seen[:, ABOVE].argmax() == at(words, "12/03/1994")
    assert seen[at(words, "12/03/1994"), ABOVE] > 0.99
    assert seen[at(words, "Linda"), ABOVE] < 0.7
    assert sights(network, words, "Signature of the chief")[at(words, "Linda"), BELOW] > 0.99


def test_a_mark_sees_the_caption_behind_it_and_a_value_the_one_across_a_gap(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "X Approved"), (0.1, 0.2, "Applicant"), (0.6, 0.2, "Nathalie Moreau"))
    assert sights(network, words, "Approved")[at(words, "X"), BEHIND] > 0.99
    assert sights(network, words, "Applicant")[at(words, "Nathalie"), LEFT] > 0.99


def test_a_caption_that_says_the_same_in_a_longer_question_is_still_the_best(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "Lot: 17"), (0.1, 0.2, "Name: Kevin"), (0.1, 0.3, "Region: North"))
    seen = sights(network, words, "What is written for Region?")
    assert seen[:, DIRECTLY_BEFORE].argmax() == at(words, "North")


@pytest.mark.parametrize("text", ["Total", "Total 5", "one two three"])
def test_pages_shorter_than_a_caption_are_read_too(network: DocumentNetwork, text: str) -> None:
    words = printed((0.1, 0.1, text))
    assert sights(network, words, "Total").shape == (len(words), 7)
