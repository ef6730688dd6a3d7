"""The one Gradio page: a header and its tabs. What each tab shows is built in the browser by its component."""

import gradio as gr

from app.components import screen
from app.pages import admin, compare, conflicts, data, groups, label, maps, quality, search, training

TABS = (label, groups, maps, search, conflicts, training, compare, quality, data, admin)
FONT = ("PW Sans", "ui-sans-serif", "system-ui", "sans-serif")


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with our fonts: every visible colour comes from components/static/css."""
    return gr.themes.Base(font=list(FONT), font_mono=["ui-monospace", "monospace"])


def build() -> gr.Blocks:
    """The page. It holds no state: the database is the truth, the browser keeps the rest."""
    with gr.Blocks(title="Pairwright", analytics_enabled=False, fill_width=True) as page:
        screen("header", "pw-header")
        with gr.Tabs(elem_id="pw-tabs"):
            for tab in TABS:
                with gr.Tab(tab.TITLE, id=tab.TITLE.lower(), elem_id=f"pw-tab-{tab.TITLE.lower()}"):
                    tab.build()
    return page
