"""What was there before a plugin came

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operations", sa.Column("prepared", sa.JSON(), nullable=True))
    op.add_column("installed", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("installed", sa.Column("adapters", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("installed", "adapters")
    op.drop_column("installed", "origin")
    op.drop_column("operations", "prepared")
