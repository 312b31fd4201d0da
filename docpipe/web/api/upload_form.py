"""The form of an upload: one file or the reference of one, and a few words about it.

In: a multipart body, written to disk as it comes (in memory up to 1 MB). Out: a checked `Upload`, closed after the
request. It is read here and not by FastAPI, which would read it before it asks for the key's role.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.datastructures import FormData, UploadFile

from docpipe.errors import StoreError
from docpipe.service.submit import SubmitOptions
from docpipe.store.jobs.job import BULK, INTERACTIVE
from docpipe.web.api.authentication import SubmitKey
from docpipe.web.api.models import Priority
from docpipe.web.api.problems import ApiError, invalid

MULTIPART = "multipart/form-data"
FILE = "file"
MAX_FILES, MAX_FIELDS, MAX_FIELD_BYTES = 1, 8, 16 * 1024
OPTIONAL_TEXT = Field(default=None, max_length=2000)


class FormFields(BaseModel):
    """What the form may have beside the file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Annotated[
        str, Field(alias="schema", max_length=200, description="one of /v1/schemas", examples=["invoice"])
    ] = "invoice"
    priority: Annotated[Priority, Field(description="`interactive`: somebody waits")] = "bulk"
    callback_url: Annotated[str | None, Field(description="gets a signed POST when the document has ended")] = (
        OPTIONAL_TEXT
    )
    reference: Annotated[
        str | None, Field(description="instead of `file`: a path or an s3:// URL that the operator allows")
    ] = OPTIONAL_TEXT

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        """Databases and file systems fail on NUL and on lone surrogates."""
        if value is not None and any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
            raise ValueError("control characters are not allowed")
        return value


@dataclass(frozen=True, slots=True)
class Upload:
    """Either `source` with its `name`, or `reference`."""

    source: BinaryIO | None
    name: str
    reference: str
    options: SubmitOptions


async def read_form(
    request: Request,
    key: SubmitKey,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="the same key again is the same document", examples=["a-17"]),
    ] = None,
) -> AsyncIterator[Upload]:
    """A dependency. Raises ApiError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MULTIPART:
        message, hint = f"the body is no {MULTIPART}", "With curl: -F file=@FILE"
        raise ApiError(415, "unsupported_media_type", message, hint, close_connection=True)
    try:
        form = await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    except OSError as error:  # where uploads are written to, $TMPDIR
        raise StoreError(f"an upload cannot be kept: {error.strerror or error}", hint="Is $TMPDIR full?") from error
    try:
        yield _upload(form, key.id, idempotency_key)
    finally:
        await form.close()


UploadForm = Annotated[Upload, Depends(read_form)]


def _upload(form: FormData, owner: str, idempotency_key: str | None) -> Upload:
    names = [name for name, _ in form.multi_items()]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _invalid_form(f"{repeated[0][:100]!r} is there more than once")
    file = form.get(FILE)
    if file is not None and not isinstance(file, UploadFile):
        raise _invalid_form("`file` has no file name: it came as a field")
    values = {name: value for name, value in form.multi_items() if name != FILE}
    if any(isinstance(value, UploadFile) for value in values.values()):
        raise _invalid_form("the file belongs into the field `file`")
    try:
        fields = FormFields.model_validate({name: value for name, value in values.items() if value != ""})
    except ValidationError as error:
        raise invalid(error.errors()[0]) from error
    if (file is None) == (fields.reference is None):
        raise _invalid_form("send either `file` or `reference`")
    options = SubmitOptions(
        schema=fields.schema_,
        priority=INTERACTIVE if fields.priority == "interactive" else BULK,
        owner=owner,
        idempotency_key=idempotency_key,
        callback={"url": fields.callback_url} if fields.callback_url else None,
    )
    source = None if file is None else file.file
    return Upload(source, (file.filename if file else "") or "", fields.reference or "", options)


def _invalid_form(message: str) -> ApiError:
    return ApiError(422, "invalid", message, "See /openapi.json for what the form may have.")


def openapi_request_body() -> dict[str, Any]:
    """The request body, for the OpenAPI document."""
    form_schema = FormFields.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "PDF, TIFF, PNG, JPEG, WebP or HEIC"}
    file_or_reference = [{"required": [FILE], "not": {"required": ["reference"]}}, {"required": ["reference"]}]
    schema = {
        "type": "object",
        "properties": {FILE: file, **form_schema["properties"]},
        "additionalProperties": False,
        "oneOf": file_or_reference,
    }
    example = {FILE: "(the bytes of invoice-4711.pdf)", "schema": "invoice", "priority": "interactive"}
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": schema, "example": example}}}}
