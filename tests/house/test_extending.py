"""docs/extending.md: each change that it describes is made in a copy of docpipe, works there, and touches no more files
than the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PAGE = ROOT / "docs" / "extending.md"
ROW = re.compile(r"^\| \[(?P<change>[\w ]+)\]\(#[\w-]+\) \| (?P<count>\d+) \|", re.MULTILINE)


@dataclass
class Copy:
    """A copy of the package in which files are changed. The weights are linked, not copied."""

    folder: Path
    touched: set[str] = field(default_factory=set)

    def add(self, name: str, text: str) -> None:
        assert not (self.folder / name).exists()
        (self.folder / name).write_text(text, "utf-8")
        self.touched.add(name)

    def edit(self, name: str, before: str, after: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert text.count(before) == 1, f"{name} has {text.count(before)} times: {before}"
        (self.folder / name).write_text(text.replace(before, after), "utf-8")
        self.touched.add(name)

    def run(self, program: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    def link(source: str, target: str) -> None:
        Path(target).symlink_to(source)

    shutil.copytree(ROOT / "docpipe", tmp_path / "docpipe", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    shutil.copytree(ROOT / "docpipe/vlm/weights", tmp_path / "docpipe/vlm/weights", copy_function=link)
    return Copy(tmp_path)


def promised(change: str) -> int:
    counts = {match["change"]: int(match["count"]) for match in ROW.finditer(PAGE.read_text("utf-8"))}
    return counts[change]


SCHEMA = '''"""A delivery note. In: nothing. Out: `DeliveryNote`; the descriptions are the prompts."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.schemas.kinds import Identifier, IsoDate


class DeliveryNote(BaseModel):
    """What came with the goods."""

    number: Annotated[str | None, Identifier()] = Field(None, description="number of the delivery note")
    delivered: Annotated[dt.date | None, IsoDate()] = Field(None, description="date of the delivery")
'''


def test_a_schema(copy: Copy):
    copy.add("docpipe/schemas/delivery_note.py", SCHEMA)
    copy.edit(
        "docpipe/schemas/__init__.py",
        "SHIPPED = {",
        'SHIPPED = {\n    "delivery_note": "docpipe.schemas.delivery_note:DeliveryNote",',
    )
    printed = copy.run(
        "from docpipe.schema import list_schemas, load_schema\n"
        "print(list_schemas(), load_schema('delivery_note').spec('delivered').kind.name)\n"
        "print([choice.name for choice in load_schema('auto').choices])"
    )
    assert printed.count("'delivery_note'") == 2 and "date" in printed
    assert len(copy.touched) == promised("A schema")


KIND = '''

@dataclass(frozen=True)
class Weight(Quantity):
    """Kilograms: `12,5 kg` is 12.5."""

    name: ClassVar[str] = "weight"
'''
USES_IT = """
from decimal import Decimal
from typing import Annotated
from pydantic import BaseModel, Field
from docpipe.schema import load_schema
from docpipe.schema_ports import Conventions, group_of
from docpipe.schemas.kinds import Weight
class Parcel(BaseModel):
    weight: Annotated[Decimal | None, Weight()] = Field(None, description="weight of the parcel")
kind = load_schema(Parcel).spec("weight").kind
print(kind.name, group_of(kind), kind.parse("12,5 kg", Conventions(decimal_mark=",")).value)
"""


def test_a_kind_of_value(copy: Copy):
    """The network, the confidence and the grammar treat it as its column type says: nothing else has to know it."""
    quantities = (copy.folder / "docpipe/schemas/quantities.py").read_text("utf-8")
    end = quantities.index("\n\n@dataclass(frozen=True)\nclass Rate(Number):")
    copy.edit("docpipe/schemas/quantities.py", quantities[end : end + 50], KIND + quantities[end : end + 50])
    copy.edit("docpipe/schemas/kinds.py", "Integer, Quantity, Rate\n", "Integer, Quantity, Rate, Weight\n")
    assert copy.run(USES_IT).split() == ["weight", "number", "12.5"]
    assert len(copy.touched) == promised("A kind of value")


READS_A_GIF = """
from pathlib import Path
from PIL import Image, ImageDraw
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.render import Renderer
image = Image.new("P", (600, 800), 0)
image.putpalette([255, 255, 255, 0, 0, 0])
ImageDraw.Draw(image).rectangle((100, 100, 300, 120), fill=1)
image.save("page.gif")
with Renderer() as renderer:
    document = ingest(Path("page.gif"), renderer=renderer)
    (page,) = PageRasteriser(renderer).pages(document)
    print(document.media_type, page.image.open().size, page.blank)
"""


def test_a_file_type(copy: Copy):
    """And the page of the README's that says which files are read."""
    copy.edit("docpipe/render/media_types.py", '    (b"GIF8", "a GIF image"),\n', "")
    copy.edit(
        "docpipe/render/media_types.py",
        '_SIGNATURES = (\n    (b"\\x89',
        '_SIGNATURES = (\n    (b"GIF8", "image/gif"),\n    (b"\\x89',
    )
    copy.edit("docpipe/render/images.py", "FORMATS = {", 'FORMATS = {\n    "image/gif": "GIF",')
    assert copy.run(READS_A_GIF).startswith("image/gif (")
    assert len({*copy.touched, "README.md"}) == promised("A file type")


PROVIDER = '''"""`mistral:NAME`: Mistral speaks as OpenAI does. In: a ProviderRequest. Out: a ProviderResponse."""

import httpx2

from docpipe.extractors.hosted.providers.openai_chat import OpenAIChat


class MistralChat(OpenAIChat):
    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        super().__init__(key, url or "https://api.mistral.ai/v1", http)
'''
RECORD = """    "mistral": ExtractorKind(
        _load_hosted("mistral"), picture_side=2_048, deployment="hosted", extra="hosted",
        provider=_mistral, key_variables=("MISTRAL_API_KEY",), url_setting="mistral_url",
    ),
"""
IMPORT = """
def _mistral() -> Callable[..., Provider]:
    from docpipe.extractors.hosted.providers.mistral_chat import MistralChat  # heavy: the provider's client

    return MistralChat


@contextlib.contextmanager
"""
ASKS_A_SERVER = """
import json, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from PIL import Image
from docpipe.components import ModelName, load_extractor
from docpipe.config import load_settings
from docpipe.data import Page
from docpipe.schema import load_schema
class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(asked["model"], self.headers["Authorization"], flush=True)  # before the answer: nobody else prints yet
        message = {"role": "assistant", "content": '{"total": "12.00"}'}
        answer = {"message": message, "finish_reason": "stop", "index": 0}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"], "choices": [answer]}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *args):
        pass
class Image_:
    def open(self, *, max_side=None):
        return Image.new("RGB", (200, 200), "white")
server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
settings = load_settings({"DOCPIPE_MISTRAL_URL": url, "DOCPIPE_SPENDING_FILE": "spending.json"})
extractor = load_extractor(ModelName.parse("mistral:small"), settings, threads=1)
answer = extractor.extract([Page(1, 200, 200, 72.0, Image_())], load_schema("receipt").only(["total"]))
print(extractor.name, [candidate.text for candidate in answer.candidates])
"""


def test_a_provider(copy: Copy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MISTRAL_API_KEY", "not-a-key")
    copy.add("docpipe/extractors/hosted/providers/mistral_chat.py", PROVIDER)
    copy.edit("docpipe/components.py", "\n@contextlib.contextmanager\n", IMPORT)
    copy.edit("docpipe/components.py", '    "gemini": ExtractorKind(', RECORD + '    "gemini": ExtractorKind(')
    setting = "    gemini_url: str | None = Field("
    copy.edit("docpipe/config.py", setting, f"    mistral_url: str | None = Field(None, description='')\n{setting}")
    printed = copy.run(ASKS_A_SERVER)
    assert "small Bearer not-a-key" in printed and "mistral:small" in printed and "['12.00']" in printed
    assert len(copy.touched) == promised("A provider")


READS_A_PAGE = """
import numpy as np, torch
from docpipe.data import Box, Word
from docpipe.vlm.encode import blank_picture, encode_page, load_tokenizer
from docpipe.vlm.field_queries import FieldQuery, encode_queries
from docpipe.vlm.inputs import INPUT_SPECS, one_page
from docpipe.vlm.network import DocumentNetwork, NetworkConfig
from docpipe.vlm.predict import TOKENIZER, weights_folder
tokenizer = load_tokenizer(weights_folder() / TOKENIZER)
words = [Word(text, Box(0.1, 0.1, 0.2, 0.12), 1.0, "ocr", 0) for text in ("TOTAL", "Sum", "12.00")]
page = encode_page(words, 1.4, blank_picture(), tokenizer)
inputs = one_page(encode_queries([FieldQuery("total", "number", False)], tokenizer), page)
print(INPUT_SPECS[-1].onnx_name, page.is_upper.tolist())
network = DocumentNetwork(NetworkConfig(width=24, heads=2, layers=1)).eval()
with torch.no_grad():
    network.upper_embedding.weight.normal_(std=1.0)
    outputs = network(inputs.map(torch.from_numpy))
    network.upper_embedding.weight.zero_()
    others = network(inputs.map(torch.from_numpy))
print(outputs.span_logits.shape[-1], bool((outputs.span_logits - others.span_logits).abs().max() > 0))
"""
NAMED = '''
    is_upper: Annotated[Array, int64("upper", "words", below=2)]
    """[N] 1 for words in capital letters."""

'''


def test_an_input_of_the_network(copy: Copy):
    """Training, export and the extractor take what inputs.py names."""
    before = "\n\n@dataclass(frozen=True, slots=True)\nclass NetworkInputs"
    copy.edit("docpipe/vlm/inputs.py", before, NAMED + before.lstrip("\n").join(["\n", ""]))
    copy.edit(
        "docpipe/vlm/encode.py", "        picture=picture,\n",
        "        picture=picture,\n        is_upper=np.array([int(w.text.isupper()) for w in words], np.int64),\n",
    )  # fmt: skip
    copy.edit(
        "docpipe/vlm/network.py", "        self.embedding_norm = nn.LayerNorm",
        "        self.upper_embedding = nn.Embedding(2, width)\n        self.embedding_norm = nn.LayerNorm",
    )  # fmt: skip
    copy.edit(
        "docpipe/vlm/network.py", "self.shape_embedding(page.shape_ids)\n",
        "self.shape_embedding(page.shape_ids) + self.upper_embedding(page.is_upper)\n",
    )  # fmt: skip
    assert copy.run(READS_A_PAGE).split("\n")[:2] == ["upper [1, 0, 0]", "3 True"]
    assert len(copy.touched) == promised("An input of the network")
