"""Our own parts of the page. Each is a `gr.HTML` shell; its JavaScript and CSS are small files under static/.

The files are served at /ui/ and loaded as modules, so that a browser caches and a person debugs them as files.
"""

from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"
STYLES = (
    "tokens", "shell", "label", "map", "search", "conflicts", "training", "quality", "compare", "synthetic", "data",
    "groups", "admin",
)  # fmt: skip


def head() -> str:
    """What goes into the page's head: our styles, our icon."""
    links = [f'<link rel="stylesheet" href="/ui/css/{name}.css">' for name in STYLES]
    return "\n".join(
        [*links, '<link rel="icon" href="/ui/mark.svg">', '<meta name="color-scheme" content="light dark">']
    )


def screen(module: str, element_id: str, loading: str = "") -> gr.HTML:
    """A component whose content is built by the module at /ui/js/<module>.js: it exports `start(element)`.

    loading: plain words shown until the module has started.
    """
    start = (
        f"import(new URL('/ui/js/{module}.js', location.origin))"
        ".then((part) => part.start(element))"
        ".catch((error) => { console.error(error);"
        " element.textContent = 'This part could not be loaded. Reload the page.'; });"
    )
    return gr.HTML(
        value=loading,
        html_template="${value}",
        js_on_load=start,
        apply_default_css=False,
        elem_id=element_id,
        elem_classes=["pw-screen"],
        padding=False,
    )
