"""A field is known by its printed label: how prompts and the words beside a value are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from docpipe.data import Box, Word  # noqa: E402 - needs torch
from docpipe.vlm.encode import blank_picture, encode_page, load_tokenizer  # noqa: E402
from docpipe.vlm.field_queries import FieldQuery, encode_queries  # noqa: E402
from docpipe.vlm.inputs import one_page  # noqa: E402
from docpipe.vlm.label_matcher import MatchFeature, match_features, run_similarity  # noqa: E402
from docpipe.vlm.network import DocumentNetwork, NetworkConfig, word_places  # noqa: E402
from docpipe.vlm.training.checkpoint import pretrained_folder, pretrained_network  # noqa: E402

HEIGHT = 0.02


@pytest.fixture(scope="module")
def network() -> DocumentNetwork:
    torch.manual_seed(1)
    return pretrained_network(NetworkConfig()).eval()


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


def features(network: DocumentNetwork, words: Sequence[Word], prompt: str) -> np.ndarray:
    """[N, 7] of an untrained network: only spelling counts."""
    tokenizer = load_tokenizer(pretrained_folder() / "tokenizer.json")
    page = encode_page(words, 1.0, blank_picture(), tokenizer)
    query = encode_queries([FieldQuery(prompt, "text", repeated=False)], tokenizer)
    inputs = one_page(query, page).map(torch.from_numpy)
    with torch.no_grad():
        places = word_places(inputs.page)
        similarity = run_similarity(network.label_bags(inputs), places.lines)
        return match_features(similarity, places)[0, 0].numpy()


def at(words: Sequence[Word], text: str) -> int:
    return next(index for index, word in enumerate(words) if word.text == text)


def test_a_value_knows_the_label_before_it(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "Kiln Batch No. D-815 Weight of coal 12"), (0.1, 0.2, "Name Kevin Nelson"))
    matches = features(network, words, "Kiln Batch No.")
    assert matches[:, MatchFeature.DIRECTLY_BEFORE].argmax() == at(words, "D-815")
    assert matches[at(words, "D-815"), MatchFeature.DIRECTLY_BEFORE] > 0.99
    assert matches[at(words, "12"), MatchFeature.BEFORE] > 0.99, "further on, the label is still on the line"
    assert matches[at(words, "12"), MatchFeature.DIRECTLY_BEFORE] < 0.7
    on_its_line = [MatchFeature.DIRECTLY_BEFORE, MatchFeature.BEFORE]
    assert matches[at(words, "Kevin"), on_its_line].max() < 0.7, "another line has other labels"


def test_a_value_knows_the_labels_above_and_below_it(network: DocumentNetwork) -> None:
    words = printed(
        (0.1, 0.10, "Date of inspection"), (0.6, 0.10, "Inspector"),
        (0.1, 0.14, "12/03/1994"), (0.6, 0.14, "Linda Anderson"),
        (0.6, 0.17, "Signature of the chief"),
    )  # fmt: skip
    matches = features(network, words, "Date of inspection")
    assert matches[:, MatchFeature.ABOVE].argmax() == at(words, "12/03/1994")
    assert matches[at(words, "12/03/1994"), MatchFeature.ABOVE] > 0.99
    assert matches[at(words, "Linda"), MatchFeature.ABOVE] < 0.7
    assert features(network, words, "Signature of the chief")[at(words, "Linda"), MatchFeature.BELOW] > 0.99


def test_a_mark_knows_the_label_behind_it_and_a_value_the_one_across_a_gap(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "X Approved"), (0.1, 0.2, "Applicant"), (0.6, 0.2, "Nathalie Moreau"))
    assert features(network, words, "Approved")[at(words, "X"), MatchFeature.DIRECTLY_BEHIND] > 0.99
    assert features(network, words, "Applicant")[at(words, "Nathalie"), MatchFeature.LEFT] > 0.99


def test_a_label_that_says_the_same_as_a_longer_prompt_is_still_the_best(network: DocumentNetwork) -> None:
    words = printed((0.1, 0.1, "Lot: 17"), (0.1, 0.2, "Name: Kevin"), (0.1, 0.3, "Region: North"))
    matches = features(network, words, "What is written for Region?")
    assert matches[:, MatchFeature.DIRECTLY_BEFORE].argmax() == at(words, "North")


@pytest.mark.parametrize("text", ["Total", "Total 5", "one two three"])
def test_pages_shorter_than_a_label_are_read_too(network: DocumentNetwork, text: str) -> None:
    words = printed((0.1, 0.1, text))
    assert features(network, words, "Total").shape == (len(words), 7)
