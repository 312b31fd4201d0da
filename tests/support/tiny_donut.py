"""A tiny Donut with random weights: real configs, real processor, a tokenizer with the tags of a small schema.

In: the fields of its tags. Out: model and processor, or a folder that `--model hf:FOLDER` can name.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from PIL.Image import Image
from transformers import (
    DonutImageProcessorPil,
    DonutProcessor,
    DonutSwinConfig,
    MBartConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    XLMRobertaTokenizer,
)

SEED = 7
TASK = "<s_slip>"
FIELDS = ("invoice_number", "gross_total", "items", "description", "amount", "shop")
HEIGHT, WIDTH = 96, 64
LETTERS = string.ascii_letters + string.digits + string.punctuation + "äöüßé€"
WORDS = ("▁Total", "▁Paper", "▁Invoice", "▁No", "12", "00", "▁EUR", ",50")
POSITIONS = 160

ModelAndProcessor = tuple[VisionEncoderDecoderModel, DonutProcessor]


def tokenizer_of(fields: Sequence[str], tasks: Sequence[str]) -> XLMRobertaTokenizer:
    """A Unigram of letters and some words, as Donut's is, with its tags added."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(letter, -8.0) for letter in f"▁{LETTERS}"] + [(word, -4.0) for word in WORDS] + [("<mask>", 0.0)]
    tokenizer = XLMRobertaTokenizer(vocab=pieces)
    tags = [tag for name in fields for tag in (f"<s_{name}>", f"</s_{name}>")]
    tokenizer.add_tokens([*tags, "<sep/>", *tasks])
    return tokenizer


@cache
def tiny_donut(fields: Sequence[str] = FIELDS, tasks: Sequence[str] = (TASK,), seed: int = SEED) -> ModelAndProcessor:
    """The same for every caller: nobody changes them."""
    tokenizer = tokenizer_of(fields, tasks)
    images = DonutImageProcessorPil(size={"height": HEIGHT, "width": WIDTH})
    encoder = DonutSwinConfig(
        image_size=[HEIGHT, WIDTH],
        patch_size=4,
        embed_dim=16,
        depths=[1, 1],
        num_heads=[2, 2],
        window_size=4,
        initializer_range=0.05,
        drop_path_rate=0.0,
    )
    decoder = MBartConfig(
        vocab_size=len(tokenizer) + 3, d_model=encoder.hidden_size, decoder_layers=2, decoder_attention_heads=2,
        decoder_ffn_dim=64, max_position_embeddings=POSITIONS, init_std=0.3, is_decoder=True,
        add_cross_attention=True, dropout=0.0, scale_embedding=True,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VisionEncoderDecoderModel(config=config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.float().eval(), DonutProcessor(images, tokenizer)


def save_tiny_donut(folder: Path) -> Path:
    """The folder with the model, as a hub has it."""
    model, processor = tiny_donut()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def overfitted_donut(
    examples: Sequence[tuple[Image, str]], fields: Sequence[str] = FIELDS, steps: int = 80
) -> ModelAndProcessor:
    """A model that has learnt these pages by heart: each image with the tags that are its answer."""
    model, processor = tiny_donut.__wrapped__(fields)
    tokenizer = processor.tokenizer
    pixels = torch.cat([processor(images=image, return_tensors="pt").pixel_values for image, _ in examples])
    answers = [tokenizer(f"{TASK}{answer}</s>", add_special_tokens=False).input_ids for _, answer in examples]
    longest = max(map(len, answers))
    tokens = torch.tensor([[*ids, *[tokenizer.pad_token_id] * (longest - len(ids))] for ids in answers])
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    model.train()
    for _ in range(steps):
        logits = model(pixel_values=pixels, decoder_input_ids=tokens[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), tokens[:, 1:], ignore_index=tokenizer.pad_token_id
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval(), processor
