"""Where the repository is: the root of the tree that is tested."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
