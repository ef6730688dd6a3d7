"""May a new model be served? Held-out audit answers decide; the trainer never learns from them.

An audit question is drawn uniformly, so its answers are unbiased witnesses. About half of the audit answers, chosen by
a fixed hash of the answer's id, are put aside for ever: the same ones on every machine and after every restart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from db.nouns import Snapshot, Statement, Verdict

ENOUGH = 8  # held-out pairs needed of each kind, same and different
SCREENS = 5  # held-out answers needed
SURE = 0.9  # a fall in this share of redraws is no chance


@dataclass(frozen=True)
class Gate:
    """The decision and what it rests on. F1 values are None where there were too few witnesses."""

    better: bool
    before: float | None
    after: float | None
    pairs: int
    reason: str


def is_held_out(statement: Statement) -> bool:
    """Whether this statement is put aside as a witness: an audit answer, by the hash of its id."""
    if not statement.audit:
        return False
    return blake2b(str(statement.answer).encode(), digest_size=1).digest()[0] % 2 == 0


def split(statements: Iterable[Statement]) -> tuple[list[Statement], list[Statement]]:
    """Statements to learn from, and witnesses. A pair that a witness speaks about is never learnt from."""
    learn: list[Statement] = []
    witnesses: list[Statement] = []
    for statement in statements:
        (witnesses if is_held_out(statement) else learn).append(statement)
    pairs = {_pair(statement) for statement in witnesses}
    return [statement for statement in learn if _pair(statement) not in pairs], witnesses


def gate(before: Snapshot, after: Snapshot, witnesses: Sequence[Statement]) -> Gate:
    """Promote unless the held-out pair F1 falls, and falls too surely to be chance.

    Pairs of one screen share an anchor, so chance is judged by redrawing whole answers, not pairs.
    """
    pairs, same, answers = rows(after, witnesses)
    if few := too_few(same, answers):
        return Gate(True, None, None, len(same), f"only {few}: promoted on training evidence")
    old, new = cosines(before, pairs), cosines(after, pairs)
    f1_old, f1_new = best_f1(old, same), best_f1(new, same)
    better = f1_new >= f1_old or chance_of_fall(old, new, same, answers) < SURE
    reason = f"held-out pair F1 {f1_old:.3f} before, {f1_new:.3f} after, on {len(same)} pairs"
    return Gate(better, f1_old, f1_new, len(same), reason if better else reason + ": kept, not served")


def chance_of_fall(old: np.ndarray, new: np.ndarray, same: np.ndarray, answers: np.ndarray, rounds: int = 200) -> float:
    """Share of redraws of the answers in which the F1 falls. old, new (P,) cosines; answers (P,) whose pair it is."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(answers == answer) for answer in np.unique(answers)]
    falls = 0
    for _ in range(rounds):
        drawn = np.concatenate([members[one] for one in rng.integers(0, len(members), len(members))])
        falls += best_f1(new[drawn], same[drawn]) < best_f1(old[drawn], same[drawn])
    return falls / rounds


def too_few(same: np.ndarray, answers: np.ndarray) -> str:
    """What there is too little of, in words; empty if the witnesses suffice."""
    if len(np.unique(answers)) < SCREENS:
        return f"{len(np.unique(answers))} held-out answers, {SCREENS} needed"
    if min(int(same.sum()), int((~same).sum())) < ENOUGH:
        counts = f"{int(same.sum())} same and {int((~same).sum())} different held-out pairs"
        return f"{counts}, {ENOUGH} of each needed"
    return ""


def best_f1(cosines: np.ndarray, same: np.ndarray) -> float:
    """Pair F1 at the best threshold on the cosine. cosines (P,) float, same (P,) bool. 0 where no pair is same."""
    if not same.any():
        return 0.0
    order = np.argsort(-cosines, kind="stable")
    found = np.cumsum(same[order])  # (P,) true positives when the first p+1 pairs are called same
    last_of_tie = np.append(np.diff(cosines[order]) != 0, True)
    f1 = 2 * found / (np.arange(1, len(same) + 1) + same.sum())
    return float(f1[last_of_tie].max())


def rows(snapshot: Snapshot, witnesses: Sequence[Statement]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(P, 2) row positions, (P,) whether it was same, (P,) the answer; items the snapshot lacks are left out."""
    usable = [
        (snapshot.position[w.a], snapshot.position[w.b], w.verdict is Verdict.SAME, w.answer)
        for w in witnesses
        if w.verdict in (Verdict.SAME, Verdict.DIFFERENT)
        and not w.background
        and w.a in snapshot.position
        and w.b in snapshot.position
    ]
    table = np.array(usable, dtype=np.int64).reshape(-1, 4)
    return table[:, :2], table[:, 2].astype(bool), table[:, 3]


def cosines(snapshot: Snapshot, pairs: np.ndarray) -> np.ndarray:
    return np.einsum("pd,pd->p", snapshot.vectors[pairs[:, 0]], snapshot.vectors[pairs[:, 1]])


def _pair(statement: Statement) -> tuple[int, int]:
    return (min(statement.a, statement.b), max(statement.a, statement.b))
