"""What a plugin has, and what makes it active

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installed", sa.Column("contents", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("installed", sa.Column("activation", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("installed", sa.Column("layout", sa.Text(), nullable=True))
    op.add_column("workspaces", sa.Column("layout", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("workspaces", "layout")
    op.drop_column("installed", "layout")
    op.drop_column("installed", "activation")
    op.drop_column("installed", "contents")
