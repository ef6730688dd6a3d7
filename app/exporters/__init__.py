"""Taking things out: pairs, groups, embeddings, answers and the audit log, as streams of rows in a format named by the
file's ending; whole data sets and models as folders. See `datasets` and `models`."""

from app.exporters.answers import FIELDS as ANSWER_FIELDS
from app.exporters.answers import answer_rows
from app.exporters.audit import FIELDS as AUDIT_FIELDS
from app.exporters.audit import audit_rows
from app.exporters.captions import FIELDS as CAPTION_FIELDS
from app.exporters.captions import caption_rows
from app.exporters.embeddings import export_embeddings
from app.exporters.formats import write_rows
from app.exporters.groups import FIELDS as GROUP_FIELDS
from app.exporters.groups import group_rows
from app.exporters.pairs import FIELDS as PAIR_FIELDS
from app.exporters.pairs import pair_rows

__all__ = [
    "ANSWER_FIELDS",
    "AUDIT_FIELDS",
    "CAPTION_FIELDS",
    "GROUP_FIELDS",
    "PAIR_FIELDS",
    "answer_rows",
    "audit_rows",
    "caption_rows",
    "export_embeddings",
    "group_rows",
    "pair_rows",
    "write_rows",
]
