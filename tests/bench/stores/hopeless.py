"""What matching costs where it can do nothing: everybody is free, all queues are full, and nobody may have a call.

    python -m tests.bench.stores.hopeless [looks]

Prints the processor time of each kind of transaction, as it grows with how many different things callers of a queue
ask for. Only the ACD's part is measured, in one process, without the waiting for the disk.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cordboard.acd.model import Moment, Presence
from cordboard.store.acd_store import AcdStore
from cordboard.store.database import open_database
from cordboard.telephony.needs import Needs
from tests.bench.stores.big_floor import OWNER, BigFloor, entering

FLOOR = BigFloor(queues=2_000, agents=1_000, waiting=10_000)
LOOKS = 300
KINDS = (1, 5)  # different things that the callers of a queue ask for
START = Moment(1_795_000_000.0, 1_000.0)
MISSING = "latin"  # a skill nobody has


class HopelessFloor:
    """The store, and the moment it is now."""

    def __init__(self, path: Path, kinds: int) -> None:
        self._engine = open_database(path)
        self._store = AcdStore(FLOOR.plan)
        self._now = START
        self._fill(kinds)

    def _fill(self, kinds: int) -> None:
        with self._engine.begin() as connection:
            for number in range(FLOOR.waiting):
                queue = FLOOR.queue_names[number % FLOOR.queues]
                needs = Needs(require=((MISSING, 1 + number // FLOOR.queues % kinds),))
                self._store.enter(connection, self._now, entering(queue, self._now.wall, needs))
            for agent in FLOOR.agent_names:
                self._store.set_presence(connection, self._now, agent, Presence.AVAILABLE)

    def look(self) -> float:
        """What the service does each second; seconds of processor time."""
        return self._timed(lambda c: self._store.sweep(c, self._now))

    def come(self, agent: str) -> float:
        """An agent ends a pause."""
        self._timed(lambda c: self._store.set_presence(c, self._now, agent, Presence.PAUSED, "break"))
        return self._timed(lambda c: self._store.set_presence(c, self._now, agent, Presence.AVAILABLE))

    def _timed(self, work: Callable[..., object]) -> float:
        self._now = Moment(self._now.wall + 1.0, self._now.boot + 1.0)
        with self._engine.begin() as connection:
            self._store.renew(connection, self._now, OWNER)
            began = time.process_time()
            work(connection)
            return time.process_time() - began


def told(what: str, took_s: Sequence[float]) -> str:
    """Median and 99th of a hundred, in milliseconds."""
    in_order = sorted(took_s)
    p50, p99 = (in_order[math.ceil(len(in_order) * share) - 1] * 1000 for share in (0.5, 0.99))
    return f"{what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms of {len(in_order)}"


def main(count: int = LOOKS) -> None:
    """Measure and print."""
    for kinds in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            floor = HopelessFloor(Path(folder) / "cordboard.db", kinds)
            print(f"callers of a queue ask for {kinds} different things")
            print(told("  the first look", [floor.look()]))
            print(told("  a look", [floor.look() for _ in range(count)]))
            print(told("  an agent comes", [floor.come(agent) for agent in FLOOR.agent_names[:count]]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
