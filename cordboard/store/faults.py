"""What went wrong with the database, in words that may be logged. Used wherever the store catches a fault.

SQLAlchemy's own text holds the statement, and would hold its parameters: numbers, names, notes, password hashes.
The driver's holds neither.
"""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError, StatementError


def in_words(fault: BaseException) -> str:
    """The driver's own words where there are any, without the statement."""
    if isinstance(fault, StatementError) and fault.orig is not None:
        return str(fault.orig)
    if isinstance(fault, SQLAlchemyError) and fault.args:
        return str(fault.args[0])
    return str(fault)
