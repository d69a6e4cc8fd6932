"""How long a caller will still wait. Pure: the next minutes of the floor are played many times over, by chance.

In each round the agents at work finish their calls after what such calls take, those ahead of the caller are served
in their order by whoever may serve them, some give up, some who are away come back to their places, and callers of
higher priority come and overtake. When an agent is left for the caller, the round is over. What is told is a wait
that about four in five rounds do not exceed (`at_most_s`): a caller who was told three minutes should be pleased.

`wait_line` builds a `Line` from the floor's state; `store.estimates` asks. The estimate is of a caller who stays.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from cordboard.acd.absences import Absence
from cordboard.acd.handle_times import Handling
from cordboard.acd.told_share import CLAIMED

LONGEST_S = 4 * 3600.0  # then the rounds stop: nobody is told such a figure
WORK = 20_000  # agents and callers gone through for one estimate; takes some 20 ms
ROUNDS_MAX, ROUNDS_MIN = 200, 25
_NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Kind:
    """Callers of one queue with the same requirements. gives_up_per_s: the chance of one of them to hang up in a
    second; overtaken_per_s: callers who come in a second and go before those who wait.
    """

    handle: Handling
    gives_up_per_s: float = 0.0
    overtaken_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Server:
    """An agent. kinds: the numbers of those they may serve; free_in_s: not before. handling: what calls like the
    one in hand take, None if there is none; talked_s: how long that talk has lasted.
    """

    kinds: frozenset[int]
    free_in_s: float = 0.0
    handling: Handling | None = None
    talked_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody ahead who is away. behind: how many of those who wait ahead stand before them."""

    kind: int
    behind: int
    absence: Absence


@dataclass(frozen=True, slots=True)
class Line:
    """The caller at hand is of the kind `own`; ahead: the kinds of those who go first, the very first first.

    away: those who stand ahead and are not there. not_before_s: when the caller will ask for so little that one of
    the agents may serve them.
    """

    kinds: Sequence[Kind]
    servers: Sequence[Server]
    ahead: Sequence[int]
    own: int
    not_before_s: float = 0.0
    away: Sequence[Away] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """likely_s: half of the rounds were shorter; at_most_s: about four in five were. In seconds from now."""

    likely_s: float
    at_most_s: float


def estimate(line: Line, chance: Random, told_share: float = CLAIMED) -> Estimate | None:
    """How long the caller will wait; None if no agent at work may serve them. told_share: of rounds that are not
    longer than what is told.
    """
    if not any(line.own in server.kinds for server in line.servers):
        return None
    rounds = min(ROUNDS_MAX, max(ROUNDS_MIN, WORK // (len(line.servers) + len(line.ahead) + len(line.away) + 1)))
    waits = sorted(_Round(line, chance).wait_s() for _ in range(rounds))
    return Estimate(_quantile(waits, 0.5), _quantile(waits, told_share))


def to_tell(at_most_s: float, told_s: float | None) -> float:
    """What the caller hears: never more than they were told before."""
    return at_most_s if told_s is None else min(at_most_s, told_s)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


class _Round:
    """One play of what may come. Times are seconds from now."""

    def __init__(self, line: Line, chance: Random) -> None:
        self._line = line
        self._chance = chance
        self._free = [(self._free_in_s(server), number) for number, server in enumerate(line.servers)]
        heapq.heapify(self._free)
        self._ahead = self._places()
        self._away = self._returns()
        self._overtakers = 0
        self._overtaken_at = self._next_overtaking(0.0)

    def wait_s(self) -> float:
        """When an agent is left for the caller."""
        while self._free:
            at, number = self._free[0]
            if at >= LONGEST_S:
                break
            kind = self._next_for(self._line.servers[number].kinds, at)
            if kind == self._line.own and not self._overtakers and not self._stands_ahead:
                return max(at, self._line.not_before_s) + self._line.kinds[kind].handle.draw_ring(self._chance)
            if kind is None:
                heapq.heappop(self._free)  # no more work for this agent that concerns the caller
            else:
                self._serve(kind, at, number)
        return LONGEST_S

    def _free_in_s(self, server: Server) -> float:
        if server.handling is None:
            return server.free_in_s
        return max(server.free_in_s, server.handling.draw_left(server.talked_s, self._chance))

    def _places(self) -> dict[int, list[tuple[float, float]]]:
        """The line by kind: place and the moment at which whoever has it gives up; heaps, the first first."""
        places: dict[int, list[tuple[float, float]]] = {}
        for place, kind in enumerate(self._line.ahead):
            places.setdefault(kind, []).append((place, self._after(self._line.kinds[kind].gives_up_per_s)))
        return places

    def _returns(self) -> list[tuple[float, float, int]]:
        """Who comes back: when, to which place, and of which kind; a heap. A place between two others is a half."""
        drawn = ((one.absence.draw_back_s(self._chance), one.behind - 0.5, one.kind) for one in self._line.away)
        returns = [one for one in drawn if one[0] < LONGEST_S]
        heapq.heapify(returns)
        return returns

    def _let_come_back(self, at: float) -> None:
        while self._away and self._away[0][0] <= at:
            back_at, place, kind = heapq.heappop(self._away)
            gives_up_at = back_at + self._after(self._line.kinds[kind].gives_up_per_s)
            heapq.heappush(self._ahead.setdefault(kind, []), (place, gives_up_at))

    def _next_for(self, kinds: frozenset[int], at: float) -> int | None:
        """The kind of who is next for an agent: one ahead, one who overtakes, or the caller (`own`)."""
        self._let_overtake(at)
        self._let_come_back(at)
        self._stands_ahead = False
        first, found = float(len(self._line.ahead)), None
        for kind in kinds:
            line = self._ahead.get(kind)
            while line and line[0][1] <= at:
                heapq.heappop(line)
            if line and line[0][0] < first:
                first, found = line[0][0], kind
        if found is not None:
            self._stands_ahead = True
            return found
        return self._line.own if self._line.own in kinds else None

    def _serve(self, kind: int, at: float, number: int) -> None:
        if self._stands_ahead:
            heapq.heappop(self._ahead[kind])
        else:
            self._overtakers -= 1
        heapq.heapreplace(self._free, (at + self._line.kinds[kind].handle.draw(self._chance), number))

    def _let_overtake(self, at: float) -> None:
        while self._overtaken_at <= at:
            self._overtakers += 1
            self._overtaken_at = self._next_overtaking(self._overtaken_at)

    def _next_overtaking(self, since: float) -> float:
        return since + self._after(self._line.kinds[self._line.own].overtaken_per_s)

    def _after(self, per_s: float) -> float:
        return self._chance.expovariate(per_s) if per_s > 0 else _NEVER
