"""What a page costs as words and as a picture, in tokens, by each provider's rules.

    python -m benchmarks.accuracy.prompt_tokens [FILE...] [--count 12] [--url http://127.0.0.1:8081/v1]

In: documents, or drawn invoices. Out: a Markdown table of the means over their pages. Words are counted as docpipe
estimates them and, with --url, as the model of `benchmarks.service.small_model` behind that address counts them.
Pictures are counted by what the providers document for the size that docpipe sends:

- OpenAI, 512-pixel tiles (gpt-4o): 85 + 170 a tile, after the shorter side was brought to 768 pixels.
- OpenAI, 32-pixel patches (gpt-4.1-mini): one a patch, at most 1,536, times 1.62.
- Anthropic: width times height / 750, the longer side at most 1,568 pixels.
- Gemini: 1,120 for an image of high resolution.
- Qwen2.5-VL and Qwen3-VL: one for 28, or 32, pixels squared, at most 1,605,632 pixels.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import mean

from benchmarks.service.small_model import MODEL
from docpipe import pipeline
from docpipe.components import ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Page
from docpipe.extractors.generative.page_selection import image_side
from docpipe.extractors.generative.page_words import page_text, rows_of, token_count
from docpipe.samples.folder import write_many

MAX_SIDE = 2_048  # pixels that docpipe sends at most, of a page whose print is small
SEED = 9_440_000
HIGH_RESOLUTION = 1_120
QWEN_PIXELS = 1_605_632
Size = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=12, help="drawn invoices, without FILE")
    parser.add_argument("--url", help="of a server of small_model, whose tokenizer counts the words")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as folder:
        files = options.files or _drawn(Path(folder), options.count)
        pages = list(_pages(files))
    print("\n".join(table(pages, options.url)))


def _drawn(folder: Path, count: int) -> Sequence[Path]:
    write_many(folder, "invoice", count, seed=SEED, degraded=False)
    return sorted((folder / "docs").iterdir())


def _pages(files: Sequence[Path]) -> Iterator[Page]:
    with closing(load_components(ModelName("embedded"), load_settings(), threads=1)) as components:
        parts = components.parts
        for file in files:
            prepared = pipeline.prepare(
                components.open(file), parts.rasteriser, parts.reader, picture_sides=(MAX_SIDE,)
            )
            yield from (page for page in prepared.pages if page.words)


def table(pages: Sequence[Page], url: str | None) -> Iterator[str]:
    texts = [page_text(rows_of(page)) for page in pages]
    sizes = [_sent_size(page) for page in pages]
    yield f"{len(pages)} pages, {mean(len(page.words) for page in pages):.0f} words a page\n"
    yield "| a page as | tokens |"
    yield "|---|---:|"
    estimates = (sum(map(token_count, text.splitlines())) for text in texts)
    yield f"| words, as docpipe estimates them | {mean(estimates):,.0f} |"
    if url:
        yield f"| words, counted by SmolLM2's tokenizer | {mean(_counted(text, url) for text in texts):,.0f} |"
    width, height = mean(size[0] for size in sizes), mean(size[1] for size in sizes)
    for name, count in PICTURE_RULES.items():
        yield f"| picture of {width:,.0f} x {height:,.0f} pixels, {name} | {mean(map(count, sizes)):,.0f} |"


def _sent_size(page: Page) -> Size:
    scale = image_side(page, MAX_SIDE) / max(page.width, page.height)
    return page.width * scale, page.height * scale


def _counted(text: str, url: str) -> int:
    """By the server's own count of a prompt, less that of an empty one."""

    def prompt_tokens(content: str) -> int:
        body = {"model": MODEL, "messages": [{"role": "user", "content": content}], "max_tokens": 1}
        request = urllib.request.Request(
            f"{url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            return int(json.load(response)["usage"]["prompt_tokens"])

    return prompt_tokens(text) - prompt_tokens("")


def _fitted(size: Size, longer: float) -> Size:
    scale = min(1.0, longer / max(size))
    return size[0] * scale, size[1] * scale


def _openai_tiles(size: Size) -> int:
    width, height = _fitted(size, 2_048)
    scale = min(1.0, 768 / min(width, height))
    return 85 + 170 * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _openai_patches(size: Size) -> int:
    return round(1.62 * min(1_536, math.ceil(size[0] / 32) * math.ceil(size[1] / 32)))


def _anthropic(size: Size) -> int:
    width, height = _fitted(size, 1_568)
    return round(width * height / 750)


def _qwen(patch: int) -> Callable[[Size], int]:
    return lambda size: round(min(QWEN_PIXELS, size[0] * size[1]) / patch**2)


PICTURE_RULES: Mapping[str, Callable[[Size], int]] = {
    "OpenAI's tiles": _openai_tiles,
    "OpenAI's patches": _openai_patches,
    "Anthropic": _anthropic,
    "Gemini": lambda _: HIGH_RESOLUTION,
    "Qwen2.5-VL": _qwen(28),
    "Qwen3-VL": _qwen(32),
}


if __name__ == "__main__":
    main()
