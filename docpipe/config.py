"""Settings: what a person may choose once for all commands, through DOCPIPE_* in the environment or in docpipe.toml.

In: the environment, a file. Out: `Settings`. An option of a command counts before the environment, that before the
file, and that before the default. Only shells read it (docpipe.cli, docpipe.api, docpipe.batch,
docpipe.service.submit and what stands on them); steps get arguments.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ByteSize, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from docpipe.errors import UsageError
from docpipe.extractors.generative.options import WORD_TOKENS
from docpipe.extractors.hosted.options import HostedOptions
from docpipe.own_files import CONFIG_NAME
from docpipe.private_files import FileAccess
from docpipe.render.limits import Limits

PREFIX = "DOCPIPE_"
ROOT = 0  # the user that may change everything anyway
SECRETS = frozenset({"webhook_secret"})
RENDER_LIMITS, HOSTED_OPTIONS = Limits(), HostedOptions()


class Settings(BaseSettings):
    """Each field is `DOCPIPE_` + its name in capitals. Sizes may be written `512MiB`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, extra="forbid")

    database_url: str = Field("sqlite:///docpipe.db", description="Where results are kept: SQLite or PostgreSQL.")
    model: str = Field(
        "embedded",
        description="The extractor: embedded, hf:ORG/NAME@REVISION, openai:NAME …; or two with a comma between.",
    )
    accept_error: float = Field(
        0.01, gt=0.0, le=0.5, description="The share of wrong values that may be among the accepted ones."
    )
    calibrations: Path | None = Field(
        None, description="A folder with calibration*.json of models that have none beside their weights."
    )
    jobs: int | None = Field(
        None, ge=1, le=256, description="Worker processes. Default: one a core, as many as fit into memory."
    )
    max_bytes: ByteSize = Field(ByteSize(RENDER_LIMITS.max_bytes), ge=1, description="Largest file.")
    max_pages: int = Field(RENDER_LIMITS.max_pages, ge=1, description="Most pages of a document.")
    max_pixels: int = Field(RENDER_LIMITS.max_pixels, ge=1, description="Most pixels of an image or of a drawn page.")
    seconds: float = Field(RENDER_LIMITS.seconds, gt=0, description="Longest time to open a file or to draw a page.")
    memory_bytes: ByteSize = Field(
        ByteSize(RENDER_LIMITS.memory_bytes), ge=256 * 1024**2, description="Memory of the process that opens files."
    )
    document_seconds: float = Field(
        60.0, gt=0, description="Longest time for a document in `docpipe run`, to which page_seconds are added."
    )
    page_seconds: float = Field(20.0, gt=0, description="Time added to document_seconds for each page.")
    file_access: FileAccess = Field(
        "owner", description="Who may read the files that docpipe makes: owner, group or all."
    )
    keep_work: bool = Field(
        True,
        description="Whether `docpipe run` keeps words and answers, so that other settings read no page again.",
    )
    blob_url: str = Field("docpipe-blobs", description="Where the service keeps documents: a folder or s3://bucket.")
    broker_url: str = Field("redis://localhost:6379/0", description="The queue: redis:// or amqp://.")
    result_url: str | None = Field(
        None,
        description="Where `docpipe.process` leaves its answers: redis://. Default: the broker, where it is Redis.",
    )
    task_seconds: float = Field(1800.0, gt=0, description="Longest time for one stage of a document in a worker.")
    lease_seconds: float = Field(
        60.0, ge=1.0, description="How long a document waits for a worker that says nothing any more."
    )
    batch: int = Field(
        8, ge=1, le=256, description="Most documents that a worker understands at a time, with a model that can."
    )
    openai_url: str | None = Field(
        None, description="The server of openai: models, such as http://localhost:8000/v1. Default: OpenAI's own."
    )
    anthropic_url: str | None = Field(None, description="The server of anthropic: models. Default: Anthropic's own.")
    gemini_url: str | None = Field(None, description="The server of gemini: models. Default: Google's own.")
    hosted_parallel: int = Field(
        HOSTED_OPTIONS.parallel, ge=1, le=256, description="Requests to a hosted model at a time, of one process."
    )
    hosted_seconds: float = Field(
        HOSTED_OPTIONS.seconds, gt=0, description="Longest silence of a hosted model in one request."
    )
    hosted_attempts: int = Field(
        HOSTED_OPTIONS.attempts, ge=1, le=100, description="How often a request to a hosted model is tried."
    )
    hosted_patience_seconds: float = Field(
        HOSTED_OPTIONS.patience_seconds,
        ge=0,
        description="Longest time for all attempts at one request, with the waits between them.",
    )
    see: Literal["auto", "picture", "words", "both"] = Field(
        "auto", description="What models that write are shown: picture, words or both; auto: what they can see."
    )
    word_tokens: int = Field(
        WORD_TOKENS, ge=100, description="Most tokens of the words in one prompt; what matters least is left out."
    )
    prompt_examples: bool = Field(
        False, description="Whether models that write are shown the examples of a schema, which they may copy."
    )
    hosted_thinking_tokens: int = Field(
        HOSTED_OPTIONS.thinking_tokens,
        ge=0,
        description="Tokens that a hosted model may think for, beside those of its answer.",
    )
    document_tokens: int | None = Field(
        None, ge=1, description="Most tokens for one question about a document to a hosted model, over all attempts."
    )
    day_tokens: int | None = Field(
        None, ge=1, description="Most tokens of a day (UTC) for hosted models, over all processes of a machine."
    )
    day_money: float | None = Field(
        None, gt=0, description="Most money of a day (UTC) for hosted models, in the currency of the price list."
    )
    prices: Path | None = Field(
        None, description="The price list of hosted models, a JSON file. Default: none, and money is 0."
    )
    spending_file: Path | None = Field(
        None, description="Where a day's spending is kept. Default: docpipe/spending.json under XDG_STATE_HOME."
    )
    keep_days: float | None = Field(
        None, gt=0, description="Days after which originals and pictures are deleted. Default: never. Results stay."
    )
    references: str = Field(
        "", description="Folders and s3:// prefixes, with commas between, from which others may name documents."
    )
    schemas: str = Field(
        "", description="Schemas beside the shipped ones that others may ask for: module:Class, with commas between."
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Signs webhooks: whsec_ and 24 to 64 bytes in base64. Without it there are none."
    )
    webhook_internal: bool = Field(False, description="Whether webhooks may go to addresses of the own network.")
    upload_seconds: float = Field(600.0, gt=0, description="Longest time for one upload.")
    log_format: Literal["text", "json"] = Field("text", description="How the service writes its log: text or json.")

    def limits(self) -> Limits:
        """What one document may cost, as the renderer takes it."""
        return Limits(
            max_bytes=int(self.max_bytes),
            max_pages=self.max_pages,
            max_pixels=self.max_pixels,
            seconds=self.seconds,
            memory_bytes=int(self.memory_bytes),
        )

    def hosted(self) -> HostedOptions:
        """What models behind an HTTP API may take."""
        return HostedOptions(
            parallel=self.hosted_parallel,
            seconds=self.hosted_seconds,
            attempts=self.hosted_attempts,
            patience_seconds=self.hosted_patience_seconds,
            thinking_tokens=self.hosted_thinking_tokens,
            document_tokens=self.document_tokens,
            day_tokens=self.day_tokens,
            day_money=self.day_money,
            prices=self.prices,
            spending_file=self.spending_file,
        )

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # the other sources are left out
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = config_file()
        file_settings = () if file is None else (TomlConfigSettingsSource(settings_cls, file),)
        return (init_settings, env_settings, *file_settings)


def config_file() -> Path | None:
    """The one that counts: docpipe.toml of the current folder, else the user's own."""
    home = os.path.expanduser("~")  # Path.expanduser raises where the user has none
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path(home, ".config")) / "docpipe" / CONFIG_NAME
    return next((path for path in (Path(CONFIG_NAME), own) if path.is_file()), None)


def settings_of_file() -> Mapping[str, object]:
    """What the file says. Raises UsageError where it cannot be read, for a name that is none of a setting, for a
    secret, which belongs into the environment: files are copied and shown, and for a file of another user: in a folder
    of scans anybody may have put it, and it names the servers to which documents and keys are sent."""
    path = config_file()
    if path is None:
        return {}
    try:
        if hasattr(os, "getuid") and path.stat().st_uid not in (os.getuid(), ROOT):
            hint = "Look at it, and if you want it, copy it: the copy is yours."
            raise UsageError(f"{path} belongs to another user, so its settings are not taken.", hint=hint)
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "It is a TOML file: `jobs = 2`, a line a setting."
        raise UsageError(f"{path} cannot be read: {error}", hint=hint) from error
    for name in content:
        if name not in Settings.model_fields:
            closest = difflib.get_close_matches(name, Settings.model_fields, n=1)
            hint = f"Did you mean {closest[0]}?" if closest else f"The settings are {', '.join(Settings.model_fields)}."
            raise UsageError(f"{path}: there is no setting {name}.", hint=hint)
        if name in SECRETS:
            hint = f"Set {PREFIX}{name.upper()} in the environment instead."
            raise UsageError(f"{path}: {name} is a secret, and does not belong into a file.", hint=hint)
    return content


class _GivenSettings(Settings):
    """Checked in the same way, and never read from this process's environment."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # the other sources are left out
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as pydantic_settings asks
        init_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force, or those of another environment, and then of nothing else. Raises UsageError that names
    the variable and what is wrong with it."""
    if environment is None:
        settings_of_file()
    names = {PREFIX + name.upper(): name for name in Settings.model_fields}
    for variable in environment if environment is not None else os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() not in names:
            raise UsageError(f"There is no setting {variable}.", hint=_nearest(variable.upper(), list(names)))
    try:
        if environment is None:
            return Settings()
        variables = {variable.upper(): text for variable, text in environment.items() if text}
        given = {name: variables[variable] for variable, name in names.items() if variable in variables}
        checked = _GivenSettings.model_validate(given)
        values = {name: getattr(checked, name) for name in Settings.model_fields}
        return Settings.model_construct(checked.model_fields_set, **values)
    except ValidationError as error:
        first = error.errors()[0]
        variable = PREFIX + str(first["loc"][0]).upper()
        is_of_file = environment is None and variable not in {name.upper() for name in os.environ}
        where = f"{config_file()}: {first['loc'][0]}" if is_of_file else variable
        message = f"{where} cannot be {first['input']!r}: {first['msg']}."
        raise UsageError(message, hint=_describe(variable)) from error


def readable(value: object) -> str:
    """A setting's value as a person writes it."""
    if isinstance(value, ByteSize):
        return value.human_readable(separator=" ")
    return "not set" if value is None else str(value)


def _nearest(variable: str, names: list[str]) -> str:
    closest = difflib.get_close_matches(variable, names, n=1)
    return f"Did you mean {closest[0]}?" if closest else f"The settings are {', '.join(names)}."


def _describe(variable: str) -> str:
    field = Settings.model_fields[variable.removeprefix(PREFIX).lower()]
    return f"{field.description} The default: {readable(field.default)}."
