"""Objectives: `(pool) -> ()`. One file each, only where the formula truly differs."""
