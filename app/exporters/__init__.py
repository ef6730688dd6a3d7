"""Taking things out: pairs, groups and embeddings, as streams of rows in a format named by the file's ending."""

from app.exporters.captions import FIELDS as CAPTION_FIELDS
from app.exporters.captions import caption_rows
from app.exporters.embeddings import export_embeddings
from app.exporters.formats import write_rows
from app.exporters.groups import FIELDS as GROUP_FIELDS
from app.exporters.groups import group_rows
from app.exporters.pairs import FIELDS as PAIR_FIELDS
from app.exporters.pairs import pair_rows

__all__ = [
    "CAPTION_FIELDS",
    "GROUP_FIELDS",
    "PAIR_FIELDS",
    "caption_rows",
    "export_embeddings",
    "group_rows",
    "pair_rows",
    "write_rows",
]
