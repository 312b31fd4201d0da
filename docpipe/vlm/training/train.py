"""Training in one command that can be stopped and goes on:
`python -m docpipe.vlm.training.train --examples runs/examples/* --out runs/network`.

In: folders of examples. Out: `last.pt` (resumes), `best.pt` (lowest loss on what is held out), `log.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from docpipe.vlm.encode import load_tokenizer
from docpipe.vlm.inputs import NetworkOutputs
from docpipe.vlm.network import DocumentNetwork, NetworkConfig
from docpipe.vlm.training.batches import BatchLoader, TrainingBatch
from docpipe.vlm.training.checkpoint import (
    load_checkpoint,
    pretrained_folder,
    pretrained_network,
    save_checkpoint,
    start_from,
)
from docpipe.vlm.training.data.examples import ExampleSet
from docpipe.vlm.training.loss import total_loss

log = logging.getLogger(__name__)
LAST, BEST, LOG = "last.pt", "best.pt", "log.jsonl"
WARM_UP = 30  # steps
FINAL_RATE = 0.05  # of the learning rates, at the end of the cosine
SAVE_EVERY = 25  # steps: about a minute of work on two cores
LEARNING_RATES = (1e-4, 1e-3, 1e-3)
"""Of the text encoder (higher forgets what it knows, lower does not learn the page in three epochs), of what starts at
random, and of the vision part."""
WEIGHT_DECAY = 0.01
PICTURE_DROPOUT = 0.35  # of the steps: the picture costs as much as all else, and is not always there
MAX_GRADIENT_NORM = 1.0
HOLDOUT_BATCH_SIZE = 8


@dataclass(frozen=True, slots=True)
class LearningRates:
    encoder: float
    rest: float
    vision: float


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    out: Path
    steps: int
    batch_size: int
    seed: int
    device: str
    start_from: Path | None
    weights: Mapping[str, int]  # origin of examples -> how often each is seen in an epoch
    learning_rates: LearningRates
    picture_dropout: float  # share of the steps without the picture; 1: never with it
    bfloat16: bool


class Training:
    """The network, its optimiser and how far it has come."""

    def __init__(self, plan: TrainingPlan, config: NetworkConfig) -> None:
        self.plan = plan
        self.step, self.epoch, self.resumed_at = 0, 0, 0
        self.best = math.inf
        self.network = pretrained_network(config).to(plan.device)
        groups = _parameter_groups(self.network, plan.learning_rates)
        self.optimiser = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        last = plan.out / LAST
        if last.exists():
            self._resume(last)
        elif plan.start_from:
            start_from(self.network, plan.start_from)

    def _rate(self, step: int) -> float:
        """Warm-up, then a cosine; a share of the learning rates."""
        step += self.resumed_at
        if step < WARM_UP:
            return (step + 1) / WARM_UP
        share = min(1.0, (step - WARM_UP) / max(1, self.plan.steps - WARM_UP))
        return FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * share))

    def _resume(self, path: Path) -> None:
        checkpoint = load_checkpoint(path, self.plan.device)
        self.network.load_state_dict(checkpoint["network"])
        self.optimiser.load_state_dict(checkpoint["optimiser"])
        self.step, self.epoch, self.best = (checkpoint["progress"][name] for name in ("step", "epoch", "best"))
        self.resumed_at = self.step
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        log.info("going on from step %d", self.step)

    def train_step(self, batch: TrainingBatch) -> float:
        self.network.train()
        loss = self._loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        return float(loss.detach())

    def evaluate(self, batches: Iterator[TrainingBatch]) -> float:
        """Mean loss."""
        self.network.eval()
        with torch.no_grad():
            losses = [float(self._loss(batch)) for batch in batches]
        return sum(losses) / max(1, len(losses))

    def save(self, name: str) -> None:
        progress = {"step": self.step, "epoch": self.epoch, "best": self.best}
        save_checkpoint(self.plan.out / name, self.network, self.optimiser, progress)

    def _loss(self, batch: TrainingBatch) -> torch.Tensor:
        device, dropout = self.plan.device, self.plan.picture_dropout
        batch = batch.to(device)
        drops_picture = dropout >= 1.0 or (self.network.training and float(torch.rand(())) < dropout)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=self.plan.bfloat16):
            outputs: NetworkOutputs[torch.Tensor] = self.network(batch.inputs, with_picture=not drops_picture)
        return total_loss(NetworkOutputs.ordered([array.float() for array in outputs.in_order()]), batch)


def train(plan: TrainingPlan, config: NetworkConfig, folders: list[Path]) -> None:
    plan.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(pretrained_folder() / "tokenizer.json")
    training_sets = [ExampleSet(folder) for folder in folders if folder.name.startswith("train")]
    holdout_sets = [ExampleSet(folder) for folder in folders if not folder.name.startswith("train")]
    training_loader = BatchLoader(training_sets, tokenizer, augment=True)
    holdout_loader = BatchLoader(holdout_sets, tokenizer, augment=False)
    training = Training(plan, config)
    recent: list[float] = []
    started = time.monotonic()
    while training.step < plan.steps:
        for batch in _prefetched(training_loader.epoch(plan.seed + training.epoch, plan.batch_size, plan.weights)):
            recent.append(training.train_step(batch))
            if training.step % SAVE_EVERY == 0:
                training.save(LAST)
                seconds = time.monotonic() - started
                _log(plan.out, {"step": training.step, "loss": sum(recent) / len(recent), "seconds": seconds})
                recent.clear()
            if training.step >= plan.steps:
                break
        training.epoch += 1
        _end_epoch(training, holdout_loader)


def _prefetched(batches: Iterator[TrainingBatch]) -> Iterator[TrainingBatch]:
    """The next batch is made beside the work on this one."""
    with ThreadPoolExecutor(1) as executor:
        following = executor.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = executor.submit(next, batches, None)
            yield batch


def _end_epoch(training: Training, holdout_loader: BatchLoader) -> None:
    loss = training.evaluate(holdout_loader.epoch(0, HOLDOUT_BATCH_SIZE))
    _log(training.plan.out, {"step": training.step, "epoch": training.epoch, "loss_holdout": loss})
    if loss < training.best:
        training.best = loss
        training.save(BEST)
    training.save(LAST)


def _log(folder: Path, row: Mapping[str, float]) -> None:
    log.info("%s", row)
    with (folder / LOG).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def _parameter_groups(network: DocumentNetwork, rates: LearningRates) -> list[dict[str, object]]:
    pretrained = ("token_embedding.", "position_embedding.", "embedding_norm.", "encoder.")
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    encoder = [p for name, p in named if name.startswith(pretrained)]
    vision = [p for name, p in named if name.startswith("vision.")]
    rest = [p for name, p in named if not name.startswith((*pretrained, "vision."))]
    return [
        {"params": encoder, "lr": rates.encoder},
        {"params": rest, "lr": rates.rest},
        {"params": vision, "lr": rates.vision},
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, nargs="+", required=True, help="folders train*/ and holdout*/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--start-from", type=Path, help="a checkpoint, or a network.onnx, whose weights to begin with")
    parser.add_argument("--weight", action="append", default=[], help="ORIGIN=TIMES per epoch, e.g. receipts=3")
    parser.add_argument(
        "--learning-rates", type=float, nargs=3, default=LEARNING_RATES, metavar=("ENCODER", "REST", "VISION"),
        help="at first",
    )  # fmt: skip
    parser.add_argument(
        "--picture-dropout", type=float, default=PICTURE_DROPOUT, metavar="SHARE",
        help="of the steps without the picture; 1: never with it",
    )  # fmt: skip
    parser.add_argument(
        "--bfloat16", action="store_true",
        help="products of matrices in bfloat16: several times faster on GPUs and on CPUs with AVX-512 BF16 or AMX",
    )  # fmt: skip
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    weights = {origin: int(times) for origin, times in (w.split("=") for w in options.weight)}
    plan = TrainingPlan(
        out=options.out,
        steps=options.steps,
        batch_size=options.batch_size,
        seed=options.seed,
        device=options.device,
        start_from=options.start_from,
        weights=weights,
        learning_rates=LearningRates(*options.learning_rates),
        picture_dropout=options.picture_dropout,
        bfloat16=options.bfloat16,
    )
    train(plan, NetworkConfig(), options.examples)


if __name__ == "__main__":
    main()
