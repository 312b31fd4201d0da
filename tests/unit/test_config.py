"""Settings from the environment."""

import pytest

from docpipe.config import Settings, load_settings
from docpipe.errors import UsageError


def test_without_an_environment_the_defaults_count():
    settings = load_settings({})
    assert settings.database_url == "sqlite:///docpipe.db"
    assert settings.accept_error == 0.01
    assert settings.jobs is None


def test_the_environment_overrides_the_defaults(monkeypatch):
    monkeypatch.setenv("DOCPIPE_JOBS", "3")
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", "postgresql://host/docs")
    settings = load_settings()
    assert settings.jobs == 3
    assert settings.database_url == "postgresql://host/docs"


def test_of_another_environment_only_that_one_counts(monkeypatch):
    monkeypatch.setenv("DOCPIPE_JOBS", "3")
    assert load_settings({}).jobs is None
    monkeypatch.delenv("DOCPIPE_JOBS")
    assert load_settings({}) == load_settings()
    assert load_settings({"DOCPIPE_JOBS": "5"}).model_fields_set == {"jobs"}


def test_sizes_may_be_written_with_a_unit():
    assert load_settings({"DOCPIPE_MAX_BYTES": "5MiB"}).limits().max_bytes == 5 * 1024**2


def test_an_empty_variable_counts_as_not_set():
    assert load_settings({"DOCPIPE_JOBS": ""}).jobs is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DOCPIPE_JOBS", "zero"), ("DOCPIPE_JOBS", "0"), ("DOCPIPE_ACCEPT_ERROR", "2"), ("DOCPIPE_SECONDS", "-1")],
)
def test_a_value_that_cannot_be_is_refused_by_name(variable, value):
    with pytest.raises(UsageError, match=f"{variable} cannot be '{value}'"):
        load_settings({variable: value})


def test_a_misspelt_setting_is_refused_and_the_right_one_named():
    with pytest.raises(UsageError) as refusal:
        load_settings({"DOCPIPE_ACEPT_ERROR": "0.02"})
    assert "DOCPIPE_ACEPT_ERROR" in refusal.value.message
    assert "DOCPIPE_ACCEPT_ERROR" in refusal.value.hint


def test_every_setting_says_what_it_is_for():
    assert all(field.description for field in Settings.model_fields.values())
