"""Who waits in the queues of a simulated floor, so ordered that matching gets what it needs and no more.

As in the store: those who ask for the same are alike, and of them as many as there are free agents are enough. So a
queue of a thousand costs no more than one of ten.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Mapping

from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Moment, Needs, WaitingCall
from cordboard.acd.relaxation import asked_now

_Line = list[tuple[tuple[int, float, str], WaitingCall]]


def _first_of_each(line: _Line, most: int, now: Moment) -> _Line:
    """They have come with the same wishes, but who has waited longer asks for less."""
    found: Counter[Needs] = Counter()
    first = []
    for each in line:
        asked = asked_now(each[1], now)
        found[asked] += 1
        if found[asked] <= most:
            first.append(each)
    return first


class Lines:
    """Those for whom nobody is rung. plan: for how a queue orders its calls."""

    def __init__(self, plan: FloorPlan) -> None:
        self._ageing_s = {name: queue.ageing_s for name, queue in plan.queues.items()}
        self._lines: dict[str, dict[Needs, _Line]] = {}

    def add(self, call: WaitingCall) -> None:
        """Give a caller the place their time and priority have."""
        insort(self._line(call), (self._order(call), call))

    def remove(self, call: WaitingCall) -> None:
        """Take a caller out."""
        line = self._line(call)
        place = bisect_left(line, (self._order(call),))
        assert line[place][1].entry_id == call.entry_id
        del line[place]
        if not line:
            del self._lines[call.queue][call.needs]
        if not self._lines[call.queue]:
            del self._lines[call.queue]

    def queues(self) -> frozenset[str]:
        """In which somebody waits."""
        return frozenset(self._lines)

    def count(self, queue: str) -> int:
        """How many wait in a queue."""
        return sum(len(line) for line in self._lines.get(queue, {}).values())

    def heads(self, queue: str, most: int, now: Moment) -> list[WaitingCall]:
        """Of those who ask for the same now the first `most`, all in their order."""
        lines: Mapping[Needs, _Line] = self._lines.get(queue, {})
        firsts = (
            _first_of_each(line, most, now) if needs.relax or needs.agent or needs.refused else line[:most]
            for needs, line in lines.items()
        )
        return [call for _, call in sorted(each for line in firsts for each in line)]

    def everybody(self) -> Iterator[WaitingCall]:
        """All who wait, in no order."""
        for lines in self._lines.values():
            for line in lines.values():
                yield from (call for _, call in line)

    def _line(self, call: WaitingCall) -> _Line:
        return self._lines.setdefault(call.queue, {}).setdefault(call.needs, [])

    def _order(self, call: WaitingCall) -> tuple[int, float, str]:
        return entry_order(call, self._ageing_s.get(call.queue, 0.0))
