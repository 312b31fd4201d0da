"""How many workers a model allows and how long it may take."""

from docpipe.batch.pace import pace_of
from docpipe.capacity import default_jobs, usable_cores
from docpipe.config import load_settings

SETTINGS = load_settings({})


def test_a_model_on_this_machine_is_loaded_once_and_has_all_cores():
    pace = pace_of("hf:ORG/NAME@REVISION", SETTINGS, None)
    assert (pace.jobs, pace.threads) == (1, usable_cores())
    assert pace.patience.start_seconds >= 3_600, "weights may have to be downloaded first"
    assert pace.patience.allowance() > 600


def test_in_a_cascade_the_slower_model_counts():
    assert pace_of("embedded, hf:FOLDER", SETTINGS, None) == pace_of("hf:FOLDER", SETTINGS, None)


def test_the_embedded_network_has_a_worker_a_core():
    pace = pace_of("embedded", SETTINGS, None)
    assert (pace.jobs, pace.threads) == (default_jobs(), 1)
    assert pace.patience.allowance(pages=2) == 100.0


def test_a_hosted_model_may_be_waited_for():
    assert pace_of("openai:some", SETTINGS, None).patience.allowance() > SETTINGS.hosted_patience_seconds


def test_what_is_asked_for_counts():
    assert pace_of("hf:FOLDER", SETTINGS, 3).jobs == 3
    assert pace_of("embedded", load_settings({"DOCPIPE_JOBS": "5"}), None).jobs == 5
