"""The Map tab: the embedding as a map, coloured by what is known, to choose from and act on."""

import gradio as gr

from app.components import screen

TITLE = "Map"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/map/."""
    return screen("map/main", "pw-map")
