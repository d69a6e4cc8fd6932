"""One row of the ledger: something that happened to a call or an agent, once.

The store appends and reads them; the key figures are computed from them alone. No row holds a number or a name of a
caller: `party_ref` leads to them, as long as they have not been erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What happened. Texts are "" where they do not apply.

    seq: the order of writing, no gaps are promised; event_id: the same for the same event, however often it is
    told. at: seconds since 1970 at which it happened, which can be before the row above it.

    kind and data:
        entered_queue         priority, language; leg: the caller's, in the switch's words; position: in line;
                              asks: what is asked of an agent, in words, where anything is
        needs_relaxed         asks: what is asked from now on, in words
        offer_made            reason (in words)
        offer_ringing, agent_answered
        joined                wait_s: since the caller entered the queue; leg: the agent's
        wait_estimated        waited_s: until then; likely_s, at_most_s: as in `wait_estimate.Estimate`
        left_queue            because (`LeftBecause`), wait_s; for "served" it is written when they are joined; else
                              position: in line when they left; key: pressed to leave; rule: of the overflow, in
                              words; to: the queue they were sent on to
        talk_ended            talk_s; estimated: true if nobody heard when it ended; by: as
                              `AgentLegEvent.ended_by`
        offer_ended           end (`OfferEnd`), ring_s: 0.0 if the phone was never rung; after talk_ended if served
        wrap_up_ended         wrap_up_s, disposition ("" if none was chosen)
        disposition_set       disposition
        pause_limit_passed    reason: the pause has lasted as long as it may, and what follows is done
        presence_changed      presence, reason; was, was_reason: before; queues: the agent's; by: who decided it,
                              if not the agent
        agent_paused_by_rona  in_a_row
        call_tagged           name, value; once for each value
        survey_answered       name, score; the first answer of the call
        refused               because: why they were not let in
        stepped_out           entry_kind: what the place is kept for; key: pressed to step out
        came_back
        callback_requested    language, priority
        callback_dialled      attempt: from 1; mode: `customer_first` or `agent_first`
        callback_attempt_failed  result, attempts
        callback_closed       state, result, attempts
    """

    seq: int
    event_id: str
    at: float
    kind: str
    call_id: str = ""
    entry_id: str = ""
    offer_id: str = ""
    queue: str = ""
    agent: str = ""
    party_ref: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
