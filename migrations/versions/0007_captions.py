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
    criteria = sa.table("criteria", sa.column("id"), sa.column("captions"))
    answers = sa.table("answers", sa.column("id"), sa.column("criterion_id"), sa.column("supersedes"))
    questions = sa.table("questions", sa.column("id"), sa.column("criterion_id"))
    leases, verdicts = sa.table("leases", sa.column("question_id")), sa.table("verdicts", sa.column("answer_id"))
    mine = sa.select(criteria.c.id).where(criteria.c.captions.is_not(None))
    said, asked = answers.c.criterion_id.in_(mine), questions.c.criterion_id.in_(mine)
    op.execute(sa.delete(verdicts).where(verdicts.c.answer_id.in_(sa.select(answers.c.id).where(said))))
    op.execute(sa.delete(leases).where(leases.c.question_id.in_(sa.select(questions.c.id).where(asked))))
    op.execute(sa.update(answers).where(said).values(supersedes=None))
    op.execute(sa.delete(answers).where(said))
    op.execute(sa.delete(questions).where(asked))
    with op.batch_alter_table("questions") as table:
        table.drop_column("text")
    with op.batch_alter_table("criteria") as table:
        table.drop_column("captions")
