"""What place a caller was told last, which whoever holds the call next has to know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Say of each place in a queue which number its caller has heard."""
    op.add_column("queue_entries", sa.Column("told_place", sa.Integer, nullable=False, server_default="0"))
