"""The one registry of extractors, and the components of the flow that are loaded by it.

In: a model's name (`kind:weights`, or two with a comma between) and the settings. Out: what docpipe knows about models
of that kind before one is loaded, and the loaded components. No other module looks into a model's name.

A further kind of extractor is a record in `EXTRACTOR_KINDS` (docs/extending.md).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from docpipe.acceptance import AcceptancePolicy
from docpipe.capacity import Deadlines, WorkerLimits, default_jobs, usable_cores
from docpipe.cascade import Cascade
from docpipe.config import PREFIX, Settings
from docpipe.data import Document
from docpipe.errors import EncryptedError, ModelError, install_hint
from docpipe.ingest import ingest
from docpipe.pipeline import PipelineParts
from docpipe.ports import Extractor
from docpipe.rasterise import TEXT_DPI, PageRasteriser
from docpipe.render import Renderer

if TYPE_CHECKING:
    from docpipe.extractors.generative.backend import Backend
    from docpipe.extractors.generative.extractor import GenerativeExtractor
    from docpipe.extractors.hosted.backend import HostedBackend
    from docpipe.extractors.hosted.provider import Provider
    from docpipe.extractors.hosted.retries import RetryPolicy

CASCADE_HINT = "A cascade has two: embedded,hf:ORG/NAME@REVISION."


@dataclass(frozen=True, slots=True)
class ExtractorKind:
    """What docpipe knows about all models of one kind.

    `load` makes the extractor from weights, settings and the number of threads. `picture_side` is the longer side in
    pixels of the page pictures that it is given at most. `deployment`: `in_process`, one in each worker; `local`, a
    large model on this machine, loaded once, by one worker that has all cores; `hosted`, behind an HTTP API. `extra` is
    the optional dependency that it needs. The seconds are added to the settings' limits, which are for the embedded
    network; `loading_seconds` is how long a worker may take to load it.

    Of a hosted kind: `provider` imports the class that speaks to its API, `key_variables` are the environment variables
    in which a key is looked for, in their order, `url_setting` is the setting with the address of a server.
    """

    load: Callable[[str, Settings, int], Extractor]
    picture_side: int
    deployment: Literal["in_process", "local", "hosted"] = "in_process"
    extra: str = ""
    loading_seconds: float = Deadlines().start_seconds
    document_seconds: float = 0.0
    page_seconds: float = 0.0
    provider: Callable[[], Callable[..., Provider]] | None = None
    key_variables: tuple[str, ...] = ()
    url_setting: str = ""


@dataclass(frozen=True, slots=True)
class ModelName:
    """`kind:weights`. `second` is the other model of a cascade. Raises ModelError for a kind that there is not."""

    kind: str
    weights: str = ""
    second: ModelName | None = None

    def __post_init__(self) -> None:
        if self.kind not in EXTRACTOR_KINDS:
            message = f"there is no kind of model {self.kind!r}"
            raise ModelError(message, hint=f"The kinds are {', '.join(EXTRACTOR_KINDS)}.")

    def __str__(self) -> str:
        name = f"{self.kind}:{self.weights}" if self.weights else self.kind
        return name if self.second is None else f"{name},{self.second}"

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """`embedded`, `kind:weights`, or two of them with a comma between. A comma in a folder's name parts nothing:
        only one behind which a kind stands does, and not where a folder of the whole name exists. Raises ModelError."""
        texts = [text] if _is_folder(text) else _cut_at_kinds(text)
        if len(texts) > 2:
            raise ModelError(f"{text!r} names {len(texts)} models", hint=CASCADE_HINT)
        if len(texts) == 2 and not all(part.strip() for part in texts):
            raise ModelError(f"{text!r} names one model and a comma", hint=CASCADE_HINT)
        first, *others = (cls(kind, weights) for kind, _, weights in (part.strip().partition(":") for part in texts))
        return replace(first, second=others[0]) if others else first

    @property
    def members(self) -> tuple[ModelName, ...]:
        """The model, or the two of a cascade."""
        return (self,) if self.second is None else (replace(self, second=None), self.second)

    @property
    def extractor_kind(self) -> ExtractorKind:
        """Of its kind; of a cascade, the first model's."""
        return EXTRACTOR_KINDS[self.kind]

    @property
    def is_local(self) -> bool:
        """Whether a large model is loaded on this machine."""
        return any(member.extractor_kind.deployment == "local" for member in self.members)

    @property
    def picture_sides(self) -> tuple[int, ...]:
        """The longer sides, in pixels, of the page pictures that its models are given, the smallest first. A cascade
        has those of both: from a larger picture made smaller the embedded network is as sure of no value as alone."""
        return tuple(sorted({member.extractor_kind.picture_side for member in self.members}))


def _is_folder(text: str) -> bool:
    weights = text.strip().partition(":")[2]
    return "," in weights and Path(os.path.expanduser(weights)).exists()


def _cut_at_kinds(text: str) -> list[str]:
    """Cut at the commas behind which `kind` or `kind:…` stands or nothing at all, and at one before any colon."""
    first, *following = text.split(",")
    parts = [first]
    for piece in following:
        match = re.match(r"\s*(\w*)\s*(:|$)", piece)
        is_kind = match is not None and (match[2] == ":" or match[1] in {"", *EXTRACTOR_KINDS})
        if is_kind or ":" not in parts[-1]:
            parts.append(piece)
        else:
            parts[-1] += f",{piece}"
    return parts


def _load_embedded(weights: str, settings: Settings, threads: int) -> Extractor:  # noqa: ARG001 - as all loaders
    from docpipe.extractors.embedded import EmbeddedExtractor  # heavy: onnxruntime and the network

    return EmbeddedExtractor(threads=threads, weights=Path(weights) if weights else None)


def _load_scripted(weights: str, settings: Settings, threads: int) -> Extractor:  # noqa: ARG001 - as all loaders
    from docpipe.extractors.scripted import ScriptedExtractor  # heavy: keeps the registry free of extractors

    return ScriptedExtractor.from_file(Path(weights))


def _load_local(weights: str, settings: Settings, threads: int) -> Extractor:
    with _extra("gpu"):
        from docpipe.extractors.local.choose import local_backend  # heavy: torch and transformers

        return generative(local_backend(weights, threads=threads), settings)


def generative(backend: Backend, settings: Settings) -> GenerativeExtractor:
    """The extractor around a model that writes, which is shown what the settings say. Raises ModelError."""
    from docpipe.extractors.generative.picture_extractor import generative_extractor  # heavy: keeps `docpipe` quick

    return generative_extractor(
        backend,
        see=None if settings.see == "auto" else settings.see,
        word_tokens=settings.word_tokens,
        with_examples=settings.prompt_examples,
    )


def _load_hosted(kind: str) -> Callable[[str, Settings, int], Extractor]:
    def load(weights: str, settings: Settings, threads: int) -> Extractor:  # noqa: ARG001 - as all loaders
        with _extra("hosted"):
            return generative(hosted_backend(kind, weights, settings), settings)

    return load


def hosted_backend(kind: str, model: str, settings: Settings, retries: RetryPolicy | None = None) -> HostedBackend:
    """The backend for a provider's model. A key is read from the environment only here, so that no list of
    settings or of processes shows it. Raises ModelError and UsageError."""
    from docpipe.extractors.hosted.choose import HostedModel, connect  # heavy: an HTTP client

    kind_record = ModelName(kind, model).extractor_kind
    assert kind_record.provider is not None  # noqa: S101 - of every hosted kind
    url, url_variable = getattr(settings, kind_record.url_setting), PREFIX + kind_record.url_setting.upper()
    hosted = HostedModel(kind, model, kind_record.provider(), kind_record.key_variables, url, url_variable)
    return connect(hosted, settings.hosted(), os.environ, retries)


def _openai() -> Callable[..., Provider]:
    from docpipe.extractors.hosted.providers.openai_chat import OpenAIChat  # heavy: the provider's client

    return OpenAIChat


def _anthropic() -> Callable[..., Provider]:
    from docpipe.extractors.hosted.providers.anthropic_messages import AnthropicMessages  # heavy: the provider's client

    return AnthropicMessages


def _gemini() -> Callable[..., Provider]:
    from docpipe.extractors.hosted.providers.gemini_content import GeminiContent  # heavy: the provider's client

    return GeminiContent


@contextlib.contextmanager
def _extra(name: str) -> Iterator[None]:
    """Says which extra a missing package belongs to."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModelError(f"{error.name} is not installed", hint=install_hint(name)) from error


# Generous seconds: who waits for a large model on a processor, or for a busy provider, waits on purpose; a worker that
# hangs is still found. 2,048 pixels are A4 at 175 dpi, at which 6 point print is 15 pixels high.
EXTRACTOR_KINDS: dict[str, ExtractorKind] = {
    "embedded": ExtractorKind(_load_embedded, picture_side=1_280),
    "scripted": ExtractorKind(_load_scripted, picture_side=1_280),
    "hf": ExtractorKind(
        _load_local, picture_side=2_048, deployment="local", extra="gpu",
        loading_seconds=3_600.0,  # a download of 16 GB at 5 MB a second
        document_seconds=1_800.0, page_seconds=600.0,
    ),
    "openai": ExtractorKind(
        _load_hosted("openai"), picture_side=2_048, deployment="hosted", extra="hosted",
        provider=_openai, key_variables=("OPENAI_API_KEY",), url_setting="openai_url",
    ),
    "anthropic": ExtractorKind(
        _load_hosted("anthropic"), picture_side=2_000, deployment="hosted", extra="hosted",
        provider=_anthropic, key_variables=("ANTHROPIC_API_KEY",), url_setting="anthropic_url",
    ),
    "gemini": ExtractorKind(
        _load_hosted("gemini"), picture_side=3_072, deployment="hosted", extra="hosted",
        provider=_gemini, key_variables=("GOOGLE_API_KEY", "GEMINI_API_KEY"), url_setting="gemini_url",
    ),
}  # fmt: skip


def worker_limits(model: ModelName, settings: Settings, jobs: int | None = None) -> WorkerLimits:
    """How many workers the model allows, and how long each may take. `jobs`: what was asked for. Two local models would
    share one card, or one memory, so there is one worker. Of a cascade the slower model counts."""
    kinds = [member.extractor_kind for member in model.members]
    hosted_seconds = [2 * settings.hosted_patience_seconds for record in kinds if record.deployment == "hosted"]
    deadlines = Deadlines(
        max(record.loading_seconds for record in kinds),
        settings.document_seconds + max(record.document_seconds for record in kinds) + max(hosted_seconds, default=0.0),
        settings.page_seconds + max(record.page_seconds for record in kinds),
    )
    workers = jobs or settings.jobs or (1 if model.is_local else default_jobs())
    threads = max(1, usable_cores() // workers) if model.is_local else 1
    return WorkerLimits(workers, threads, deadlines)


@dataclass(frozen=True)
class Components:
    """All that a process needs to work on documents: the renderer's child process, the parts of the flow, and the
    policy that says which values are accepted."""

    renderer: Renderer
    parts: PipelineParts
    policy: AcceptancePolicy

    def open(self, path: Path, passwords: Iterable[str] = ()) -> Document:
        """Take the file in, with the password that fits. Raises InputError."""
        refusal: EncryptedError | None = None
        candidates: list[str | None] = [None, *passwords]  # most files in a folder need none
        for password in candidates:
            try:
                return ingest(path, renderer=self.renderer, password=password)
            except EncryptedError as error:
                refusal = error
        assert refusal is not None  # noqa: S101 - the list is not empty
        raise refusal

    def close(self) -> None:
        self.renderer.close()


def load_extractor(model: ModelName, settings: Settings, *, threads: int) -> Extractor:
    """Raises ModelError."""
    first, *others = (member.extractor_kind.load(member.weights, settings, threads) for member in model.members)
    return Cascade(first, others[0]) if others else first


def load_components(model: ModelName, settings: Settings, *, threads: int, salt: str = "") -> Components:
    """`salt` makes another run key of the same work. Raises ModelError."""
    from docpipe.read import PageReader  # heavy: numpy and the layout of text

    extractor = load_extractor(model, settings, threads=threads)
    renderer = Renderer(settings.limits())
    preparation = f"dpi={TEXT_DPI:g} pypdfium2={version('pypdfium2')} rapidocr={version('rapidocr')}"
    reader = PageReader(renderer, threads=threads)
    parts = PipelineParts(PageRasteriser(renderer), reader, extractor, preparation, model.picture_sides, salt)
    policy = AcceptancePolicy.for_extractor(extractor, settings.accept_error, *_calibration_folders(model, settings))
    return Components(renderer, parts, policy)


def _calibration_folders(model: ModelName, settings: Settings) -> Iterator[Path]:
    """Of weights that are a folder, and where the user keeps those of other models."""
    yield from (Path(member.weights) for member in model.members if member.weights)
    if settings.calibrations is not None:
        yield settings.calibrations
