"""The Admin tab: people, tokens, backups and who did what."""

import gradio as gr

from app.components import screen

TITLE = "Admin"


def build() -> gr.HTML:
    """The component behind this tab, see components/static/js/admin/."""
    return screen("admin/main", "pw-admin")
