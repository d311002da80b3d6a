"""Chance that can be had again: a generator for each use, from the seed and a number."""

import hashlib

import torch


def generator(seed: int, use: str, number: int) -> torch.Generator:
    """Return a generator on the CPU that depends on nothing but the arguments.

    Args:
        seed: of the stage.
        use: what it is for, so that two uses do not draw alike.
        number: of the batch.
    """
    digest = hashlib.sha256(f"{seed}:{use}:{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
