"""Randomness without state: every draw of a run follows from its seed, what it is for, and the step.

So a run that was stopped goes on exactly as if it had not been, with nothing to store but the step.
"""

import numpy as np
import torch

VIEWS, SUPPORT, ORDER, ANSWERED, START, DROPOUT, PARTNERS, MATES, NOISE, MADE = range(10)  # what a draw is for
BANK, CLASSES = 16, 17
WORDS = CHOICE = NOISE  # no run draws two of these
REFERENCE = MADE


def generator(*key: int) -> torch.Generator:
    """A generator on the CPU; GPUs get its numbers, so that they see the same views."""
    return torch.Generator().manual_seed(number(*key))


def number(*key: int) -> int:
    """63 bits that look unrelated for any two keys."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)
