"""Positive sources: which keys pull. One file each, `(pool) -> Pool`."""
