"""What went wrong with the database: in words that may be logged, and whether it passes by itself.

SQLAlchemy's own text holds the statement, and would hold its parameters: numbers, names, notes, password hashes.
SQLite's holds neither. PostgreSQL's has a first line that holds neither, and details that do.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError


def in_words(fault: BaseException) -> str:
    """The driver's own words where there are any, without the statement."""
    if isinstance(fault, StatementError) and fault.orig is not None:
        return first_words(fault.orig)
    if isinstance(fault, SQLAlchemyError) and fault.args:
        return str(fault.args[0])
    return str(fault)


def first_words(fault: BaseException) -> str:
    """What a driver says, in one line, without the details in which PostgreSQL repeats values."""
    diagnosis: Any = getattr(fault, "diag", None)
    primary = diagnosis.message_primary if diagnosis is not None else None
    return " ".join(str(primary or fault).split())


def passes(fault: BaseException) -> bool:
    """Whether the database is away, locked or full, rather than the work wrong: it may be told again."""
    return isinstance(fault, OperationalError) or (isinstance(fault, DBAPIError) and fault.connection_invalidated)
