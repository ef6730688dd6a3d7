"""The Search tab: what looks like a picture, steered by what is liked and what is not."""

import gradio as gr

from app.components import screen

TITLE = "Search"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/search/."""
    return screen("search/main", "pw-search")
