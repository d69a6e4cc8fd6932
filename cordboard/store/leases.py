"""Roles that one process of the machine has at a time (the observer of a switch). On the boot clock."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, case, or_, update

from cordboard.acd.model import Moment
from cordboard.store.tables import leases
from cordboard.store.upserts import insert

_insert = insert(leases)
_is_mine = leases.c.holder == _insert.excluded.holder
_TAKE = _insert.on_conflict_do_update(
    index_elements=[leases.c.name],
    set_={
        "holder": _insert.excluded.holder,
        "until": _insert.excluded.until,
        "fence": leases.c.fence + case((_is_mine, 0), else_=1),
    },
    where=or_(_is_mine, leases.c.until <= bindparam("b_over_since")),
)
_RELEASE = (
    update(leases)
    .where(leases.c.name == bindparam("b_name"), leases.c.holder == bindparam("b_holder"))
    .values(until=0.0)
)


def observer_lease(switch: str) -> str:
    """The role of the process that writes what a switch reports."""
    return f"observer:{switch}"


def take_lease(
    connection: Connection, now: Moment, name: str, holder: str, for_s: float, *, over_for_s: float = 0.0
) -> bool:
    """Become or stay the holder. False: another one is.

    over_for_s: how long another's lease must be over, so that somebody who is better at it may come first. One that
    was given up can be had at once.
    """
    values = {
        "name": name,
        "holder": holder,
        "until": now.boot + for_s,
        "fence": 1,
        "b_over_since": max(0.0, now.boot - over_for_s),
    }
    return connection.execute(_TAKE, values).rowcount == 1


def release_lease(connection: Connection, name: str, holder: str) -> None:
    """Let another one have it at once. Nothing, if it is another's already."""
    connection.execute(_RELEASE, {"b_name": name, "b_holder": holder})
