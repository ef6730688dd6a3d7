"""The Training tab: what the trainer does, model versions, promote and roll back."""

import gradio as gr

from app.components import screen

TITLE = "Training"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/training/."""
    return screen("training/main", "pw-training")
