"""The end of a promise to call back, whatever it is: told once, by who learns of it first. Called by the store."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from cordboard.store.state_conditions import OPEN_CALLBACK
from cordboard.store.tables import callbacks
from cordboard.store.turn import Turn

_CLOSE = (
    update(callbacks)
    .where(callbacks.c.callback_id == bindparam("b_id"), OPEN_CALLBACK)
    .values(state=bindparam("b_state"), closed_at=bindparam("b_at"), last_result=bindparam("b_result"), leg_id="")
    .returning(callbacks)
)


def close(turn: Turn, callback_id: str, state: str, result: str) -> bool:
    """Note how it ended. state: as in `tables`; result: of the last attempt, in words. False if it had already."""
    row = turn.row(_CLOSE, b_id=callback_id, b_state=state, b_at=turn.now.wall, b_result=result[:32])
    if row is None:
        return False
    turn.tell_callback("callback_closed", row, once=True, state=state, result=result, attempts=row.attempts)
    return True
