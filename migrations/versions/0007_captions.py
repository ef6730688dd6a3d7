"""Questions about the words beside a picture.

Revision: 0007. After: 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Criteria and questions of before are about pairs."""
    with op.batch_alter_table("criteria") as table:
        table.add_column(sa.Column("captions", sa.String(length=200), nullable=True))
    with op.batch_alter_table("questions") as table:
        table.add_column(sa.Column("text", sa.Text(), nullable=True))


def downgrade() -> None:
    """What was said about words must not be read as said about pairs: it goes. The criteria stay."""
    mine = "SELECT id FROM criteria WHERE captions IS NOT NULL"
    said = f"SELECT id FROM answers WHERE criterion_id IN ({mine})"
    asked = f"SELECT id FROM questions WHERE criterion_id IN ({mine})"
    op.execute(sa.text(f"DELETE FROM verdicts WHERE answer_id IN ({said})"))
    op.execute(sa.text(f"DELETE FROM leases WHERE question_id IN ({asked})"))
    op.execute(sa.text(f"UPDATE answers SET supersedes = NULL WHERE criterion_id IN ({mine})"))
    op.execute(sa.text(f"DELETE FROM answers WHERE criterion_id IN ({mine})"))
    op.execute(sa.text(f"DELETE FROM questions WHERE criterion_id IN ({mine})"))
    with op.batch_alter_table("questions") as table:
        table.drop_column("text")
    with op.batch_alter_table("criteria") as table:
        table.drop_column("captions")
