"""Negative policies: how strongly keys push. One file each, `(pool) -> Pool`."""
