"""Signals become P(right), and P(right) becomes a threshold for an error rate."""

import random
from contextlib import closing

import pytest

from docpipe.components import ModelName, load_components, load_extractor
from docpipe.confidence import (
    FAILURE_PROBABILITY,
    FEATURES,
    UNCALIBRATED,
    Calibration,
    Record,
    binomial_tail,
    features,
    fit,
    records_needed,
)
from docpipe.config import load_settings
from docpipe.errors import ModelError


def records(count, *, group="number", seed=1, honest=True):
    """Values whose chance to be right follows their score; a broken rule halves it."""
    dice = random.Random(seed)
    made_records = []
    for number in range(count):
        score, broken = dice.random(), float(dice.random() < 0.2)
        chance = (score if honest else 0.5) * (0.5 if broken else 1.0)
        signals = {"score": score, "margin": score / 2, "match": 1.0, "rules_broken": broken}
        made_records.append(Record(f"document {number // 5}", group, signals, dice.random() < chance))
    return made_records


def test_a_fitted_confidence_is_the_share_that_is_right():
    model = fit(records(4000), "scripted:1")
    fresh = records(4000, seed=2)
    judged = [(model.confidence(record.signals, record.group), record.right) for record in fresh]
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = [right for confidence, right in judged if low <= confidence < low + 0.2]
        assert sum(inside) / len(inside) == pytest.approx(low + 0.1, abs=0.08)


def test_a_broken_rule_lowers_the_confidence():
    model = fit(records(2000), "scripted:1")
    signals = {"score": 0.9, "margin": 0.45, "match": 1.0}
    assert model.confidence({**signals, "rules_broken": 1.0}, "number") < model.confidence(signals, "number") - 0.2


def test_kinds_with_many_records_have_their_own_coefficients_and_others_share():
    blind = records(1000, group="date", honest=False, seed=3)
    model = fit([*records(1000), *blind], "scripted:1")
    sure = {"score": 0.95, "margin": 0.47, "match": 1.0}
    assert model.confidence(sure, "number") > model.confidence(sure, "date") + 0.2
    assert model.confidence(sure, "address") == Calibration("x", {"shared": model.coefficients["shared"]}).confidence(
        sure, "number"
    )


def held_out(right, wrong_at=()):
    """`right` records, the most confident first; those at `wrong_at` are wrong."""
    return tuple((1 - place / (2 * right), place not in wrong_at) for place in range(right))


def calibration(pairs):
    return Calibration("scripted:1", {"shared": (0.0,) * len(FEATURES)}, pairs)


def test_too_few_records_give_no_threshold():
    assert calibration(held_out(250)).threshold(0.01) is None
    assert calibration(()).threshold(0.01) is None


def test_many_right_records_give_a_threshold_that_accepts_all():
    pairs = held_out(2000)
    assert calibration(pairs).threshold(0.01) == pairs[-1][0]


def test_the_threshold_lies_above_where_errors_become_many():
    pairs = held_out(2000, wrong_at=set(range(1100, 2000, 2)))
    threshold = calibration(pairs).threshold(0.01)
    assert threshold is not None
    accepted = [right for confidence, right in pairs if confidence >= threshold]
    assert accepted.count(False) / len(accepted) <= 0.01
    assert len(accepted) >= 900


def test_records_that_are_wrong_at_every_confidence_give_no_threshold():
    assert calibration(held_out(2000, wrong_at=set(range(0, 2000, 20)))).threshold(0.01) is None


def test_a_larger_error_needs_fewer_records_and_accepts_more():
    pairs = held_out(400, wrong_at={30, 80, 200, 300})
    assert calibration(pairs).threshold(0.01) is None
    loose, looser = calibration(pairs).threshold(0.05), calibration(pairs).threshold(0.2)
    assert loose is not None and looser is not None and looser <= loose


@pytest.mark.parametrize("error", [0.01, 0.02, 0.05, 0.1])
def test_it_says_how_many_right_values_would_suffice(error):
    needed = records_needed(error)
    assert calibration(held_out(needed)).threshold(error) is not None
    assert calibration(held_out(needed - 1)).threshold(error) is None


def reviewed(documents, seed):
    """Ten values of each document of a model that is right where it is sure, and guesses elsewhere."""
    dice = random.Random(seed)
    for number in range(10 * documents):
        sure = dice.random() < 0.6
        signals = {"score": dice.uniform(0.9, 1.0) if sure else dice.random(), "match": float(sure)}
        right = dice.random() < (0.998 if sure else 0.5)
        yield Record(f"document {number // 10}", "number", signals, right)


def test_fifty_documents_of_ones_own_suffice_for_a_promise_that_holds():
    """Of the values that it then accepts in others no more than that are wrong, in nineteen of twenty draws."""
    broken = 0
    for seed in range(20):
        fitted = fit(list(reviewed(50, seed)), "openai:some-model")
        threshold = fitted.threshold(0.05)
        assert threshold is not None
        others = [(fitted.confidence(each.signals, each.group), each.right) for each in reviewed(400, seed + 1_000)]
        accepted = [right for confidence, right in others if confidence >= threshold]
        assert len(accepted) > len(others) / 4
        broken += accepted.count(False) / len(accepted) > 0.05
    assert broken <= 3, "one in twenty is expected"


def test_the_promise_holds_in_nineteen_of_twenty_draws():
    """Records whose true error at every confidence is just above the promise are hardly ever accepted."""
    dice = random.Random(11)
    broken = 0
    for _ in range(200):
        pairs = tuple((1 - place / 2000, dice.random() >= 0.0105) for place in range(1000))
        broken += calibration(pairs).threshold(0.01) is not None
    assert broken <= 200 * FAILURE_PROBABILITY * 1.6


def test_the_binomial_tail_is_exact():
    assert binomial_tail(0, 299, 0.01) == pytest.approx(0.99**299)
    assert binomial_tail(1, 2, 0.5) == pytest.approx(0.75)
    assert binomial_tail(5, 5, 0.3) == pytest.approx(1.0)


def test_a_calibration_is_the_same_after_saving_and_loading(tmp_path):
    model = fit(records(1000), "scripted:1")
    model.save(tmp_path / "calibration.json")
    loaded = Calibration.load(tmp_path / "calibration.json")
    signals = records(1)[0].signals
    assert loaded.extractor == "scripted:1"
    assert loaded.confidence(signals, "number") == pytest.approx(model.confidence(signals, "number"), abs=1e-4)
    assert loaded.threshold(0.4) == pytest.approx(model.threshold(0.4), abs=1e-4)
    assert loaded.fingerprint == model.fingerprint


def test_a_damaged_calibration_says_what_to_do(tmp_path):
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(ModelError, match=r"calibration\.json") as caught:
        Calibration.load(tmp_path / "calibration.json")
    assert "fit_confidence" in caught.value.hint


def test_an_extractor_without_calibration_is_ordered_but_promises_nothing():
    model = Calibration.for_extractor("scripted:unheard-of")
    good = {
        "score": 0.99,
        "margin": 0.9,
        "match": 1.0,
        "ocr_min": 1.0,
        "ocr_mean": 1.0,
        "parsed": 1.0,
        "undoubted": 1.0,
    }
    assert model.confidence(good, "number") > model.confidence({**good, "rules_broken": 1.0}, "number")
    assert model.confidence(good, "number") > model.confidence({**good, "score": 0.4, "margin": 0.1}, "number")
    assert model.threshold(0.01) is None


def test_missing_signals_count_as_nothing_and_certainty_is_capped():
    assert len(features({})) == len(FEATURES)
    assert features({"score": 1.0})[1] == features({"score": 0.9999})[1]


def test_without_records_nothing_is_fitted():
    with pytest.raises(ModelError):
        fit([], "scripted:1")


def test_a_calibration_is_found_by_its_extractor_among_those_of_a_folder(tmp_path):
    all_right = [Record(str(number), "number", {"score": 0.9}, True) for number in range(50)]
    for name, extractor in (("calibration-a.json", "hf:a@1+x"), ("calibration-b.json", "hf:b@1+x")):
        fit(all_right, extractor).save(tmp_path / name)
    assert Calibration.for_extractor("hf:b@1+x", tmp_path).extractor == "hf:b@1+x"
    assert Calibration.for_extractor("hf:b@2+x", tmp_path).extractor == UNCALIBRATED, "a revision is another model"


def test_the_folder_of_the_settings_is_looked_into(tmp_path, monkeypatch):
    script = tmp_path / "script.json"
    script.write_text('{"total": "1,00"}')
    model = ModelName("scripted", str(script))
    name = load_extractor(model, load_settings({}), threads=1).name
    all_right = [Record(str(number), "number", {"score": 0.9}, True) for number in range(50)]
    (tmp_path / "mine").mkdir()
    fit(all_right, name).save(tmp_path / "mine" / "calibration.json")
    with closing(load_components(model, load_settings({}), threads=1)) as components:
        assert components.policy.calibration.extractor == UNCALIBRATED
    settings = load_settings({"DOCPIPE_CALIBRATIONS": str(tmp_path / "mine")})
    with closing(load_components(model, settings, threads=1)) as components:
        assert components.policy.calibration.extractor == name
