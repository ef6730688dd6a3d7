"""Generators of synthetic positives. One file each: `Generator().maker(seed)` learns and makes pictures.

They propose. Whether a picture may stand for its anchor is for an oracle to say (`db.synthetic`).
"""
