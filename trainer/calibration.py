"""Turn a score of a pair into the chance that it is the same, as the uniformly drawn audit answers show.

    p(same | s) = 1 / (1 + exp(-(slope s + shift)))        q_i = eps_i + (1 - 2 eps_i) p(same | s_i)

    maximise  sum_i w_i [y_i log q_i + (1 - y_i) log(1 - q_i)] - (slope - m)^2 / (2 sd^2) - (shift - m')^2 / (2 sd'^2)

q is the chance that somebody who is wrong with rate eps says same. Weights are importance weights, scaled to as many
answers as they are worth (Kish). The prior keeps both numbers finite where audits are few or all say the same. Without
errors the objective is concave; Fisher scoring with halved steps climbs it.

Source: Platt 1999, "Probabilistic outputs for support vector machines", equations 1 and 2.
Differs from the paper: a Gaussian prior on slope and shift in place of smoothed targets; answers may be wrong.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from db.errors import BadInput

Scores = TypeVar("Scores", np.ndarray, Tensor)
STEPS = 200  # of the climb; a handful is usual
SMALL, TINY = 1e-10, 1e-15


@dataclass(frozen=True)
class Prior:
    """What is believed of slope and shift before any answer, and how firmly (standard deviations, > 0)."""

    slope: float = 0.0
    shift: float = 0.0
    slope_sd: float = 10.0
    shift_sd: float = 10.0


@dataclass(frozen=True)
class Calibration:
    """slope, shift: of the logistic curve. answers: audit pairs it rests on; worth: how many even weights would do."""

    slope: float = 1.0
    shift: float = 0.0
    answers: int = 0
    worth: float = 0.0

    @classmethod
    def fit(
        cls,
        score: np.ndarray,
        same: np.ndarray,
        weight: np.ndarray | None = None,
        *,
        error: np.ndarray | float = 0.0,
        prior: Prior | None = None,
    ) -> "Calibration":
        """The likeliest curve. score (M,) finite; same (M,) bool; weight (M,) > 0, only ratios matter.

        error: (M,) or one number in [0, 0.5), how often whoever said it is wrong.
        Raises: BadInput where shapes differ, a score is not finite, a weight not above 0 or an error rate out of range.
        """
        score, same = np.asarray(score, np.float64), np.asarray(same, np.float64)
        weight = np.ones(len(score)) if weight is None else np.asarray(weight, np.float64)
        error = np.broadcast_to(np.asarray(error, np.float64), score.shape)
        _check(score, same, weight, error)
        worth = 0.0
        if len(score):
            worth = float(weight.sum() ** 2 / (weight**2).sum())
            weight = weight * worth / weight.sum()
        slope, shift = _climb(score, same, weight, error, prior or Prior())
        return cls(float(slope), float(shift), len(score), worth)

    def probability(self, score: Scores) -> Scores:
        """Chance of same for each score, of the same shape and kind."""
        raised = self.slope * score + self.shift
        return torch.sigmoid(raised) if isinstance(raised, Tensor) else expit(raised)  # type: ignore[return-value]


def _check(score: np.ndarray, same: np.ndarray, weight: np.ndarray, error: np.ndarray) -> None:
    if not score.shape == same.shape == weight.shape or score.ndim != 1:
        raise BadInput(
            f"score, same and weight = (M,) each expected, got {score.shape}, {same.shape} and {weight.shape}."
        )
    if not (np.isfinite(score).all() and np.isfinite(weight).all() and (weight > 0).all()):
        raise BadInput("scores must be finite and weights above 0. Leave out pairs without a score.")
    if not ((error >= 0) & (error < 0.5)).all():
        raise BadInput("error rates from 0 to below 0.5 expected. Who is wrong as often as right says nothing.")


def _climb(score: np.ndarray, same: np.ndarray, weight: np.ndarray, error: np.ndarray, prior: Prior) -> np.ndarray:
    """(2,) slope and shift at the top."""
    design = np.stack([score, np.ones_like(score)], axis=1)  # (M, 2)
    centre = np.array([prior.slope, prior.shift])
    firm = np.array([prior.slope_sd, prior.shift_sd]) ** -2.0
    clear = 1 - 2 * error

    def said_same(at: np.ndarray) -> np.ndarray:
        return np.clip(error + clear * expit(design @ at), TINY, 1 - TINY)

    def height(at: np.ndarray) -> float:
        told = said_same(at)
        likely = np.where(same > 0, np.log(told), np.log1p(-told))
        return float(weight @ likely - firm @ (at - centre) ** 2 / 2)

    at = centre
    for _ in range(STEPS):
        chance, told = expit(design @ at), said_same(at)
        rise = clear * chance * (1 - chance)  # of q by the log-odds
        slope = design.T @ (weight * (same - told) * rise / (told * (1 - told))) - firm * (at - centre)
        bend = (design * (weight * rise**2 / (told * (1 - told)))[:, None]).T @ design + np.diag(firm)
        step = np.linalg.solve(bend, slope)
        while height(at + step) < height(at) and np.abs(step).max() > SMALL:
            step = step / 2
        at = at + step
        if np.abs(step).max() <= SMALL:
            break
    return at
