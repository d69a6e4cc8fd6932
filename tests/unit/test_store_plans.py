"""How SQLite carries out what the store asks: nothing that grows for ever is read from end to end."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import Delete, Select, Update

import cordboard.store
from cordboard.store.database import open_database

GROWING = ("ledger", "offers", "queue_entries", "callers", "call_steps", "traced_calls", "callbacks")
# Partial indexes have what is open now, and no more.
OF_NOW = (
    "queue_entries_waiting",
    "queue_entries_in_line",
    "queue_entries_live",
    "queue_entries_held",
    "offers_open_entry",
    "offers_open_agent",
    "offers_to_ring",
    "offers_handed_out",
    "callbacks_open",
)
# Asked by people, now and then; or no farther than to a limit.
SELDOM = {"callers._FORGET_IDENTITIES", "callback_attempts._NOT_REACHED", "kpi_reads._TOLD_QUEUES"}


def statements() -> Iterator[tuple[str, ClauseElement]]:
    """What the modules of the store have ready, by module and name."""
    for module in pkgutil.iter_modules(cordboard.store.__path__):
        if not module.ispkg:
            names = vars(importlib.import_module(f"cordboard.store.{module.name}"))
            for name, found in names.items():
                if isinstance(found, Select | Update | Delete) and f"{module.name}.{name}" not in SELDOM:
                    yield f"{module.name}.{name}", found


def scanned(plan: list[str]) -> list[str]:
    """The steps that read a whole table, or an index of all its rows."""
    tables = "|".join(GROWING)
    return [
        step
        for step in plan
        if re.match(rf"SCAN ({tables})\b", step) and not any(step.endswith(f" {name}") for name in OF_NOW)
    ]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    engine = open_database(tmp_path_factory.mktemp("plans") / "cordboard.db")
    found: dict[str, list[str]] = {}
    with engine.begin() as connection:
        for name, statement in statements():
            sql = str(statement.compile(dialect=sqlite.dialect()))
            if "pg_notify" not in sql:
                asked = re.sub(r"\?|__\[\w+\]", "1", sql)
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")
                found[name] = [str(row.detail) for row in rows]
    engine.dispose()
    return found


def test_statements_are_found(plans: dict[str, list[str]]) -> None:
    assert len(plans) > 100 and {"acd_entries._LIVE_OF_CALL", "floor_view._MISSED"} <= plans.keys()


def test_nothing_that_grows_is_read_from_end_to_end(plans: dict[str, list[str]]) -> None:
    assert {name: steps for name, plan in plans.items() if (steps := scanned(plan))} == {}


def test_a_scan_would_be_seen(tmp_path: Path) -> None:
    assert scanned(["SCAN offers", "SCAN ledger USING INDEX ix_ledger_at"]) != []
    assert scanned(["SCAN offers USING INDEX offers_open_entry", "SEARCH ledger", "SCAN devices"]) == []
