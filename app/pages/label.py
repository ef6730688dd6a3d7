"""The Label tab: one question at a time, answered by keyboard."""

import gradio as gr

from app.components import screen

TITLE = "Label"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/label/."""
    return screen("label/main", "pw-label")
