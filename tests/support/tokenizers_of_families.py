"""Small tokenizers of the three sorts that models have, trained here and now.

In: nothing. Out: byte-level BPE (Qwen, SmolVLM, Granite), SentencePiece BPE with byte tokens (Gemma, LLaVA), and
unigrams (Donut), each with special tokens and tags.
"""

from __future__ import annotations

import json
import random
from functools import cache

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

KINDS = ("byte-level", "sentencepiece", "unigram")
SPECIAL = ("<s>", "</s>", "<unk>", "<image>", "<|im_end|>")
TAGS = ("<s_total>", "</s_total>", "<s_date>", "</s_date>")
SIZE = 900


@cache
def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    tokenizer = {"byte-level": _byte_level, "sentencepiece": _sentencepiece, "unigram": _unigram}[kind]()
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def _text() -> list[str]:
    draw = random.Random(1)
    words = ["invoice", "number", "total", "issue", "date", "Straße", "größe", "Café", "rows", "net", "gross", "Łódź"]
    return [
        json.dumps(
            {draw.choice(words): draw.choice([draw.choice(words), f"{draw.randrange(9999)},50", None])},
            ensure_ascii=False,
        )
        + " ".join(draw.choices(words, k=4))
        for _ in range(800)
    ] + ["".join(map(chr, range(32, 127)))]


def _byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator(_text(), trainer)
    return tokenizer


def _sentencepiece() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    numbers = [f"<0x{number:02X}>" for number in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=SIZE, special_tokens=["<unk>", *numbers], show_progress=False)
    tokenizer.train_from_iterator(_text(), trainer)
    description = json.loads(tokenizer.to_str())
    description["added_tokens"] = []  # bytes are ordinary tokens
    return Tokenizer.from_str(json.dumps(description))


def _unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(_text(), trainer)
    return tokenizer
