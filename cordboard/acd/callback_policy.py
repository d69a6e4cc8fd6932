"""What a queue says about calling people back, and about calls that were cut off.

Plain values, parts of `model.Queue`; read from `queues.yaml` by `written_callbacks`. What follows from them is
worked out in `callbacks` and `cut_off`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cordboard.config.opening_hours import OpeningHours

DialMode = Literal["customer_first", "agent_first"]
HeldFor = Literal["number", "confirmed"]


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """How a queue calls people back.

    dial: who is rung first; flow: what a customer goes through who has picked up, "" for straight into the queue.
    ring_s: how long their phone rings; detect_machines: hang up on what sounds like an answering machine.
    attempts: at most; retry_after_s: from the end of one to the next at least; expires_s: from the promise until it
    is given up; hours: when customers are called, None for always.
    """

    dial: DialMode = "customer_first"
    flow: str = ""
    ring_s: float = 25.0
    detect_machines: bool = True
    attempts: int = 3
    retry_after_s: float = 900.0
    expires_s: float = 14_400.0
    hours: OpeningHours | None = None


RING_BACK = CallbackPolicy(
    ring_s=25.0, detect_machines=False, attempts=2, retry_after_s=15.0, expires_s=180.0
)  # of who was cut off while talking, whatever the queue says of callbacks


@dataclass(frozen=True, slots=True)
class CutOffPolicy:
    """What becomes of calls that end without anybody having hung up.

    hold_s: how long the place of one who waited is kept, 0.0 for not at all; ring_back: whether one who talked is
    called; agent_s: how long that call is kept for the agent they talked to; causes: the Q.850 numbers that count
    as cut off. identity: for whom places are held: who calls from the same `number`, or only who is `confirmed`; a
    place with a confirmed identity is held for that one alone, either way.
    """

    hold_s: float = 0.0
    ring_back: bool = False
    agent_s: float = 30.0
    causes: frozenset[int] = frozenset()
    identity: HeldFor = "number"
