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
        entered_queue         priority, language
        offer_made            reason (in words)
        offer_ringing, agent_answered
        joined                wait_s: since the caller entered the queue
        left_queue            because (`LeftBecause`), wait_s; for "served" it is written when they are joined
        talk_ended            talk_s; estimated: true if nobody heard when it ended
        offer_ended           end (`OfferEnd`), ring_s: 0.0 if the phone was never rung; after talk_ended if served
        wrap_up_ended         wrap_up_s, disposition ("" if none was chosen)
        disposition_set       disposition
        presence_changed      presence, reason
        agent_paused_by_rona  in_a_row
        call_tagged           name, value; once for each value
        survey_answered       name, score; the first answer of the call
        callback_requested    language, priority
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
