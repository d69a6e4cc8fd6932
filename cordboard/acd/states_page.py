"""The page of the manual with the state tables drawn. `python -m cordboard.acd.states_page` writes it anew.

A test keeps `docs/acd_states.md` the same as what is drawn here.
"""

from __future__ import annotations

from pathlib import Path

from cordboard.acd.model import Activity, OfferState
from cordboard.acd.transitions import ACTIVITY_STEPS, OFFER_STEPS, as_mermaid

_PAGE = """\
# The states of offers and agents

Drawn from the tables in `cordboard/acd/transitions.py`; do not edit. What no arrow is drawn for changes nothing:
facts come from three sides, in any order, and some are told twice.

## An offer

One call proposed to one agent. An arrow says what was learnt: `rung` (the caller's worker has the phone rung),
`answered` (picked up; the whisper plays), `joined` (they talk), `failed` (no talk came of it, for whatever cause),
`leg_gone` (the agent's leg has ended, also by a transfer).

```mermaid
{offer}
```

## An agent's activity

What the system has the agent do; what the agent chose (`available`, `paused`, `logged_out`) is kept apart and never
changes it. After an offer that failed the agent is idle, and gets the next one after `retry_after_s`. While idle,
an agent whose phone is in use shows as `busy_elsewhere`, one whose phone is not registered as `unreachable`;
neither is offered a call. Who has room beside what they have (`capacity`) may be offered something while they talk:
what is drawn is the latest, and `back_to_talk` its end while an earlier one goes on.

```mermaid
{activity}
```
"""


def states_page() -> str:
    """The whole page."""
    return _PAGE.format(
        offer=as_mermaid(OFFER_STEPS, OfferState.OFFERED), activity=as_mermaid(ACTIVITY_STEPS, Activity.IDLE)
    )


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "acd_states.md").write_text(states_page())
