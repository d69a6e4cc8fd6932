"""What a recorded call is replayed on, where that is no file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from cordboard.bootstrap.call_traces import CallTrace
from cordboard.bootstrap.replaying import flows_for
from cordboard.flows.replay import first_difference
from cordboard.service.called_back import flow_of_leg
from cordboard.store.callback_attempts import CalledBack
from cordboard.store.traces import TracedCall
from cordboard.telephony import outcomes as o
from tests.doubles.flow_kit import CALL
from tests.doubles.trace_kit import TracedWalk


def test_a_leg_that_was_made_to_call_somebody_back_is_replayed_on_what_it_went_through(tmp_path: Path) -> None:
    walk = TracedWalk(flow_of_leg(CalledBack("sales", "en", 0, ""), {}, ["other", "sales"]))
    walk.advance(o.NotServed("max_wait"))
    found = CallTrace(cast("TracedCall", None), walk.steps)
    flow_of = flows_for(tmp_path, tmp_path, found, "")
    assert first_difference(CALL, walk.steps, flow_of, is_exact=True) is None
