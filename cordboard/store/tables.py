"""The tables, as SQLAlchemy Core sees them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()

# One row a live call whose position or variables cannot be told from its channel alone. `epoch` says
# which worker holds the call: one which lost it (stopped, cut off) cannot write over its successor.
flow_runs = Table(
    "flow_runs",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leg_id", String(128), nullable=False),
    Column("snapshot", String, nullable=False),
    Column("written_at", Float, nullable=False, index=True),
)
