"""The registry: what docpipe makes of a model's name, and what a model of each kind is allowed."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from docpipe import capacity, components
from docpipe.capacity import WORKER_BYTES
from docpipe.components import EXTRACTOR_KINDS, ModelName, load_components, load_extractor, worker_limits
from docpipe.config import PREFIX, Settings, load_settings
from docpipe.errors import ModelError, install_hint
from docpipe.vlm.inputs import CANVAS_HEIGHT

SETTINGS = load_settings({})
HASH = "0" * 40


@pytest.mark.parametrize(
    "text",
    ["embedded", "embedded:/a", f"hf:ORG/NAME@{HASH}", "openai:gpt", "scripted:a.json", f"embedded,hf:ORG/NAME@{HASH}"],
)
def test_a_models_name_prints_itself_back(text: str) -> None:
    assert str(ModelName.parse(text)) == text
    assert ModelName.parse(str(ModelName.parse(text))) == ModelName.parse(text)


def test_a_cascade_has_two_members() -> None:
    name = ModelName.parse(" embedded , hf:/weights ")
    assert name.members == (ModelName("embedded"), ModelName("hf", "/weights"))
    assert name.is_local and not ModelName.parse("embedded,openai:x").is_local
    assert ModelName("embedded").members == (ModelName("embedded"),)


def test_a_comma_in_a_folders_name_is_no_cascade() -> None:
    assert ModelName.parse("embedded:/models/a,b") == ModelName("embedded", "/models/a,b")
    assert ModelName.parse("embedded:~no-such-user/a,b").weights == "~no-such-user/a,b"
    assert ModelName.parse("embedded:/a,b,hf:/c,d").members == (ModelName("embedded", "/a,b"), ModelName("hf", "/c,d"))


def test_a_folder_that_exists_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(ModelName.parse("embedded:mine,embedded").members) == 2
    (tmp_path / "mine,embedded").mkdir()
    assert ModelName.parse("embedded:mine,embedded") == ModelName("embedded", "mine,embedded")


@pytest.mark.parametrize(
    "text", ["nonsense", "opanai:gpt", "", "embedded,nonsense", "embedded:/weights,opanai:gpt", "hf", "embedded,hf,"]
)
def test_an_unknown_kind_is_an_error_that_names_the_kinds(text: str) -> None:
    """Never a silent default."""
    try:
        load_extractor(ModelName.parse(text), SETTINGS, threads=1)
    except ModelError as error:
        assert error.hint
        if text not in ("hf", "embedded,hf,"):
            assert all(kind in error.hint for kind in EXTRACTOR_KINDS)
    else:
        pytest.fail("it was taken for a model")


@pytest.mark.parametrize("text", [",embedded", "embedded,", "embedded:/a, ", "embedded,scripted:a,hf:/b"])
def test_a_cascade_of_one_model_or_of_three_is_an_error(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelName.parse(text)
    assert "A cascade" in caught.value.hint


def test_a_provider_that_is_not_known_is_never_taken_for_another() -> None:
    with pytest.raises(ModelError, match="mistral"):
        components.hosted_backend("mistral", "some-model", SETTINGS)


def test_each_record_names_settings_that_there_are() -> None:
    hosted = [record for record in EXTRACTOR_KINDS.values() if record.deployment == "hosted"]
    assert len(hosted) == 3
    for record in hosted:
        assert record.url_setting in Settings.model_fields
        assert record.key_variables and record.provider is not None


@pytest.mark.parametrize("kind", [kind for kind, record in EXTRACTOR_KINDS.items() if record.deployment == "hosted"])
def test_pictures_are_as_large_as_the_provider_makes_use_of(kind: str) -> None:
    """Those that are kept between two workers would otherwise be smaller than those of `docpipe run`."""
    provider = EXTRACTOR_KINDS[kind].provider
    assert provider is not None
    assert provider().max_side == EXTRACTOR_KINDS[kind].picture_side


def test_the_embedded_network_is_given_the_picture_that_it_asks_for() -> None:
    assert ModelName("embedded").picture_sides == (2 * CANVAS_HEIGHT,)


def test_the_settings_that_are_given_count_and_not_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}OPENAI_URL", "http://elsewhere:1")
    monkeypatch.setenv(f"{PREFIX}CALIBRATIONS", str(tmp_path / "elsewhere"))
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"total": "1,00"}))
    settings = load_settings({f"{PREFIX}OPENAI_URL": "http://here:2", f"{PREFIX}ACCEPT_ERROR": "0.2"})
    with closing(components.hosted_backend("openai", "some-model", settings)) as backend:
        assert "here:2" in repr(vars(backend)) and "elsewhere" not in repr(vars(backend))
    with closing(load_components(ModelName("scripted", str(script)), settings, threads=1)) as loaded:
        assert loaded.policy.accept_error == 0.2
    assert list(components._calibration_folders(ModelName("embedded"), settings)) == []


def test_a_hint_never_names_an_index_on_which_docpipe_is_not() -> None:
    for extra in ("", "gpu"):
        assert "docpipe-extract" not in install_hint(extra)
    assert "'.[gpu]'" in install_hint("gpu") and "FILE.whl[gpu]" in install_hint("gpu")


def test_a_model_on_this_machine_is_loaded_once_and_has_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "usable_cores", lambda: 12)
    limits = worker_limits(ModelName.parse("hf:ORG/NAME@REVISION"), SETTINGS)
    assert (limits.jobs, limits.threads) == (1, 12)
    assert limits.deadlines.start_seconds >= 3_600, "weights may have to be downloaded first"
    assert limits.deadlines.for_document() > 600


def test_in_a_cascade_the_slower_model_counts() -> None:
    cascade, alone = ModelName.parse("embedded, hf:FOLDER"), ModelName.parse("hf:FOLDER")
    assert worker_limits(cascade, SETTINGS) == worker_limits(alone, SETTINGS)


def test_the_embedded_network_has_a_worker_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "usable_cores", lambda: 12)
    monkeypatch.setattr(capacity, "usable_memory", lambda: 5 * WORKER_BYTES)
    limits = worker_limits(ModelName("embedded"), SETTINGS)
    assert (limits.jobs, limits.threads) == (5, 1), "as many as fit into memory"
    assert limits.deadlines.for_document(pages=2) == 100.0


def test_a_hosted_model_may_be_waited_for() -> None:
    limits = worker_limits(ModelName.parse("openai:some"), SETTINGS)
    assert limits.deadlines.for_document() > SETTINGS.hosted_patience_seconds


def test_what_is_asked_for_counts() -> None:
    assert worker_limits(ModelName.parse("hf:FOLDER"), SETTINGS, 3).jobs == 3
    assert worker_limits(ModelName("embedded"), load_settings({"DOCPIPE_JOBS": "5"})).jobs == 5
