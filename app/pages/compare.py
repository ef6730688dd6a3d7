"""The Compare tab: which pairs each method would create on this collection, graded by answers, before any training."""

import gradio as gr

from app.components import screen

TITLE = "Compare"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/compare/."""
    return screen("compare/main", "pw-compare")
