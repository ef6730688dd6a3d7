"""What the site needs beyond mkdocs: patterns in the navigation, and pages that lie outside docs/.

`"methods/*.md"` in `nav` stands for every such page that no other line names. A link out of docs/ leads to a copy of
the file on the site where `OUTSIDE` knows one, and is words alone where it does not.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "README.md": "readme.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "NOTICE": "NOTICE.txt",
    "examples/pairwright-plugin-example/README.md": "plugin-example.md",
}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!https?:)([^)\s]+)")


def on_config(config: MkDocsConfig) -> None:
    """Write the patterns of the navigation out."""
    named = set(_paths(config.nav))
    config.nav = _expanded(config.nav, Path(config.docs_dir), named)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/."""
    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links as they are in the repository into links of the site."""
    sources = {place: source for source, place in OUTSIDE.items()}
    at = page.file.src_uri
    folder, here = posixpath.dirname(sources.get(at, f"docs/{at}")), posixpath.dirname(at)
    markdown = PICTURE.sub(lambda found: found[1] + (_on_site(found[2], folder, here) or found[2]), markdown)
    return LINK.sub(lambda found: _link(found, folder, here), markdown)


def _link(found: re.Match[str], folder: str, here: str) -> str:
    """The link, or its words alone where it leads to a file of the repository that is no page."""
    words, target, anchor = found[1], found[2], found[3] or ""
    place = _on_site(target, folder, here)
    return f"[{words}]({place}{anchor})" if place else words


def _on_site(target: str, folder: str, here: str) -> str | None:
    """Where a link of a file in `folder` of the repository leads from the folder `here` of the site; None: nowhere."""
    path = posixpath.normpath(posixpath.join(folder, target))
    inside = path.removeprefix("docs/") if path.startswith("docs/") else None
    place = OUTSIDE.get(path, inside)
    if place is None and not (ROOT / path).exists():
        return target  # mkdocs says what is wrong with it
    return posixpath.relpath(place, here or ".") if place else None


def _paths(nav: Any) -> list[str]:
    """Every page that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    return [path for part in (nav.values() if isinstance(nav, dict) else nav) for path in _paths(part)]


def _expanded(nav: Any, docs: Path, named: set[str]) -> Any:
    if isinstance(nav, dict):
        return {title: _expanded(part, docs, named) for title, part in nav.items()}
    if isinstance(nav, list):
        return [
            one
            for part in nav
            for one in (_matching(part, docs, named) if _is_pattern(part) else [_expanded(part, docs, named)])
        ]
    return nav


def _is_pattern(part: Any) -> bool:
    return isinstance(part, str) and "*" in part


def _matching(pattern: str, docs: Path, named: set[str]) -> list[dict[str, str]]:
    """The pages of a pattern, each under its file's name."""
    found = sorted(path.relative_to(docs).as_posix() for path in docs.glob(pattern))
    return [{_title(docs / path): path} for path in found if path not in named]


def _title(path: Path) -> str:
    """A short name for the navigation: the page's first words where they are few, the file's name otherwise."""
    first = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").strip()
    return first if len(first) <= 40 and ":" not in first else path.stem
