"""What a search looks for: a point on the sphere, steered by what is liked and what is not."""

from collections.abc import Sequence

import numpy as np

from trainer.snapshot import unit

KEEP, LIKE, DISLIKE = 1.0, 0.75, 0.25  # weights of the query, of the liked, of the disliked


def steered(query: np.ndarray | None, liked: np.ndarray, disliked: np.ndarray) -> np.ndarray:
    """(D,) unit vector to search with.

        q' = unit(a q + b mean(P) - c mean(N))

    with the query q, the liked P and the disliked N, all of unit length, so that the cosine to q' ranks the items. The
    disliked weigh least: what is sought lies on one side of the query, what is not lies on all the others.

    Args: query (D,) or None to start from the liked alone; liked (P, D), disliked (N, D), unit rows; each may be empty.
    Returns: the query itself where nothing steers; zeros where all of it cancels out, or nothing was given.
    Source: Rocchio, 1971, "Relevance feedback in information retrieval", in The SMART Retrieval System; the weights are
    about those of Manning, Raghavan and Schütze, 2008, "Introduction to Information Retrieval", section 9.1.1.
    Differs from the source: the result goes back to the sphere, as only its direction ranks; entries below 0 are kept,
    as the numbers of an embedding, unlike counts of words, may be negative.
    """
    parts = [(KEEP, query[None] if query is not None else liked[:0]), (LIKE, liked), (-DISLIKE, disliked)]
    moved = sum((weight * rows.mean(axis=0) for weight, rows in parts if len(rows)), np.zeros(liked.shape[1]))
    return unit(np.asarray(moved, np.float32)[None])[0]


def queries(rows: Sequence[np.ndarray]) -> np.ndarray | None:
    """One query out of several items: the direction of their mean. None out of none."""
    return unit(np.mean(rows, axis=0, keepdims=True))[0] if rows else None
