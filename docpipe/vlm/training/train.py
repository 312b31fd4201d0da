"""Training in one command that can be stopped and goes on:
`python -m docpipe.vlm.training.train --examples runs/examples/* --out runs/network`.

In: folders of examples. Out: `last.pt` (resumes), `best.pt` (lowest loss on what is kept aside), `log.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from docpipe.vlm.encode import load_tokenizer
from docpipe.vlm.network import DocumentNetwork, NetworkConfig
from docpipe.vlm.training.batches import Batch, Batches
from docpipe.vlm.training.checkpoint import begin_from, fresh_network, pretrained_folder, save_checkpoint
from docpipe.vlm.training.data.examples import ExampleSet
from docpipe.vlm.training.loss import whole_loss

log = logging.getLogger(__name__)
WARM_UP = 30  # steps
SAVE_EVERY = 25  # steps: about a minute of work on two cores
RATES = (1e-4, 1e-3, 1e-3)
"""Of the text encoder (higher forgets what it knows, lower does not learn the page in three epochs), of what starts at
random, and of the eyes."""
WEIGHT_DECAY = 0.01
BLIND_STEPS = 0.35  # share of steps without the picture: it costs as much as all else, and is not always there
CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    out: Path
    steps: int
    batch_size: int
    seed: int
    device: str
    start_from: Path | None
    weights: dict[str, int]
    rates: tuple[float, ...]
    blind: float
    bfloat: bool


class Training:
    """The network, its optimiser and how far it has come."""

    def __init__(self, plan: Plan, config: NetworkConfig) -> None:
        self.plan = plan
        self.step, self.epoch, self.resumed_at = 0, 0, 0
        self.best = math.inf
        self.network = fresh_network(config).to(plan.device)
        self.optimiser = torch.optim.AdamW(_groups(self.network, plan.rates), weight_decay=WEIGHT_DECAY, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        last = plan.out / "last.pt"
        if last.exists():
            self._resume(last)
        elif plan.start_from:
            begin_from(self.network, plan.start_from)

    def _rate(self, step: int) -> float:
        step += self.resumed_at
        if step < WARM_UP:
            return (step + 1) / WARM_UP
        share = min(1.0, (step - WARM_UP) / max(1, self.plan.steps - WARM_UP))
        return 0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * share))

    def _resume(self, path: Path) -> None:
        kept = torch.load(path, map_location=self.plan.device, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.epoch, self.best = (kept["progress"][k] for k in ("step", "epoch", "best"))
        self.resumed_at = self.step
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        log.info("going on from step %d", self.step)

    def learn(self, batch: Batch) -> float:
        self.network.train()
        loss = self._loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        return float(loss.detach())

    def judge(self, batches: Iterator[Batch]) -> float:
        self.network.eval()
        with torch.no_grad():
            losses = [float(self._loss(batch)) for batch in batches]
        return sum(losses) / max(1, len(losses))

    def save(self, name: str) -> None:
        progress: dict[str, object] = {"step": self.step, "epoch": self.epoch, "best": self.best}
        save_checkpoint(self.plan.out / name, self.network, self.optimiser, progress)

    def _loss(self, batch: Batch) -> torch.Tensor:
        device = self.plan.device
        moved = Batch(
            fields=tuple(t.to(device) for t in batch.fields),
            words=tuple(t.to(device) for t in batch.words),
            picture=batch.picture.to(device),
            targets=batch.targets.to(device),
            printed=batch.printed.to(device),
            asked=batch.asked.to(device),
            together=batch.together.to(device),
        )
        blind = self.plan.blind >= 1.0 or (self.network.training and float(torch.rand(())) < self.plan.blind)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=self.plan.bfloat):
            answers = self.network(moved.fields, moved.words, None if blind else moved.picture)
        logits, absent, together = (answer.float() for answer in answers)
        return whole_loss(logits, absent, together, moved)


def train(plan: Plan, config: NetworkConfig, folders: list[Path]) -> None:
    plan.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(pretrained_folder() / "tokenizer.json")
    learned = Batches([ExampleSet(f) for f in folders if f.name.startswith("train")], tokenizer, spoilt=True)
    aside = Batches([ExampleSet(f) for f in folders if not f.name.startswith("train")], tokenizer, spoilt=False)
    training = Training(plan, config)
    recent: list[float] = []
    started = time.monotonic()
    with (plan.out / "log.jsonl").open("a", encoding="utf-8") as lines:
        while training.step < plan.steps:
            for batch in _ahead(learned.epoch(plan.seed + training.epoch, plan.batch_size, plan.weights)):
                recent.append(training.learn(batch))
                if training.step % SAVE_EVERY == 0:
                    training.save("last.pt")
                    row = {
                        "step": training.step,
                        "loss": sum(recent) / len(recent),
                        "seconds": time.monotonic() - started,
                    }
                    recent.clear()
                    log.info("%s", row)
                    print(json.dumps(row), file=lines, flush=True)
                if training.step >= plan.steps:
                    break
            training.epoch += 1
            _judge(training, aside, lines)


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The next batch is made beside the work on this one."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = beside.submit(next, batches, None)
            yield batch


def _judge(training: Training, aside: Batches, lines: object) -> None:
    loss = training.judge(aside.epoch(0, 8))
    row = {"step": training.step, "epoch": training.epoch, "loss_aside": loss}
    log.info("%s", row)
    print(json.dumps(row), file=lines, flush=True)  # type: ignore[call-overload]
    if loss < training.best:
        training.best = loss
        training.save("best.pt")
    training.save("last.pt")


def _groups(network: DocumentNetwork, rates: tuple[float, ...]) -> list[dict[str, object]]:
    pretrained = ("pieces.", "positions.", "norm.", "encoder.")
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    old = [p for name, p in named if name.startswith(pretrained)]
    eyes = [p for name, p in named if name.startswith("vision.")]
    new = [p for name, p in named if not name.startswith((*pretrained, "vision."))]
    return [{"params": params, "lr": rate} for params, rate in zip((old, new, eyes), rates, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, nargs="+", required=True, help="folders train*/ and aside*/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--start-from", type=Path, help="a checkpoint, or a network.onnx, whose weights to begin with")
    parser.add_argument("--weight", action="append", default=[], help="ORIGIN=TIMES per epoch, e.g. receipts=3")
    parser.add_argument(
        "--rates", type=float, nargs=3, default=RATES, metavar=("ENCODER", "REST", "EYES"), help="of learning, at first"
    )  # fmt: skip
    parser.add_argument(
        "--blind", type=float, default=BLIND_STEPS, metavar="SHARE", help="of the steps without the picture; 1: never"
    )
    parser.add_argument(
        "--bfloat", action="store_true",
        help="products of matrices in bfloat16: several times faster on GPUs and on CPUs with AVX-512 BF16 or AMX",
    )  # fmt: skip
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    weights = {origin: int(times) for origin, times in (w.split("=") for w in given.weight)}
    plan = Plan(
        given.out, given.steps, given.batch_size, given.seed, given.device, given.start_from, weights,
        tuple(given.rates), given.blind, given.bfloat,
    )  # fmt: skip
    train(plan, NetworkConfig(), given.examples)


if __name__ == "__main__":
    main()
