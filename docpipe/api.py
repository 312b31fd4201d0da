"""The Python API, and the choice of the parts that do the work.

In: a file and a schema. Out: the schema's own object with the evidence for each value.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, overload

from pydantic import BaseModel

from docpipe import pipeline
from docpipe.capacity import usable_cores
from docpipe.config import Settings, load_settings
from docpipe.data import Document, Evidence, Extraction, Field, Issue, Status
from docpipe.errors import EncryptedError, ModelError, UsageError
from docpipe.ingest import ingest
from docpipe.pipeline import AcceptancePolicy, Cascade, PipelineParts
from docpipe.ports import Extractor
from docpipe.rasterise import TEXT_DPI, PageRasteriser
from docpipe.render import Limits, Renderer
from docpipe.schema import Schema, load_schema
from docpipe.validate import to_model

T = TypeVar("T", bound=BaseModel)
Source = str | os.PathLike[str] | bytes | BinaryIO


def _embedded(weights: str, threads: int) -> Extractor:
    from docpipe.extractors.embedded import EmbeddedExtractor  # heavy: onnxruntime and the network

    return EmbeddedExtractor(threads=threads, weights=Path(weights) if weights else None)


def _scripted(weights: str, threads: int) -> Extractor:  # noqa: ARG001 - every factory takes both
    from docpipe.extractors.scripted import ScriptedExtractor  # heavy: keeps the registry free of imports

    return ScriptedExtractor.from_file(Path(weights))


def _local(weights: str, threads: int) -> Extractor:
    with _extra("gpu"):
        from docpipe.extractors.generative.extractor import GenerativeExtractor  # heavy: torch and transformers
        from docpipe.extractors.local.choose import local_backend

        return GenerativeExtractor(local_backend(weights, threads=threads))


def _hosted(kind: str) -> Callable[[str, int], Extractor]:
    def make(weights: str, threads: int) -> Extractor:  # noqa: ARG001 - every factory takes both
        with _extra("hosted"):
            from docpipe.extractors.generative.extractor import GenerativeExtractor  # heavy: the provider's client
            from docpipe.extractors.hosted.choose import hosted_backend

            return GenerativeExtractor(hosted_backend(kind, weights, load_settings()))

    return make


@contextlib.contextmanager
def _extra(name: str) -> Iterator[None]:
    """Says which extra a missing package belongs to."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModelError(f"{error.name} is not installed", hint=f"pip install 'docpipe-extract[{name}]'") from error


EXTRACTORS: Mapping[str, Callable[[str, int], Extractor]] = {
    "embedded": _embedded, "scripted": _scripted, "hf": _local,
    "openai": _hosted("openai"), "anthropic": _hosted("anthropic"), "gemini": _hosted("gemini"),
}  # fmt: skip
"""The kinds of extractors: `kind:weights` is made by `EXTRACTORS[kind](weights, threads)`."""


def choose_extractor(model: str, *, threads: int) -> Extractor:
    """`embedded`, `embedded:FOLDER` with weights of one's own, or `kind:weights`; the kind is never guessed. Two of
    them with a comma between are a cascade. Raises ModelError."""
    first, *others = (one.strip() for one in model.split(","))
    if len(others) > 1:
        message = f"{model!r} names {1 + len(others)} models"
        raise ModelError(message, hint="A cascade has two: embedded,hf:ORG/NAME@REVISION.")
    if others and not (first and others[0]):
        raise ModelError(f"{model!r} names one model and a comma", hint="A cascade is embedded,hf:ORG/NAME@REVISION.")
    if others:
        return Cascade(choose_extractor(first, threads=threads), choose_extractor(others[0], threads=threads))
    kind, _, weights = first.partition(":")
    if kind not in EXTRACTORS:
        raise ModelError(f"there is no kind of model {kind!r}", hint=f"The kinds are {', '.join(EXTRACTORS)}.")
    return EXTRACTORS[kind](weights, threads)


SMALL_PICTURES, LARGE_PICTURES = 1_280, 2_048
"""Pixels of a page's longer side: what the embedded network asks for; for larger models A4 at 175 dpi, at which 6 point
print is 15 pixels high."""


def picture_sides(model: str) -> tuple[int, ...]:
    """The sizes in which pages are kept for this model, small ones first; of a cascade, those of all its models. The
    embedded network gets the size that it asks for and not a larger one made smaller: it would be as sure of no value
    as in `docpipe run`."""
    kinds = [part.strip().partition(":")[0] for part in model.split(",")]
    sides = {SMALL_PICTURES if kind in ("embedded", "scripted") else LARGE_PICTURES for kind in kinds}
    return tuple(sorted(sides))


@dataclass(frozen=True)
class Components:
    """All that a process needs to work on documents: the renderer's child, the parts of the flow, the policy."""

    renderer: Renderer
    parts: PipelineParts
    policy: AcceptancePolicy

    def open(self, path: Path, passwords: Iterable[str] = ()) -> Document:
        """Take the file in, with the password that fits. Raises InputError."""
        refusal: EncryptedError | None = None
        tries: list[str | None] = [None, *passwords]  # most files in a folder need none
        for password in tries:
            try:
                return ingest(path, renderer=self.renderer, password=password)
            except EncryptedError as error:
                refusal = error
        assert refusal is not None  # noqa: S101 - the list is not empty
        raise refusal

    def close(self) -> None:
        self.renderer.close()


def load_components(model: str, accept_error: float, limits: Limits, *, threads: int, salt: str = "") -> Components:
    """Load the parts. `salt` makes another run key of the same work. Raises ModelError."""
    from docpipe.read import PageReader  # heavy: numpy and the layout of text

    extractor = choose_extractor(model, threads=threads)
    renderer = Renderer(limits)
    settings = f"dpi={TEXT_DPI:g} pypdfium2={version('pypdfium2')} rapidocr={version('rapidocr')} {salt}".strip()
    parts = PipelineParts(PageRasteriser(renderer), PageReader(renderer, threads=threads), extractor, settings)
    return Components(
        renderer, parts, AcceptancePolicy.for_extractor(extractor, accept_error, *_calibration_folders(model))
    )


def _calibration_folders(model: str) -> Iterator[Path]:
    """Of weights that are a folder, and where the user keeps those of other models."""
    yield from (Path(weights) for _, _, weights in (one.strip().partition(":") for one in model.split(",")) if weights)
    if (kept := load_settings().calibrations) is not None:
        yield kept


@dataclass(frozen=True)
class Result(Generic[T]):
    """What a document says: `value` is the schema's object, and each value has its evidence.

    `status` is `complete` or `needs_review`; `issues` say why. A required value that was not found is None.
    """

    document: Document
    extraction: Extraction
    schema: Schema

    @cached_property
    def value(self) -> T:
        return to_model(self.extraction, self.schema)  # type: ignore[return-value]

    @property
    def status(self) -> Status:
        return self.extraction.status

    @cached_property
    def fields(self) -> dict[str, Field]:
        """By path: `gross_total`, `line_items[2].amount`. With raw text, confidence, evidence and issues."""
        return {field.path: field for field in self.extraction.fields}

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Those of the document, then those of its fields."""
        return (*self.extraction.issues, *(issue for field in self.extraction.fields for issue in field.issues))

    def evidence(self, path: str) -> tuple[Evidence, ...]:
        """Where a value is printed: page, box (0-1 of the page), words. Empty: it is not on the document.

        Raises SchemaError when the schema has no such field.
        """
        self.schema.spec(path)
        return self.fields[path].evidence if path in self.fields else ()


@overload
def extract(
    source: Source,
    schema: type[T],
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[T]: ...
@overload
def extract(
    source: Source,
    schema: str = "invoice",
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[Any]: ...
def extract(
    source: Source,
    schema: str | type[BaseModel] = "invoice",
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[Any]:
    """Read one document. `source` is a path, its bytes or a binary file; `schema` a Pydantic class, the name of a
    shipped schema, `auto`, `FILE.py:Class` or a JSON Schema file. What is not given comes from DOCPIPE_*
    (docpipe/config.py).

    The models stay loaded for the next call. Raises DocpipeError when the document cannot be processed.
    """
    wanted = load_schema(schema)
    settings = load_settings()
    error = settings.accept_error if accept_error is None else accept_error
    if not 0.0 < error <= 0.5:
        raise UsageError(f"accept_error is {error}", hint="It is the share of wrong values among the accepted: 0.01.")
    with _loaded(model or settings.model, error, settings) as components, _as_file(source) as (path, name):
        document = replace(components.open(path, [password] if password else []), name=name)
        extraction = pipeline.extract(document, wanted, components.parts, components.policy)
    return Result(document, extraction, wanted.chosen(extraction.schema))


_components: dict[tuple[object, ...], Components] = {}
_one_at_a_time = threading.Lock()
"""Documents of one process go one after another: pages are read with all cores anyway."""


@contextlib.contextmanager
def _loaded(model: str, accept_error: float, settings: Settings) -> Iterator[Components]:
    """The parts, loaded once for each model; closed when the process ends."""
    key = (model, settings.limits(), settings.calibrations)
    with _one_at_a_time:
        if key not in _components:
            _components[key] = load_components(model, accept_error, settings.limits(), threads=usable_cores())
            atexit.register(_components[key].close)
        components = _components[key]
        yield replace(components, policy=replace(components.policy, accept_error=accept_error))


@contextlib.contextmanager
def _as_file(source: Source) -> Iterator[tuple[Path, str]]:
    """The source as a file that other processes can open, and its name."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        yield path, path.name
        return
    content = source if isinstance(source, bytes) else source.read()
    with tempfile.TemporaryDirectory(prefix="docpipe-") as folder:
        path = Path(folder) / "document"
        path.write_bytes(content)
        name = getattr(source, "name", None)
        yield path, Path(name).name if isinstance(name, str) else "document"
