"""Named systems of the literature. One file each: its settings, and the parts that `recipe()` makes of them.

A file's docstring is its page in docs/methods: first line, formula, then `Family:`, `Source:`, `Parts:`, `Needs:`,
`Differs from the paper:` and `Checked by:`.
"""
