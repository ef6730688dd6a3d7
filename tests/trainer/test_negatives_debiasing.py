"""Debiased contrast, hard negatives and positive-unlabelled correction, against plain sums."""

import math
from dataclasses import replace

import pytest
import torch

from db.errors import BadInput
from tests.trainer.answered_pools import answered_pool
from trainer.negatives.debiased import NegativePolicy as Debiased
from trainer.negatives.hcl import NegativePolicy as HCL
from trainer.negatives.pucl import NegativePolicy as PUCL
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey
from trainer.positives.own_view import PositiveSource as OwnView


def curated(pool: Pool, policy) -> Pool:
    return obey(policy(OwnView()(pool)))


def plain_loss(pool: Pool, tau: float, tau_plus: float, beta: float | None) -> float:
    """Loops, in plain exponentials; no answers in the pool."""
    losses = []
    for i, anchor in enumerate(pool.anchors.tolist()):
        scores = [sum(x * y for x, y in zip(anchor, key, strict=True)) / tau for key in pool.keys.tolist()]
        pushed = [j for j in range(len(scores)) if j != i]
        n, P = len(pushed), math.exp(scores[i])
        omega = [1.0 if beta is None else math.exp(beta * scores[j]) for j in pushed]
        G = sum(w * math.exp(scores[j]) for w, j in zip(omega, pushed, strict=True))
        G = G if beta is None else n * G / sum(omega)
        N = max(n * math.exp(-1 / tau), (G - tau_plus * n * P) / (1 - tau_plus)) if tau_plus else G
        losses.append(math.log(P + N) - scores[i])
    return sum(losses) / len(losses)


@pytest.mark.parametrize("tau_plus", [0.0, 0.02, 0.1, 0.4])
def test_debiased_is_the_plain_sum(tau_plus: float) -> None:
    pool = answered_pool(said=False)
    found = Objective(0.5, denominator="self")(curated(pool, Debiased(tau_plus)))
    assert float(found.detach()) == pytest.approx(plain_loss(pool, 0.5, tau_plus, None), rel=1e-12)


@pytest.mark.parametrize(("beta", "tau_plus"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.1), (2.0, 0.3)])
def test_hcl_is_the_plain_sum(beta: float, tau_plus: float) -> None:
    pool = answered_pool(said=False)
    found = Objective(0.5, denominator="self")(curated(pool, HCL(beta, tau_plus)))
    assert float(found.detach()) == pytest.approx(plain_loss(pool, 0.5, tau_plus, beta), rel=1e-12)


def test_what_answers_placed_is_taken_out_of_the_prior() -> None:
    pool = answered_pool(batch=4, keys=21, said=False)
    said = pool.said.clone()
    said[0, 10:13] = 1  # three of an expected five positives are known
    said[0, 13:15] = -1
    tau = curated(replace(pool, said=said), Debiased(0.25)).tau_plus
    assert tau[0] == pytest.approx((0.25 * 20 - 3) / (20 - 3 - 2))
    assert tau[1] == pytest.approx(0.25)
    said[0, 10:16] = 1
    assert curated(replace(pool, said=said), Debiased(0.25)).tau_plus[0] == 0  # more than expected: nothing is hidden


def test_confirmed_negatives_are_never_debiased() -> None:
    pool = answered_pool(said=False)
    said = pool.said.clone()
    said[0, 9] = -1
    policy, objective = Debiased(0.1), Objective(0.5, denominator="self")
    masses = objective.masses(curated(replace(pool, said=said), policy))
    score = float((pool.anchors[0] @ pool.keys[9]).detach()) / 0.5
    assert float(masses.log_K[0].detach()) == pytest.approx(score + math.log(2), rel=1e-12)  # emphasis 2


@pytest.mark.parametrize(("a", "c", "wanted"), [(0.2, 0.0, 0.2), (0.2, 1.0, 0.0), (0.3, 0.5, 0.15 / 0.85)])
def test_pucl_subtracts_the_positives_that_are_left(a: float, c: float, wanted: float) -> None:
    tau = curated(answered_pool(said=False), PUCL(a, c)).tau_plus
    torch.testing.assert_close(tau, torch.full_like(tau, wanted))


def test_pucl_reads_the_label_frequency_off_the_answers() -> None:
    pool = answered_pool(batch=2, keys=21, said=False)
    said = pool.said.clone()
    said[0, 10:12] = 1  # two of an expected four: c = .5
    tau = curated(replace(pool, said=said), PUCL(0.2)).tau_plus
    assert tau.tolist() == pytest.approx([0.2 * 0.5 / (1 - 0.2 * 0.5), 0.2])


@pytest.mark.parametrize("policy", [Debiased, HCL, PUCL])
def test_a_share_of_one_is_refused(policy) -> None:
    name = "prior" if policy is PUCL else "tau_plus"
    with pytest.raises(BadInput, match=f"{name} = a share from 0 to below 1 expected, got 1.0"):
        policy(**{name: 1.0})


def test_nothing_overflows_at_the_temperature_where_the_published_code_does() -> None:
    pool = answered_pool(said=False)
    floats = {name: getattr(pool, name).float() for name in ("keys", "same", "neg", "pos", "confirmed")}
    low = replace(pool, anchors=pool.anchors.detach().float().requires_grad_(), **floats)
    loss = Objective(0.02, denominator="self")(curated(low, HCL(2.0, 0.1)))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(low.anchors.grad).all()
