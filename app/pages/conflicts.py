"""The Conflicts tab: contradictions as the smallest sets of pairs to ask again."""

import gradio as gr

from app.components import screen

TITLE = "Conflicts"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/conflicts/."""
    return screen("conflicts/main", "pw-conflicts")
