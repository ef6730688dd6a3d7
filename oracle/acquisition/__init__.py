"""What to ask next: one file per acquisition function, each `.propose(snapshot, graph, n) -> questions`.

All are deterministic: the same seed, snapshot and answers give the same questions.
"""
