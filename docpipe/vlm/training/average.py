"""Two checkpoints become one: `python -m docpipe.vlm.training.average BEFORE AFTER --out MIDDLE`.

In: a network and what further training made of it. Out: a checkpoint with the mean of their weights, which keeps what
both know (Wortsman et al. 2022, Robust fine-tuning of zero-shot models, arXiv:2109.01903). It says nothing about two
networks that were trained apart.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from docpipe.vlm.network import DocumentNetwork
from docpipe.vlm.training.checkpoint import load_network


def average(before: DocumentNetwork, after: DocumentNetwork, share: float = 0.5) -> DocumentNetwork:
    """`share` of the second."""
    mean = DocumentNetwork(after.config)
    state_before = before.state_dict()
    mean.load_state_dict({
        name: torch.lerp(state_before[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in after.state_dict().items()
    })  # fmt: skip
    return mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of the second")
    options = parser.parse_args()
    network = average(load_network(options.before), load_network(options.after), options.share)
    torch.save({"config": asdict(network.config), "network": network.state_dict()}, options.out)


if __name__ == "__main__":
    main()
