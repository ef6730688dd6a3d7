"""Where small groups live until answers tell: a partition for many scattered groups nobody has compared.

Answers drawn at random leave hundreds of small groups whose relations are unknown. Calling each one a cluster would
tear
apart what the embedding rightly holds together. So only groups that are known to differ from each other stand alone; a
group that may still be one of them lives where most of its members started, as long as no answer speaks against it.
Constraints are kept as in Wagstaff et al. 2001, "Constrained k-means clustering with background knowledge": in turn,
to the
best home without a cannot-link.
"""

import numpy as np


def standing(between: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(G,) bool: groups known to differ from every larger one that stands. between: (G, G) net nats; sizes: (G,)."""
    apart, stands = between < 0, np.zeros(len(sizes), dtype=bool)
    for group in np.argsort(-sizes, kind="stable"):
        stands[group] = apart[group, stands].all()
    return stands


def houses(member: np.ndarray, between: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(G,) label of each group: its own number if it stands, else G + a start group, else its own number again.

    member: (N,) group of each row, -1 for none. start: (N,) start partition.
    """
    count = len(between)
    rows = np.flatnonzero(member >= 0)
    lives = np.zeros((count, int(start.max(initial=0)) + 1))  # members of each group by where they started
    np.add.at(lives, (member[rows], start[rows]), 1.0)
    stands, label = standing(between, lives.sum(1)), np.arange(count)
    tenants: dict[int, list[int]] = {}
    for group in np.argsort(-lives.sum(1), kind="stable"):
        if stands[group]:
            continue
        for home in np.argsort(-lives[group], kind="stable"):
            if lives[group, home] and not (between[group, tenants.get(int(home), [])] < 0).any():
                label[group] = count + home
                tenants.setdefault(int(home), []).append(int(group))
                break
    return label
