"""The tables, as SQLAlchemy Core sees them."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, MetaData, String, Table

metadata = MetaData()

# One row a live call whose position or variables cannot be told from its channel alone. `epoch` counts the
# workers that have held the call: a worker which lost it (stopped, cut off) cannot write over its successor.
flow_runs = Table(
    "flow_runs",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leg_id", String(128), nullable=False),
    Column("snapshot", String, nullable=False),
    Column("written_at", Float, nullable=False, index=True),
)
