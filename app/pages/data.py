"""The Data tab: collections, pictures, import, criteria."""

import gradio as gr

from app.components import screen

TITLE = "Data"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/data/."""
    return screen("data/main", "pw-data")
