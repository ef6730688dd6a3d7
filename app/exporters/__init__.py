"""Taking things out: pairs, groups and embeddings, as streams of rows in a format named by the file's ending."""

from app.exporters.embeddings import export_embeddings
from app.exporters.formats import write_rows
from app.exporters.groups import FIELDS as GROUP_FIELDS
from app.exporters.groups import group_rows
from app.exporters.pairs import FIELDS as PAIR_FIELDS
from app.exporters.pairs import pair_rows

__all__ = ["GROUP_FIELDS", "PAIR_FIELDS", "export_embeddings", "group_rows", "pair_rows", "write_rows"]
