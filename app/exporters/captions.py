"""Every caption of a criterion, one row each: what stands about it, how likely it belongs, and what that rests on."""

from collections.abc import Iterator, Mapping

from app.exporters.formats import Row
from db.nouns import Item
from oracle.ledger import Fits, Ledger

FIELDS = {
    "item": "int64",
    "name": "string",
    "sha256": "string",
    "caption": "string",
    "verdict": "string",
    "probability": "double",
    "model_probability": "double",
    "evidence_nats": "double",
    "answers": "int64",
    "unanswered": "int64",
}


def caption_rows(fits: Fits, ledger: Ledger, items: Mapping[int, Item]) -> Iterator[Row]:
    """Rows by item. verdict: belongs, does not belong, contradicted, or open where nobody said anything that weighs.

    probability: that it belongs, by model and answers; model_probability: by the model alone, nothing before any.
    """
    for item in sorted(fits.texts):
        fit, nats = fits.of(item), ledger.nats.get(item, 0.0)
        yield {
            "item": item,
            "name": items[item].name,
            "sha256": items[item].sha256,
            "caption": fits.texts[item],
            "verdict": _verdict(item in ledger.nats, nats),
            "probability": ledger.chance(item, fit),
            "model_probability": fit if item in fits.chance else None,
            "evidence_nats": nats,
            "answers": ledger.votes.get(item, 0),
            "unanswered": ledger.silent.get(item, 0),
        }


def _verdict(asked: bool, nats: float) -> str:
    if not asked:
        return "open"
    return "belongs" if nats > 0 else "does not belong" if nats < 0 else "contradicted"
