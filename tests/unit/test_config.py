"""Settings from the environment."""

import os

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


@pytest.fixture
def file(tmp_path, monkeypatch):
    """docpipe.toml of the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "docpipe.toml"


def test_a_file_sets_what_the_environment_does_not(file, monkeypatch):
    file.write_text('jobs = 2\ndatabase_url = "sqlite:///of-file.db"\nmax_bytes = "5MiB"\n')
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", "sqlite:///of-environment.db")
    settings = load_settings()
    assert (settings.jobs, settings.max_bytes) == (2, 5 * 1024**2)
    assert settings.database_url == "sqlite:///of-environment.db"
    assert load_settings({}).jobs is None, "of another environment nothing of this one's files counts"


def test_the_users_own_file_counts_where_the_folder_has_none(file, monkeypatch, tmp_path):
    (tmp_path / "config" / "docpipe").mkdir(parents=True)
    (tmp_path / "config" / "docpipe" / "docpipe.toml").write_text("jobs = 7\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert load_settings().jobs == 7
    file.write_text("accept_error = 0.02\n")
    assert (load_settings().jobs, load_settings().accept_error) == (None, 0.02), "one file counts, not two"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("job = 2", "docpipe.toml: there is no setting job", "Did you mean jobs?"),
        ("jobs = 0", "docpipe.toml: jobs cannot be 0", "Worker processes"),
        ('webhook_secret = "x"', "webhook_secret is a secret", "DOCPIPE_WEBHOOK_SECRET"),
        ("jobs 2", "docpipe.toml cannot be read", "a line a setting"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_what_to_do(file, text, message, hint):
    file.write_text(text)
    with pytest.raises(UsageError, match=message) as refusal:
        load_settings()
    assert hint in refusal.value.hint


def test_a_file_that_another_user_has_put_there_is_refused(file, monkeypatch):
    """Who drops it into a folder of scans would name the server that gets the documents."""
    file.write_text('openai_url = "http://elsewhere.example/v1"\n')
    if os.geteuid() == 0:
        os.chown(file, 65534, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(UsageError, match="belongs to another user"):
        load_settings()
