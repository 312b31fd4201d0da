"""How much memory one token of a prompt takes while it goes through a layer: measured on the CPU.

In: two layers with the widths of Qwen2.5-VL-3B and random weights. Out: numbers alive per token beside the cache, for a
prompt of text and for one half of which is an image, and what docpipe/extractors/local/models/memory_estimate.py
reckons with.

    python -m benchmarks.gpu.model_memory
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from docpipe.extractors.local.models.memory_estimate import ModelShape
from docpipe.extractors.local.models.weight_files import WeightSizes

IMAGE, START, END = 5, 3, 4
LAYERS = 2  # what a layer needs is given back before the next one; only the cache grows with them
WATCH_SECONDS = 0.002


def model_of(dtype: torch.dtype) -> Any:
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": LAYERS, "num_attention_heads": 16,
            "num_key_value_heads": 2, "vocab_size": 2000, "tie_word_embeddings": True, "bos_token_id": None,
            "eos_token_id": None, "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24]},
        },
        vision_config={
            "depth": 2, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
            "fullatt_block_indexes": [1],
        },
        image_token_id=IMAGE, vision_start_token_id=START, vision_end_token_id=END, video_token_id=6,
    )  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(config).to(dtype).eval()


def inputs_of(tokens: int, dtype: torch.dtype, *, image: bool) -> dict[str, Any]:
    if not image:
        return {"input_ids": torch.randint(10, 2000, (1, tokens))}
    side = int((tokens // 2) ** 0.5) * 2  # patches along each side of the image; four make a token
    image_tokens = side * side // 4
    words = torch.randint(10, 2000, (1, tokens - image_tokens))
    ids = torch.cat([torch.tensor([[START]]), torch.full((1, image_tokens), IMAGE), torch.tensor([[END]]), words], 1)
    return {
        "input_ids": ids,
        "mm_token_type_ids": (ids == IMAGE).long(),
        "pixel_values": torch.randn(side * side, 1176).to(dtype),
        "image_grid_thw": torch.tensor([[1, side, side]]),
    }


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_of(model: Any, inputs: dict[str, Any]) -> int:
    """Bytes that the process grew by at most."""
    before, highest, done = resident_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.is_set():
            highest = max(highest, resident_bytes())
            time.sleep(WATCH_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with torch.inference_mode():
        model(**inputs, use_cache=True, logits_to_keep=1)
    done.set()
    watcher.join()
    return highest - before


def main() -> None:
    dtype = torch.bfloat16
    model = model_of(dtype)
    with torch.inference_mode():
        model(input_ids=torch.randint(10, 2000, (1, 8)))  # what is loaded once is not counted
    shape = ModelShape.of(model.config, WeightSizes(0, 0))
    for image in (False, True):
        inputs = inputs_of(2048, dtype, image=image)
        count = inputs["input_ids"].shape[1]
        token_bytes = peak_of(model, inputs) / count - shape.cache_bytes(dtype.itemsize)
        kind = "half a picture" if image else "text"
        figures = f"{token_bytes / dtype.itemsize:,.0f} numbers a token; reckoned with: {shape.activation_bytes(1):,}"
        print(f"{kind:>14}, {count} tokens: {figures}")


if __name__ == "__main__":
    main()
