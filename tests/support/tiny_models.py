"""Tiny vision-language models with random weights, one for each family: real configs and processors, no hub.

In: a family's name. Out: model and processor, or a folder that `--model hf:FOLDER` can name.

Each has two layers and some fifty thousand parameters. Its tokenizer is a BPE of the family's kind, trained here on
words of invoices, with the family's special tokens; its chat template is written here in the family's format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerFast, ProcessorMixin

from docpipe.extractors.local.models.processors import without_video_processor

SEED = 7
UNUSED_ROWS = 5  # rows of the embedding that no token has: real models have them too
QWEN = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
VOCABULARY = 700  # tokens besides the special ones
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 4096, "initializer_range": 0.4,
}  # fmt: skip
VISION = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
CORPUS = """invoice number invoice date due date seller buyer name street city country total net gross tax VAT rate
amount quantity unit price description EUR USD GBP Rechnung Rechnungsnummer Datum Betrag Summe Lieferant Kunde Steuer
invoice_number issue_date due_date seller.name buyer.name net_total tax_total gross_total currency line_items
{"invoice_number": "2021-00417"} {"issue_date": "01.02.2021"} {"gross_total": "1.234,50"} {"currency": "EUR"} null
{"seller.name": null} {"line_items": [{"description": "Paper", "amount": "100,00"}]} true false 19 % 7 % 2024 2025"""


def template(text: str, image: str, before: str, after: str) -> str:
    """A template of one turn each: how a text and a picture are written, and what stands around them."""
    return (
        "{{ bos_token or '' }}{% for message in messages %}" + before + "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}" + image + "{% else %}" + text + "{% endif %}{% endfor %}" + after
    )


PART = "{{ part['text'] }}"
CHATML = (
    template(PART, "<|vision_start|><|image_pad|><|vision_end|>", "<|im_start|>{{ message['role'] }}\n", "<|im_end|>\n")
    + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ONEVISION = (
    template(PART, "<image>\n", "<|im_start|>{{ message['role'] }} ", "<|im_end|>")
    + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
IDEFICS = (
    template(PART, "<image>", "{{ message['role'] | capitalize }}:", "<end_of_utterance>\n")
    + "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
GEMMA = (
    template(PART, "<start_of_image>", "<start_of_turn>{{ message['role'] }}\n", "<end_of_turn>\n")
    + "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
GRANITE = (
    template(PART, "<image>\n", "<|{{ message['role'] }}|>\n", "\n")
    + "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


@cache
def byte_level_bpe() -> str:
    """The byte-level BPE of most families, as JSON."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([CORPUS] * 20, trainer)
    return str(tokenizer.to_str())


@cache
def sentencepiece_bpe() -> str:
    """The BPE of Llama and Gemma, as JSON: blanks are `▁`, and what is in no token is spelled in bytes, `<0xE2>`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - 256, show_progress=False)
    tokenizer.train_from_iterator([CORPUS] * 20, trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *learned["vocab"]]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [tuple(pair) for pair in learned["merges"]]
    tokenizer.model = models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return str(tokenizer.to_str())


def tokenizer_of(
    special: list[str], named: Mapping[str, str], *, bpe: Callable[[], str] = byte_level_bpe, **roles: str
) -> PreTrainedTokenizerFast:
    """`named`: tokens that the processor asks the tokenizer for, `image_token` and the like."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(bpe()), extra_special_tokens=dict(named), padding_side="left",
        clean_up_tokenization_spaces=False, **{"pad_token": "<pad>", "eos_token": "<eos>", **roles},
    )  # fmt: skip
    tokenizer.add_special_tokens({"additional_special_tokens": special}, replace_extra_special_tokens=False)
    return tokenizer


ModelAndProcessor = tuple[PreTrainedModel, ProcessorMixin]


def qwen2_5_vl() -> ModelAndProcessor:
    tokenizer = tokenizer_of(QWEN, {}, eos_token="<|im_end|>")
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            **TEXT, **token_ids(tokenizer), "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}
        },
        vision_config={
            "depth": 2, "hidden_size": 16, "num_heads": 2, "intermediate_size": 24, "out_hidden_size": 32,
            "fullatt_block_indexes": [1], "window_size": 56,
        },
        **qwen_tokens(tokenizer),
    )  # fmt: skip
    images = transformers.Qwen2VLImageProcessorPil(size={"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 60})
    processor = without_video_processor(transformers.Qwen2_5_VLProcessor)(images, tokenizer, chat_template=CHATML)
    return transformers.Qwen2_5_VLForConditionalGeneration(config), processor


def qwen3_vl() -> ModelAndProcessor:
    tokenizer = tokenizer_of(QWEN, {}, eos_token="<|im_end|>")
    config = transformers.Qwen3VLConfig(
        text_config={
            **TEXT, **token_ids(tokenizer), "head_dim": 8,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 1, 1], "mrope_interleaved": True},
        },
        vision_config={
            "depth": 2, "hidden_size": 16, "num_heads": 2, "intermediate_size": 24, "out_hidden_size": 32,
            "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1],
        },
        **qwen_tokens(tokenizer),
    )  # fmt: skip
    images = transformers.Qwen2VLImageProcessorPil(
        patch_size=16, size={"shortest_edge": 64 * 64, "longest_edge": 32 * 32 * 60}
    )
    processor = without_video_processor(transformers.Qwen3VLProcessor)(images, tokenizer, chat_template=CHATML)
    return transformers.Qwen3VLForConditionalGeneration(config), processor


def llava() -> ModelAndProcessor:
    """LLaVA 1.5: it has no chat template."""
    tokenizer = tokenizer_of(["<s>"], {"image_token": "<image>"}, bpe=sentencepiece_bpe, bos_token="<s>")
    config = transformers.LlavaConfig(
        text_config={"model_type": "llama", **TEXT, **token_ids(tokenizer)},
        vision_config={"model_type": "clip_vision_model", **VISION, "image_size": 56, "patch_size": 14},
        image_token_index=tokenizer.image_token_id,
        image_seq_length=16,
    )
    size = {"height": 56, "width": 56}
    images = transformers.CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size=size)
    processor = transformers.LlavaProcessor(
        images, tokenizer, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def llava_onevision() -> ModelAndProcessor:
    tokenizer = tokenizer_of(["<|im_start|>", "<|im_end|>"], {"image_token": "<image>", "video_token": "<video>"})
    grid = [[56, 56], [56, 112], [112, 56], [112, 112]]
    config = transformers.LlavaOnevisionConfig(
        text_config={"model_type": "qwen2", **TEXT, **token_ids(tokenizer)},
        vision_config={
            "model_type": "siglip_vision_model", **VISION, "image_size": 56, "patch_size": 14, "vision_use_head": False
        },
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        image_grid_pinpoints=grid,
    )  # fmt: skip
    images = transformers.LlavaOnevisionImageProcessorPil(size={"height": 56, "width": 56}, image_grid_pinpoints=grid)
    processor = without_video_processor(transformers.LlavaOnevisionProcessor)(
        images, tokenizer, num_image_tokens=16, vision_feature_select_strategy="full", chat_template=ONEVISION
    )
    return transformers.LlavaOnevisionForConditionalGeneration(config), processor


def granite() -> ModelAndProcessor:
    """Granite Vision 3: the architecture of LLaVA-NeXT around a Granite."""
    return llava_next_around({"model_type": "granite", "logits_scaling": 2.0}, [-2, -1])


def llava_next() -> ModelAndProcessor:
    """LLaVA 1.6 around a Mistral whose layers all slide over 24 tokens: less than the prompt."""
    return llava_next_around({"model_type": "mistral", "sliding_window": 24}, -2)


def llava_next_around(writer: dict[str, Any], layers: int | list[int]) -> ModelAndProcessor:
    tokenizer = tokenizer_of(["<|user|>", "<|assistant|>"], {"image_token": "<image>"})
    grid = [[56, 112], [112, 56], [112, 112]]
    config = transformers.LlavaNextConfig(
        text_config={**TEXT, **token_ids(tokenizer), **writer},
        vision_config={
            "model_type": "siglip_vision_model", **VISION, "image_size": 56, "patch_size": 14, "vision_use_head": False
        },
        image_token_index=tokenizer.image_token_id,
        image_grid_pinpoints=grid,
        vision_feature_select_strategy="full",
        vision_feature_layer=layers,
    )  # fmt: skip
    size = {"height": 56, "width": 56}
    images = transformers.LlavaNextImageProcessorPil(size=size, crop_size=size, image_grid_pinpoints=grid)
    processor = transformers.LlavaNextProcessor(
        images, tokenizer, patch_size=14, vision_feature_select_strategy="full", chat_template=GRANITE
    )
    return transformers.LlavaNextForConditionalGeneration(config), processor


def idefics3() -> ModelAndProcessor:
    tokenizer = idefics_tokenizer()
    config = transformers.Idefics3Config(**idefics_config(tokenizer))
    images = transformers.Idefics3ImageProcessorPil(
        size={"longest_edge": 112}, max_image_size={"longest_edge": 56}, do_image_splitting=True
    )
    processor = transformers.Idefics3Processor(images, tokenizer, image_seq_len=4, chat_template=IDEFICS)
    return transformers.Idefics3ForConditionalGeneration(config), processor


def smolvlm() -> ModelAndProcessor:
    tokenizer = idefics_tokenizer()
    config = transformers.SmolVLMConfig(**idefics_config(tokenizer))
    images = transformers.SmolVLMImageProcessorPil(
        size={"longest_edge": 112}, max_image_size={"longest_edge": 56}, do_image_splitting=True
    )
    processor = without_video_processor(transformers.SmolVLMProcessor)(
        images, tokenizer, video_processor=None, image_seq_len=4, chat_template=IDEFICS
    )
    return transformers.SmolVLMForConditionalGeneration(config), processor


def gemma3() -> ModelAndProcessor:
    """Its first layer slides over 24 tokens: less than the prompt."""
    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = tokenizer_of(
        ["<bos>", "<start_of_turn>", "<end_of_turn>"], named, bpe=sentencepiece_bpe, bos_token="<bos>"
    )
    at = tokenizer.convert_tokens_to_ids
    config = transformers.Gemma3Config(
        text_config={
            **TEXT, **token_ids(tokenizer), "head_dim": 8, "sliding_window": 24, "query_pre_attn_scalar": 8,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={**VISION, "image_size": 56, "patch_size": 14, "vision_use_head": False},
        mm_tokens_per_image=4,
        boi_token_index=at("<start_of_image>"),
        eoi_token_index=at("<end_of_image>"),
        image_token_index=at("<image_soft_token>"),
    )  # fmt: skip
    images = transformers.Gemma3ImageProcessorPil(size={"height": 56, "width": 56})
    processor = transformers.Gemma3Processor(images, tokenizer, image_seq_length=4, chat_template=GEMMA)
    return transformers.Gemma3ForConditionalGeneration(config), processor


def paligemma() -> ModelAndProcessor:
    """It has no chat template, and sees its prompt in both directions."""
    tokenizer = tokenizer_of(["<bos>"], {"image_token": "<image>"}, bpe=sentencepiece_bpe, bos_token="<bos>")
    images = transformers.SiglipImageProcessorPil(size={"height": 56, "width": 56})
    images.image_seq_length = 16
    processor = transformers.PaliGemmaProcessor(images, tokenizer)
    config = transformers.PaliGemmaConfig(
        text_config={"model_type": "gemma", **TEXT, **token_ids(tokenizer), "head_dim": 8},
        vision_config={
            "model_type": "siglip_vision_model", **VISION, "image_size": 56, "patch_size": 14, "vision_use_head": False
        },
        image_token_index=tokenizer.image_token_id,
        projection_dim=32,
        hidden_size=32,
        vocab_size=len(tokenizer) + UNUSED_ROWS,
    )  # fmt: skip
    return transformers.PaliGemmaForConditionalGeneration(config), processor


def token_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer) + UNUSED_ROWS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def qwen_tokens(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    names |= {"vision_start_token_id": "vision_start", "vision_end_token_id": "vision_end"}
    return {key: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for key, name in names.items()}


def idefics_tokenizer() -> PreTrainedTokenizerFast:
    places = [f"<row_{row + 1}_col_{column + 1}>" for row in range(6) for column in range(6)]
    around = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", "<|im_start|>"]
    return tokenizer_of([*around, *places], {}, bos_token="<|im_start|>")


def idefics_config(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        "text_config": {"model_type": "llama", **TEXT, **token_ids(tokenizer)},
        "vision_config": {**VISION, "image_size": 56, "patch_size": 14},
        "image_token_id": tokenizer.convert_tokens_to_ids("<image>"),
        "scale_factor": 2,
    }


FAMILIES: Mapping[str, Callable[[], ModelAndProcessor]] = {
    "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl, "llava": llava, "llava_onevision": llava_onevision,
    "llava_next": llava_next, "granite": granite, "idefics3": idefics3, "smolvlm": smolvlm, "gemma3": gemma3,
    "paligemma": paligemma,
}  # fmt: skip


@cache
def tiny_model(family: str) -> ModelAndProcessor:
    """Model and processor, the same for every caller: nobody changes them."""
    from tests.support.tiny_writers import WRITERS  # it builds on this module

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model, processor = {**FAMILIES, **WRITERS}[family]()
    return model.float().eval(), processor


def save_tiny_model(family: str, folder: Path) -> Path:
    """The folder with the model of this family, as a hub has it; it is written once."""
    place = folder / family
    if not place.exists():
        model, processor = tiny_model(family)
        model.save_pretrained(place)
        processor.save_pretrained(place)
    return place
