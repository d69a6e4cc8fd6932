"""How often numbers outside may be called: by one caller, and by one flow, within a time. No clock of its own.

Asked by the conversations of a worker before such a number is rung, and by its dialler, for which a queue counts as
a flow does, and the customer as a caller. It is the last line against toll fraud: of a flow that can be made to
call expensive numbers over and over, a few calls are left. Emergency calls neither count nor are held up. Each
worker counts its own calls, so with several workers that many times as much may go through.
"""

from __future__ import annotations

from collections import OrderedDict, deque

import structlog

from cordboard.config.outside_section import Cap, Outside
from cordboard.telephony.call import Call
from cordboard.telephony.verbs import Dial, OutsideNumber, Transfer

MAX_KEPT = 10_000  # callers and flows remembered; beyond that, those whose last such call is longest ago are not

_log = structlog.get_logger()


class OutsideCaps:
    """The counters of one worker."""

    def __init__(self) -> None:
        self._outside: Outside | None = None
        self._made: OrderedDict[str, deque[float]] = OrderedDict()

    def use(self, outside: Outside | None) -> None:
        """Count by these settings from now on; what was counted still counts. None: nothing outside is rung."""
        self._outside = outside

    def allow(self, call: Call, flow: str, verb: Dial | Transfer, now_s: float) -> bool:
        """Whether these numbers may be rung now; counts them if so. now_s: of any clock that only goes forward.

        Callers without a number share one count.
        """
        count = sum(isinstance(one, OutsideNumber) and not one.is_emergency for one in _targets(verb))
        if not count:
            return True
        return self._count(count, now_s, f"caller {call.ani}", f"flow {flow}", call_id=call.call_id, flow=flow)

    def allow_callback(self, number: str, queue: str, call_id: str, now_s: float) -> bool:
        """Whether a customer may be rung now who is to be called back; counts it if so. As `allow`."""
        return self._count(1, now_s, f"caller {number}", f"queue {queue}", call_id=call_id, queue=queue)

    def _count(self, count: int, now_s: float, who: str, what: str, **about: str) -> bool:
        """who, what: the keys that are counted, by one caller and by one flow."""
        if self._outside is None:
            return False
        caps = ((who, self._outside.per_caller), (what, self._outside.per_flow))
        for key, cap in caps:
            if self._recent(key, cap, now_s) + count > cap.calls:
                _log.error("outside_cap_reached", cap=key.partition(" ")[0], calls=cap.calls, **about)
                return False
        for key, cap in caps:
            self._note(key, cap, now_s, count)
        return True

    def _recent(self, key: str, cap: Cap, now_s: float) -> int:
        return sum(at > now_s - cap.within_s for at in self._made.get(key, ()))

    def _note(self, key: str, cap: Cap, now_s: float, count: int) -> None:
        made = self._made.setdefault(key, deque())
        while made and made[0] <= now_s - cap.within_s:
            made.popleft()
        made.extend([now_s] * count)
        self._made.move_to_end(key)
        while len(self._made) > MAX_KEPT:
            self._made.popitem(last=False)


def _targets(verb: Dial | Transfer) -> tuple[object, ...]:
    return verb.targets if isinstance(verb, Dial) else (verb.destination,)
