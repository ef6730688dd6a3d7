"""Proof: mirrors the packages. A package itself, because another installed one brings a `tests` of its own."""
