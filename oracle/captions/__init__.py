"""Which captions to ask about: one file per rule, each `.propose(fits, ledger, n) -> questions`.

All are deterministic: the same seed, chances and answers give the same questions. Where the chances come from is
nobody's business here: `Fits` is a plain mapping from item to chance.
"""

FAMILY = "oracle.captions"
