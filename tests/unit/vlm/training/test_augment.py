"""Augmented examples: other words on the same pages, with labels that still fit."""

from __future__ import annotations

import numpy as np

from docpipe.vlm.training.augment.entities import NameLexicon, with_other_entities
from docpipe.vlm.training.augment.noise import jitter, ocr_noise
from tests.support.training_examples import receipt


def test_words_with_noise_keep_their_labels() -> None:
    example = receipt("Blauwal", "8.20")
    for seed in range(30):
        noise = ocr_noise(example.words, np.random.default_rng(seed))
        noisy = example.with_words(noise.words, noise.new_index)
        words, labels = jitter(noisy.words, np.random.default_rng(seed)), noisy.labels
        assert all(len(noisy.rows[path]) == len(labels[path]) for path in example.rows)
        assert all(0 <= index < len(words) for spans in labels.values() for span in spans for index in span)
        assert all(0.0 <= w.box.left <= w.box.right <= 1.0 for w in words)
        if labels["total"] and len(words) == len(example.words):
            assert words[labels["total"][0][0]].line == 2


def test_documents_keep_their_layout_and_get_other_names_and_amounts() -> None:
    lexicon = NameLexicon([receipt("Blauwal", "8.20"), receipt("Rotkehl", "8.20"), receipt("Grünfink", "8.20")])
    example = receipt("Blauwal", "8.20")
    texts = set()
    for seed in range(30):
        words = with_other_entities(example, lexicon, np.random.default_rng(seed))
        assert [(w.box, w.line) for w in words] == [(w.box, w.line) for w in example.words]
        amounts = [w.text for w, before in zip(words, example.words, strict=True) if before.text == "8.20"]
        assert len(set(amounts)) == 1
        assert amounts[0][1] == "." and amounts[0][3] == "0"
        texts.add(words[example.labels["merchant_name"][0][0]].text)
    assert texts == {"Blauwal", "Rotkehl", "Grünfink"}
