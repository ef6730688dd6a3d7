"""The Groups tab: every group as a gallery; approve, split, merge, name, ask why."""

import gradio as gr

from app.components import screen

TITLE = "Groups"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/groups/."""
    return screen("groups/main", "pw-groups")
