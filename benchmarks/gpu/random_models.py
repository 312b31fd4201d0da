"""Models with the sizes of public ones and random weights, to measure speed where no weights are at hand.

In: a preset's name. Out: model and processor. Weights do not change how long a pass takes; sizes do. The tokenizer is a
byte-level BPE with each digit on its own, as Qwen's and SmolLM's are, trained here on drawn text to the real number of
tokens: what the grammar has to look through is as large as in life.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from docpipe.extractors.local.models.family import MAX_IMAGE_PIXELS
from docpipe.extractors.local.models.processors import without_video_processor

WORDS = Path(__file__).parents[2] / "docpipe" / "samples" / "content" / "words"
QWEN = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
IDEFICS = ("<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>", "<global-img>")
TILES = 6  # rows and columns of an image's tiles that SmolVLM's tokenizer has names for
LINES_A_TOKEN = 0.6  # of drawn text, so that there are enough different pairs to merge
SEED = 5


@dataclass(frozen=True)
class ModelPreset:
    """`kind` is transformers' model type; `pixels` of an image at most, where the model takes any number; `source`
    says where the widths are from."""

    name: str
    kind: str
    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    source: str
    pixels: int = MAX_IMAGE_PIXELS

    @property
    def vocabulary(self) -> int:
        return int(self.text["vocab_size"])


def _text(**widths: int) -> dict[str, Any]:
    """With transformers' names."""
    return {**widths, "max_position_embeddings": 32_768, "tie_word_embeddings": True}


def _qwen2_5_vision(**widths: Any) -> dict[str, Any]:
    return {"num_heads": widths["hidden_size"] // 80 or 1, "patch_size": 14, "window_size": 112, **widths}


REMEMBERED = "as we remember the published configuration; its parameters are those of docs/models.md"
OURS = "made for this benchmark: the architecture of Qwen2.5-VL"
TINY_TEXT = {
    "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16,
}  # fmt: skip
TINY_VISION = _qwen2_5_vision(
    depth=2, hidden_size=80, intermediate_size=96, out_hidden_size=64, fullatt_block_indexes=[1]
)
PRESETS = {
    preset.name: preset
    for preset in (
        ModelPreset("tiny", "qwen2_5_vl", _text(**TINY_TEXT, vocab_size=8_000), TINY_VISION, OURS, 112_896),
        ModelPreset(
            "wordy", "qwen2_5_vl", _text(**TINY_TEXT, vocab_size=151_936), TINY_VISION,
            f"{OURS}; nothing is real but its vocabulary", 112_896,
        ),
        ModelPreset(
            "cpu-25m", "qwen2_5_vl",
            _text(
                num_hidden_layers=8, hidden_size=384, intermediate_size=1536, num_attention_heads=6,
                num_key_value_heads=2, head_dim=64, vocab_size=16_000,
            ),
            _qwen2_5_vision(
                depth=4, hidden_size=320, intermediate_size=856, out_hidden_size=384, fullatt_block_indexes=[1, 3]
            ),
            OURS, 254_016,
        ),
        ModelPreset(
            "smolvlm-500m", "smolvlm",
            {
                **_text(
                    num_hidden_layers=32, hidden_size=960, intermediate_size=2560, num_attention_heads=15,
                    num_key_value_heads=5, head_dim=64, vocab_size=49_280,
                ),
                "tie_word_embeddings": False,
            },
            {
                "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
                "image_size": 512, "patch_size": 16,
            },
            REMEMBERED,
        ),
        ModelPreset(
            "qwen3-vl-2b", "qwen3_vl",
            _text(
                num_hidden_layers=28, hidden_size=2048, intermediate_size=6144, num_attention_heads=16,
                num_key_value_heads=8, head_dim=128, vocab_size=151_936,
            ),
            {
                "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "out_hidden_size": 2048,
                "deepstack_visual_indexes": [5, 11, 17], "num_position_embeddings": 2304, "patch_size": 16,
            },
            REMEMBERED,
        ),
        ModelPreset(
            "qwen2.5-vl-3b", "qwen2_5_vl",
            _text(
                num_hidden_layers=36, hidden_size=2048, intermediate_size=11_008, num_attention_heads=16,
                num_key_value_heads=2, head_dim=128, vocab_size=151_936,
            ),
            _qwen2_5_vision(
                depth=32, hidden_size=1280, intermediate_size=3420, out_hidden_size=2048,
                fullatt_block_indexes=[7, 15, 23, 31],
            ),
            REMEMBERED,
        ),
    )
}  # fmt: skip
"""docs/performance.md says which were looked up and where."""


def build(preset: ModelPreset, device: str, dtype: torch.dtype) -> tuple[Any, Any]:
    """Model, on the device, and processor."""
    tokenizer = tokenizer_of(preset)
    default_dtype = torch.get_default_dtype()
    torch.manual_seed(SEED)
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = model_of(preset, tokenizer)
    finally:
        torch.set_default_dtype(default_dtype)
    return model.eval().requires_grad_(False), processor_of(preset, tokenizer)


def model_of(preset: ModelPreset, tokenizer: Any) -> Any:
    token_id = tokenizer.convert_tokens_to_ids
    text = {**preset.text, "bos_token_id": None, "eos_token_id": token_id(tokenizer.eos_token), "pad_token_id": 0}
    tied = bool(text["tie_word_embeddings"])
    if preset.kind == "smolvlm":
        return transformers.SmolVLMForConditionalGeneration(
            transformers.SmolVLMConfig(
                text_config={"model_type": "llama", **text}, vision_config=dict(preset.vision), scale_factor=4,
                image_token_id=token_id("<image>"), tie_word_embeddings=tied, pad_token_id=0,
            )
        )  # fmt: skip
    tokens = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    tokens |= {"vision_start_token_id": "vision_start", "vision_end_token_id": "vision_end"}
    special_ids = {key: token_id(f"<|{name}|>") for key, name in tokens.items()}
    half = int(preset.text["head_dim"]) // 2
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": 1e6}
    rope["mrope_section"] = [half // 4, (half - half // 4) // 2, half - half // 4 - (half - half // 4) // 2]
    settings: dict[str, Any] = {"vision_config": dict(preset.vision), "tie_word_embeddings": tied, **special_ids}
    if preset.kind == "qwen3_vl":
        rope["mrope_interleaved"] = True
        config = transformers.Qwen3VLConfig(text_config={**text, "rope_parameters": rope}, **settings)
        return transformers.Qwen3VLForConditionalGeneration(config)
    del text["head_dim"]  # hidden size by heads
    config = transformers.Qwen2_5_VLConfig(text_config={**text, "rope_parameters": rope}, **settings)
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def processor_of(preset: ModelPreset, tokenizer: PreTrainedTokenizerFast) -> Any:
    if preset.kind == "smolvlm":
        images = transformers.SmolVLMImageProcessorPil(
            size={"longest_edge": 2048}, max_image_size={"longest_edge": 512}, do_image_splitting=True
        )
        kind = without_video_processor(transformers.SmolVLMProcessor)
        return kind(images, tokenizer, video_processor=None, image_seq_len=64, chat_template=_template("<image>"))
    patch = int(preset.vision["patch_size"])
    images = transformers.Qwen2VLImageProcessorPil(
        patch_size=patch, size={"shortest_edge": 4 * (2 * patch) ** 2, "longest_edge": preset.pixels}
    )
    kind = transformers.Qwen3VLProcessor if preset.kind == "qwen3_vl" else transformers.Qwen2_5_VLProcessor
    template = _template("<|vision_start|><|image_pad|><|vision_end|>")
    return without_video_processor(kind)(images, tokenizer, chat_template=template)


def _template(picture: str) -> str:
    """One turn each, in the manner of ChatML."""
    part = f"{{% if part['type'] == 'image' %}}{picture}{{% else %}}{{{{ part['text'] }}}}{{% endif %}}"
    turn = f"<|im_start|>{{{{ message['role'] }}}}\n{{% for part in message['content'] %}}{part}{{% endfor %}}\n"
    opening = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    return f"{{% for message in messages %}}{turn}{{% endfor %}}{opening}"


def tokenizer_of(preset: ModelPreset) -> PreTrainedTokenizerFast:
    special = [*IDEFICS, *_tiles()] if preset.kind == "smolvlm" else list(QWEN)
    end = "<end_of_utterance>" if preset.kind == "smolvlm" else "<|im_end|>"
    bpe = Tokenizer(models.BPE())
    digits: Any = pre_tokenizers.Digits(individual_digits=True)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=preset.vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<pad>", *special],
    )  # fmt: skip
    bpe.train_from_iterator(_drawn_text(round(LINES_A_TOKEN * preset.vocabulary)), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, padding_side="left", pad_token="<pad>", eos_token=end, clean_up_tokenization_spaces=False
    )
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    return tokenizer


def _tiles() -> Iterator[str]:
    return (f"<row_{row}_col_{column}>" for row in range(1, TILES + 1) for column in range(1, TILES + 1))


def _drawn_text(lines: int) -> Iterator[str]:
    """Words of invoices, and names made of their pieces: a vocabulary as large as a real one needs many."""
    draw = random.Random(SEED)
    words = sorted({word for path in WORDS.rglob("*.txt") for word in path.read_text("utf-8").split()})
    pieces = sorted({word[i : i + 3] for word in words for i in range(0, len(word) - 2, 3) if word.isalpha()})
    for _ in range(lines):
        name = "".join(draw.choices(pieces, k=draw.randint(2, 4)))
        key = "_".join(draw.choices(words, k=2)).lower()
        yield f'{{"{key}": "{draw.choice(words)} {name}", "{name}": null}}'
