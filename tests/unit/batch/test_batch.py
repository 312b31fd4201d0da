"""Many documents in worker processes: what is lost when one of them dies, hangs or is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.service.servers import wait_until
from docpipe.batch.messages import Failed, FileTask, Finished, Opened, TaskMessage
from docpipe.batch.worker_pool import WorkerPool
from docpipe.capacity import Deadlines
from docpipe.errors import ModelError
from docpipe.kept_work import KeptEntries
from tests.support.clock import AheadClock
from tests.support.misbehaving import DiesAtStart, Misbehave, NoModel, process_all
from tests.support.processes import is_alive
from tests.support.repository import ROOT

DEADLINES = Deadlines(document_seconds=600.0, page_seconds=100.0)


def outcomes(*names: str, jobs: int = 2) -> dict[str, TaskMessage]:
    """The last message of each document."""
    with WorkerPool(Misbehave(), jobs, DEADLINES) as pool:
        assert pool.start() == "misbehaving:1"
        return {task.path.name: message for task, message in pool.process(tasks(*names), process_all)}


def tasks(*names: str | Path) -> list[FileTask]:
    return [FileTask(Path(name)) for name in names]


def error_of(message: TaskMessage) -> str:
    assert isinstance(message, Failed)
    return f"{message.error.code}: {message.error.message}"


def test_a_crash_a_kill_and_an_exit_each_cost_one_document():
    messages = outcomes("a", "segfault", "b", "killed", "c", "exits", "d")
    assert [name for name, message in messages.items() if isinstance(message, Finished)] == ["a", "b", "c", "d"]
    assert "SIGSEGV" in error_of(messages["segfault"])
    assert error_of(messages["killed"]).startswith("too_large: ")
    assert "exit code 7" in error_of(messages["exits"])


def test_a_document_that_hangs_is_given_up_and_the_others_go_on():
    clock, ended = AheadClock(), {}
    with WorkerPool(Misbehave(), 2, DEADLINES, clock) as pool:
        pool.start()
        for task, message in pool.process(tasks("hangs", "a", "b"), process_all):
            ended[task.path.name] = message
            if ended.keys() == {"a", "b"}:
                clock.ahead += DEADLINES.for_document()
    assert "took longer than 700 s" in error_of(ended["hangs"])
    assert isinstance(ended["a"], Finished)
    assert isinstance(ended["b"], Finished)


@pytest.mark.parametrize(("pages_of_time", "outcome"), [(3, Finished), (4, Failed)])
def test_the_allowance_grows_with_the_pages(tmp_path, pages_of_time, outcome):
    """Of four pages; so much time passes between the first message and the look at the clock after it."""
    clock, path = AheadClock(), tmp_path / "long"

    def opened(task: FileTask, opened: Opened) -> KeptEntries:
        clock.ahead += DEADLINES.for_document(pages_of_time)
        return {}

    def stop() -> bool:
        if clock.ahead:
            path.touch()  # the document goes on
        return False

    with WorkerPool(Misbehave(), 1, DEADLINES, clock) as pool:
        pool.start()
        *_, (_, last) = pool.process(tasks(path), opened, stop)
    assert isinstance(last, outcome)


def test_refusals_and_bugs_are_outcomes_and_the_worker_lives_on():
    messages = outcomes("refused", "bug", "a", jobs=1)
    assert error_of(messages["refused"]) == "corrupt: No page in it."
    assert "ValueError" in error_of(messages["bug"])
    assert isinstance(messages["a"], Finished)


def test_what_a_library_prints_stays_out_of_standard_output(capfd):
    outcomes("prints", jobs=1)
    assert capfd.readouterr().out == ""


def test_a_missing_model_ends_the_run_before_the_first_document():
    with WorkerPool(NoModel(), 1) as pool, pytest.raises(ModelError, match="is missing"):
        pool.start()


def test_a_worker_that_dies_while_loading_ends_the_run():
    with WorkerPool(DiesAtStart(), 1) as pool, pytest.raises(ModelError, match="could not start"):
        pool.start()


PARENT = """
from pathlib import Path
from docpipe.batch.messages import FileTask
from docpipe.batch.worker_pool import WorkerPool
from tests.support.misbehaving import Misbehave, process_all

if __name__ == "__main__":
    with WorkerPool(Misbehave(), 2) as pool:
        pool.start()
        for task, message in pool.process([FileTask(Path(name)) for name in ("a", "hangs", "hangs")], process_all):
            print(*(worker.process.pid for worker in pool._workers), flush=True)
"""


def test_the_workers_end_when_the_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert workers
        assert any(is_alive(pid) for pid in workers)
        parent.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in workers), "the workers end with their parent")
