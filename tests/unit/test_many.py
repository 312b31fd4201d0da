"""Many files from Python: a result for each, workers that end, and errors that say what to do."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.service.servers import wait_until
from docpipe import ModelError, SchemaError, extract, extract_async, extract_many, extract_many_async
from tests.support.command_line import command_environment, draw_invoice, workplace
from tests.support.processes import WAITS, Gate, is_alive

SCHEMA = {"title": "Bill", "type": "object", "properties": {"invoice_number": {"type": "string"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return workplace(tmp_path)


@pytest.fixture
def model(folder: Path) -> str:
    return f"scripted:{folder / 'script.json'}"


def drawn(folder: Path, count: int) -> list[Path]:
    paths = [folder / "docs" / f"{number}.pdf" for number in range(count)]
    for path in paths:
        draw_invoice(path, note=path.name)
    return paths


def children() -> set[int]:
    """Living processes that this one has started, the resource tracker left out."""
    own = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = {int(pid) for file in own for pid in file.read_text().split()}
    return {pid for pid in pids if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_every_file_gives_a_result_or_its_error_and_the_progress_is_told(folder, model):
    paths = [*drawn(folder, 3), folder / "docs" / "notes.pdf", folder / "docs" / "none.pdf"]
    paths[3].write_text("no document")
    with extract_many(paths, model=model, jobs=2) as results:
        found = {item.path: item for item in results}
        assert (results.progress.files, results.progress.failed, results.progress.pages) == (5, 2, 3)
    assert set(found) == set(paths)
    assert {found[path].get().value.invoice_number for path in paths[:3]} == {"R-2041"}
    assert found[paths[3]].error.code == "unsupported"
    assert found[paths[4]].result is None
    with pytest.raises(type(found[paths[3]].error), match="a text file"):
        found[paths[3]].get()


def test_it_says_the_same_as_one_after_the_other(folder, model):
    (path,) = drawn(folder, 1)
    (item,) = extract_many([str(path)], model=model, accept_error=0.2)
    one = extract(path, model=model, accept_error=0.2)
    assert item.result.extraction.fields == one.extraction.fields
    assert item.result.extraction.run_key == one.extraction.run_key
    assert item.result.document.name == one.document.name


def test_a_dict_is_a_schema_for_worker_processes_too(folder, model):
    (item,) = extract_many(drawn(folder, 1), SCHEMA, model=model)
    assert item.get().value.invoice_number == "R-2041"


def test_paths_are_taken_as_workers_need_them(folder, model):
    """Of a million paths no list is made."""
    (path,) = drawn(folder, 1)
    taken: list[int] = []

    def endless() -> Iterator[Path]:
        for number in itertools.count():
            taken.append(number)
            yield path

    with extract_many(endless(), model=model, jobs=2) as results:
        for _ in range(5):
            assert next(results).error is None
    assert len(taken) <= 5 + 2 * 2, "those that are done, and for each worker one at work and one behind it"


@pytest.mark.parametrize("way", ["close", "break"])
def test_who_stops_early_has_no_workers_left(folder, model, way):
    before = children()
    results = extract_many(drawn(folder, 4), model=model, jobs=2)
    next(results)
    assert children() - before
    if way == "close":
        results.close()
    else:
        del results
    wait_until(lambda: children() <= before, "the workers have ended")


def test_a_model_that_cannot_be_loaded_is_raised_and_not_a_result(folder):
    with pytest.raises(ModelError, match="cannot be read"):
        next(extract_many(drawn(folder, 1), model=f"scripted:{folder / 'none.json'}"))


def test_a_class_of_a_function_is_refused_before_anything_is_read(folder, model):
    from pydantic import BaseModel

    class Local(BaseModel):
        invoice_number: str | None = None

    with pytest.raises(SchemaError, match="cannot be sent to another process"):
        next(extract_many(drawn(folder, 1), Local, model=model))


SCRIPT_HEAD = """
import sys
from pydantic import BaseModel
from docpipe import extract_many

class Bill(BaseModel):
    invoice_number: str | None = None

def main():
    for item in extract_many([sys.argv[1]], Bill, model=sys.argv[2], jobs=1):
        print(item.get().value.invoice_number)
"""


def run_script(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script_of_a_user.py"
    script.write_text(SCRIPT_HEAD + text)
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        env=command_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script_with_a_guard_works_with_a_class_of_its_own(folder, model):
    (path,) = drawn(folder, 1)
    done = run_script(folder, 'if __name__ == "__main__":\n    main()\n', str(path), model)
    assert (done.returncode, done.stdout.split()) == (0, ["R-2041"]), done.stderr


def test_a_script_without_a_guard_is_told_so_in_one_line(folder, model):
    (path,) = drawn(folder, 1)
    done = run_script(folder, "main()\n", str(path), model)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1, "the parent's own"
    assert done.stderr.splitlines()[-1].endswith("the script starts worker processes when it is imported")


@pytest.mark.parametrize(("text", "said"), [
    ("import multiprocessing\nmultiprocessing.current_process()._config['daemon'] = True\nmain()\n",
     "this process may not start others"),
])  # fmt: skip
def test_a_process_of_a_pool_is_told_that_it_may_have_none(folder, model, text, said):
    (path,) = drawn(folder, 1)
    done = run_script(folder, text, str(path), model)
    assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("options", "said"), [
    (["-i"], "cannot find the class Bill"), ([], "is read from standard input"),
])  # fmt: skip
def test_a_console_and_a_program_from_standard_input_are_refused_with_a_hint(folder, model, options, said):
    """-i: typed in line by line, as in a notebook."""
    (path,) = drawn(folder, 1)
    call = f"for item in extract_many([{str(path)!r}], Bill, model={model!r}): print(item)\n\n"
    typed = "\n".join(SCRIPT_HEAD.partition("def main")[0].split("\n")) + "\n" + call
    done = subprocess.run(
        [sys.executable, *options, *([] if options else ["-"])],
        input=typed, env=command_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said in done.stderr


def test_workers_end_with_a_caller_that_is_killed(folder, model):
    gate = Gate(folder)
    draw_invoice(folder / "docs" / "a.pdf", note=WAITS)
    text = 'if __name__ == "__main__":\n    next(extract_many([sys.argv[1]], sys.argv[3], model=sys.argv[2], jobs=1))\n'
    script = folder / "caller.py"
    script.write_text(SCRIPT_HEAD + text)
    arguments = [str(folder / "docs" / "a.pdf"), model, gate.schema]
    with subprocess.Popen([sys.executable, str(script), *arguments], env=command_environment()) as caller:
        gate.await_document()
        workers = {int(pid) for pid in Path(f"/proc/{caller.pid}/task/{caller.pid}/children").read_text().split()}
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    wait_until(lambda: not any(map(is_alive, workers)), "the workers have ended")


def test_the_event_loop_goes_on_while_documents_are_read(folder, model):
    gate = Gate(folder)
    draw_invoice(folder / "docs" / "a.pdf", note=WAITS)

    async def main() -> list[str | None]:
        async def open_gate() -> None:
            await asyncio.to_thread(gate.await_document)
            gate.open()

        opening = asyncio.create_task(open_gate())  # would never run in a loop that is blocked
        paths = [folder / "docs" / "a.pdf"]
        numbers = [
            item.get().value.invoice_number async for item in extract_many_async(paths, gate.schema, model=model)
        ]
        await opening
        return numbers

    assert asyncio.run(main()) == [WAITS]


def test_a_task_that_is_cancelled_has_no_workers_left(folder, model):
    gate = Gate(folder)
    draw_invoice(folder / "docs" / "a.pdf", note=WAITS)
    before = children()

    async def main() -> None:
        async def read() -> None:
            async for _ in extract_many_async([folder / "docs" / "a.pdf"], gate.schema, model=model):
                raise AssertionError("the document never ends")

        reading = asyncio.create_task(read())
        await asyncio.to_thread(gate.await_document)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(main())
    wait_until(lambda: children() <= before, "the workers have ended")


def test_one_document_can_be_awaited(folder, model):
    (path,) = drawn(folder, 1)
    assert asyncio.run(extract_async(path, model=model)).value.invoice_number == "R-2041"


def test_results_are_json(folder, model):
    (path,) = drawn(folder, 1)
    with closing(extract_many([path], model=model)) as results:
        result = next(results).get()
    record = json.loads(result.to_json())
    assert record == result.to_dict()
    assert (record["file"], record["schema"], record["status"]) == ("0.pdf", "invoice", "needs_review")
    assert record["fields"]["gross_total"]["value"] == "119.00"
    assert record["fields"]["gross_total"]["evidence"][0]["page"] == 1
