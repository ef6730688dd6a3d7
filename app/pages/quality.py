"""The Quality tab: how good the groups are, what that rests on, whether to stop, what more answers would bring."""

import gradio as gr

from app.components import screen

TITLE = "Quality"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/quality/."""
    return screen("quality/main", "pw-quality")
