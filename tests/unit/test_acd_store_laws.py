"""The laws of the ACD's store, under anything that may happen in any order.

Callers come, go and come back on other workers; facts are told twice, late, never, or about what is long over;
workers fall silent and time passes. After every step the database must obey the laws below.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection, select

from cordboard.acd.kpis import kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import RONA, LeftBecause, OfferEnd, OfferState, Presence
from cordboard.store.acd_reads import ledger_rows
from cordboard.store.acd_values import Entering, HeldPlace
from cordboard.store.tables import agent_states, metadata, offers, queue_entries
from cordboard.store.today import Today
from cordboard.telephony.ports import AgentLeg, DeviceState
from tests.doubles.databases import empty_database
from tests.doubles.floor_kit import PLAN, FloorKit
from tests.doubles.fuzzing import TOTAL, examples
from tests.doubles.rising_ids import rising_ids

CALLS = tuple(f"c{number}" for number in range(6))
OWNERS = ("w1", "w2", "w3")
AGENTS = tuple(PLAN.agents)
QUEUES = tuple(PLAN.queues)
ACTIVITY_OF = {"offered": "offered", "ringing": "ringing", "answered": "ringing", "talking": "talking"}

# What the ledger may say of one offer: made, rung, answered, joined, talk ended, served, wrapped up; or ended
# otherwise (and, if it had been given up too early, joined all the same).
LEGAL = re.compile("M(RA?)?(J(T(SW?)?)?|EJ?)?")
LETTERS = {
    "offer_made": "M",
    "offer_ringing": "R",
    "agent_answered": "A",
    "joined": "J",
    "talk_ended": "T",
    "wrap_up_ended": "W",
}

calls = st.sampled_from(CALLS)
agents = st.sampled_from(AGENTS)
which = st.integers(0, 40)  # of the offers there are


@dataclass(frozen=True)
class Seen:
    """Everything the laws are about, at one moment."""

    entries: list[Any]
    offers: list[Any]
    agents: dict[str, Any]
    ledger: list[LedgerRow]

    @classmethod
    def read(cls, connection: Connection) -> Seen:
        return cls(
            list(connection.execute(select(queue_entries))),
            list(connection.execute(select(offers))),
            {row.agent: row for row in connection.execute(select(agent_states))},
            list(ledger_rows(connection)),
        )


def an_open_offer_is_what_its_agent_does(seen: Seen) -> None:
    opened = [offer for offer in seen.offers if offer.state != "ended"]
    assert all(count == 1 for count in Counter(offer.agent for offer in opened).values())
    busy = {name: row for name, row in seen.agents.items() if row.activity not in ("idle", "wrap_up")}
    assert {offer.agent: offer.offer_id for offer in opened} == {name: row.offer_id for name, row in busy.items()}
    for offer in opened:
        assert busy[offer.agent].activity == ACTIVITY_OF[offer.state]


def an_open_offer_is_what_its_caller_waits_on(seen: Seen) -> None:
    opened = Counter(offer.entry_id for offer in seen.offers if offer.state != "ended")
    assert all(count == 1 for count in opened.values())
    unjoined = {offer.entry_id for offer in seen.offers if offer.state in ("offered", "ringing", "answered")}
    for entry in seen.entries:
        assert (entry.state == "offered") == (entry.entry_id in unjoined), entry


def every_place_is_left_in_the_ledger_once(seen: Seen) -> None:
    entered = Counter(row.entry_id for row in seen.ledger if row.kind == "entered_queue")
    left = Counter(row.entry_id for row in seen.ledger if row.kind == "left_queue")
    because = {row.entry_id: row.data["because"] for row in seen.ledger if row.kind == "left_queue"}
    for entry in seen.entries:
        assert entry.left_because == because.get(entry.entry_id)
        assert entered[entry.entry_id] == 1
        assert left[entry.entry_id] == (entry.state in ("talking", "left")), entry


def the_ledger_tells_every_offer_in_order(seen: Seen) -> None:
    told: dict[str, str] = {}
    for row in seen.ledger:
        letter = LETTERS.get(row.kind, "")
        if row.kind == "offer_ended":
            letter = "S" if row.data["end"] == "served" else "E"
        told[row.offer_id] = told.get(row.offer_id, "") + letter
    told.pop("", None)
    for offer_id, story in told.items():
        assert LEGAL.fullmatch(story), (offer_id, story)


def no_wrap_up_is_skipped(seen: Seen, disposed: set[str]) -> None:
    """Between a talk and the next offer an agent wraps up, for the whole time or until they say what came of it."""
    wrapping_up: dict[str, str] = {}
    for row in seen.ledger:
        if row.kind == "offer_made":
            assert row.agent not in wrapping_up, "an offer in the wrap-up"
        elif row.kind == "talk_ended":
            wrapping_up[row.agent] = row.offer_id
        elif row.kind == "wrap_up_ended":
            assert wrapping_up.pop(row.agent) == row.offer_id
            least = 0.0 if row.offer_id in disposed else PLAN.queues[row.queue].wrap_up_s
            assert row.data["wrap_up_s"] >= least - 1e-6
    for agent, offer_id in wrapping_up.items():
        assert (seen.agents[agent].activity, seen.agents[agent].offer_id) == ("wrap_up", offer_id)


@cache
def shared_floor(engine: str) -> FloorKit:
    """One database of a kind for all examples; each begins with empty tables."""
    return FloorKit(empty_database(engine, Path(tempfile.mkdtemp(prefix="cordboard-laws-"))))


class FloorMachine(RuleBasedStateMachine):
    """Random lives of a small floor."""

    engine = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.floor = shared_floor(self.engine)
        self.entered_at: dict[str, float] = {}
        self.disposed: set[str] = set()
        self.today = Today()
        self.ids = ExitStack()

    @initialize()
    def begin(self) -> None:
        self.floor.clear()
        self.ids.enter_context(rising_ids(self.floor.now.wall))  # what is done once more has to come out the same
        for agent in AGENTS:
            self.floor.presence(agent)

    # -- what may happen --

    @rule(
        call=calls,
        queue=st.sampled_from(QUEUES),
        owner=st.sampled_from(OWNERS),
        priority=st.sampled_from((0, 0, 5)),
    )
    def enter(self, call: str, queue: str, owner: str, priority: int) -> None:
        self.floor.enter(call, queue, owner=owner, priority=priority)

    @rule(owner=st.sampled_from(OWNERS), some=st.sets(calls))
    def take_offers(self, owner: str, some: set[str]) -> None:
        self.floor.take(owner, *some)

    @rule(call=calls, because=st.sampled_from(list(LeftBecause)))
    def leave(self, call: str, because: LeftBecause) -> None:
        self.twice(lambda: self.floor.leave(call, because))

    @rule(call=calls, place=which, fence=st.sampled_from((None, 1, 2)))
    def leave_a_stay(self, call: str, place: int, fence: int | None) -> None:
        """Told late, by whoever held it once."""
        stays = [entry.entry_id for entry in self.floor.entries() if entry.call_id == call] or ["nobody's"]
        entry_id = stays[place % len(stays)]
        self.twice(
            lambda: self.floor.do(
                lambda c: self.floor.store.leave(
                    c, self.floor.now, call, LeftBecause.MAX_WAIT, held=HeldPlace(entry_id, fence)
                )
            )
        )

    @rule(call=calls, queue=st.sampled_from(QUEUES), ago_s=st.sampled_from((0.0, 1.0, 30.0)))
    def come_and_go(self, call: str, queue: str, ago_s: float) -> None:
        left_at = self.floor.now.wall - ago_s
        stay = Entering(call, f"leg-{call}", "asterisk", queue, "en", 0, left_at - 1, "w1")
        self.twice(
            lambda: self.floor.do(
                lambda c: self.floor.store.come_and_go(c, self.floor.now, stay, LeftBecause.ABANDONED, left_at)
            )
        )

    @rule(call=calls, queue=st.sampled_from(QUEUES), max_wait_s=st.sampled_from((0.5, 5.0, 60.0)))
    def come_back(self, call: str, queue: str, max_wait_s: float) -> None:
        now = self.floor.now
        back = Entering(call, f"leg-{call}", "asterisk", queue, "en", 0, now.wall, "w1", max_wait_s=max_wait_s)
        entered = self.floor.do(lambda c: self.floor.store.enter(c, now, back))
        (place,) = (entry for entry in self.floor.entries() if entry.entry_id == entered.entry_id)
        assert (place.state == "left") == (entered.left is not None)
        assert place.state == "left" or now.boot - place.entered_boot < max_wait_s
        assert entered.left is None or entered.offer is None

    @rule(which=which, end=st.sampled_from(list(OfferEnd)), talked=st.booleans(), here=st.booleans())
    def settle(self, which: int, end: OfferEnd, talked: bool, here: bool) -> None:
        offer = self.some_offer(which)
        joined_at = self.floor.now.wall - 1 if talked and end is OfferEnd.SERVED else None
        self.twice(lambda: self.floor.settle(offer.call_id, offer.offer_id, end, joined_at=joined_at, here=here))
        if end in RONA and here and offer.state in (OfferState.RINGING, OfferState.ANSWERED):
            self.back_at_the_old_place(offer.entry_id)

    @rule(which=which, kind=st.sampled_from(("ringing", "answered", "joined", "gone")))
    def agent_leg(self, which: int, kind: str) -> None:
        offer = self.some_offer(which)
        self.twice(lambda: self.floor.leg(kind, offer.offer_id))

    @rule(which=which, talk_s=st.sampled_from((0.0, 30.0)))
    def all_goes_well(self, which: int, talk_s: float) -> None:
        offer = self.some_offer(which)
        for kind in ("ringing", "answered", "joined"):
            self.floor.leg(kind, offer.offer_id)
        self.floor.pass_time(talk_s)
        self.twice(lambda: self.floor.leg("gone", offer.offer_id))

    @rule(agent=agents, presence=st.sampled_from((Presence.AVAILABLE, Presence.AVAILABLE, *Presence)))
    def set_presence(self, agent: str, presence: Presence) -> None:
        self.twice(lambda: self.floor.presence(agent, presence))

    @rule(which=which, disposition=st.sampled_from(("", "sold")))
    def dispose(self, which: int, disposition: str) -> None:
        offer = self.some_offer(which)
        if offer.joined_at is not None and (not disposition or offer.queue == "sales"):
            if offer.state == OfferState.ENDED:  # in a talk it ends no wrap-up
                self.disposed.add(offer.offer_id)
            self.twice(lambda: self.floor.dispose(offer.agent, offer.offer_id, disposition))

    @rule(agent=agents, state=st.sampled_from((DeviceState.IDLE, DeviceState.IN_USE, DeviceState.UNAVAILABLE)))
    def device(self, agent: str, state: DeviceState) -> None:
        self.twice(lambda: self.floor.device(PLAN.agents[agent].device, state))

    @rule(
        seconds=st.sampled_from((0.01, 0.2, 0.6, 2.0, 4.0, 25.0)),
        alive=st.sets(st.sampled_from(OWNERS), min_size=2),
    )
    def pass_time(self, seconds: float, alive: set[str]) -> None:
        """Time passes; the workers that live renew their leases."""
        self.floor.pass_time(seconds)
        for owner in alive:
            self.floor.renew(owner)

    @rule()
    def sweep(self) -> None:
        self.twice(self.floor.sweep)
        self.nobody_waits_for_a_free_agent()

    @rule(gone=st.sets(calls, max_size=2), missed=st.sets(which, max_size=2), talk=st.booleans())
    def reconcile(self, gone: set[str], missed: set[int], talk: bool) -> None:
        """The switch has all legs but these; those of agents talk, or do not yet."""
        unlisted = {self.some_offer(number).offer_id for number in missed}
        joined_at = self.floor.now.wall if talk else None
        legs = [
            AgentLeg(each, f"agent-{each}", "", joined_at) for each in self.floor.offers() if each not in unlisted
        ]
        self.twice(lambda: self.floor.reconcile(legs, [f"leg-{call}" for call in CALLS if call not in gone]))

    @rule(calls=st.lists(calls, min_size=2, unique=True))
    def many_come(self, calls: list[str]) -> None:
        for call in calls:
            self.floor.enter(call)

    # -- the laws --

    @invariant()
    def the_laws_hold(self) -> None:
        seen = self.floor.do(Seen.read)
        an_open_offer_is_what_its_agent_does(seen)
        an_open_offer_is_what_its_caller_waits_on(seen)
        self.a_call_has_one_place_and_its_time_never_changes(seen)
        every_place_is_left_in_the_ledger_once(seen)
        the_ledger_tells_every_offer_in_order(seen)
        no_wrap_up_is_skipped(seen, self.disposed)
        self.the_days_figures_are_those_of_the_ledger(seen)

    def a_call_has_one_place_and_its_time_never_changes(self, seen: Seen) -> None:
        live = Counter(entry.call_id for entry in seen.entries if entry.state != "left")
        assert all(count == 1 for count in live.values())
        for entry in seen.entries:
            assert self.entered_at.setdefault(entry.entry_id, entry.entered_at) == entry.entered_at

    def the_days_figures_are_those_of_the_ledger(self, seen: Seen) -> None:
        self.floor.do(lambda c: self.today.read(c, self.floor.now.wall))
        for queue in PLAN.queues.values():
            figures = kpis(seen.ledger, queue)
            day = self.today.queue(queue.name)
            assert (day.offered, len(day.waits)) == (figures.offered, figures.answered)
            assert len(day.patience) == figures.abandoned
            assert day.service_level(queue) == figures.service_level

    def teardown(self) -> None:
        """Everybody goes home: nothing is left."""
        with self.ids:
            self.all_go_home()

    def all_go_home(self) -> None:
        for call in CALLS:
            self.floor.leave(call)
        for offer_id in self.floor.offers():
            self.floor.leg("gone", offer_id)
        self.floor.pass_time(30)
        self.floor.sweep()
        seen = self.floor.do(Seen.read)
        assert {entry.state for entry in seen.entries} <= {"left"}
        assert {offer.state for offer in seen.offers} <= {"ended"}
        assert {agent.activity for agent in seen.agents.values()} <= {"idle"}
        self.the_laws_hold()

    # -- helpers --

    def some_offer(self, number: int) -> Any:
        """Mostly one that is open, if there is one; now and then one that ended long ago."""
        made = list(self.floor.offers().values())
        opened = [offer for offer in made if offer.state != "ended"]
        chosen = opened if opened and number % 4 else made
        return chosen[number % len(chosen)] if chosen else NoOffer

    def twice(self, tell: Callable[[], Any]) -> None:
        """Told again, a fact changes nothing."""
        tell()
        before = self.everything()
        tell()
        assert self.everything() == before

    def everything(self) -> dict[str, list[Any]]:
        tables = metadata.sorted_tables
        return self.floor.do(
            lambda c: {table.name: sorted(map(repr, c.execute(select(table)))) for table in tables}
        )

    def back_at_the_old_place(self, entry_id: str) -> None:
        """Nobody who came later, with no more priority, is before a caller whose phone rang in vain."""
        entries = self.floor.entries()
        (mine,) = (entry for entry in entries if entry.entry_id == entry_id)
        assert mine.state in ("waiting", "offered")
        line = sorted(
            (entry for entry in entries if entry.queue == mine.queue and entry.state in ("waiting", "offered")),
            key=lambda entry: (-entry.priority, entry.entered_at, entry.call_id),
        )
        place = self.floor.do(lambda c: self.floor.store.position(c, mine.call_id))
        assert line.index(mine) + 1 == place

    def nobody_waits_for_a_free_agent(self) -> None:
        snapshot = self.floor.snapshot()
        free = [
            view.name
            for view in snapshot.agents
            if view.presence is Presence.AVAILABLE
            and view.activity == "idle"
            and self.floor.agents()[view.name].blocked_until <= self.floor.now.boot
        ]
        served = {queue for agent in free for queue in PLAN.agents[agent].queues}
        for entry in self.floor.entries():
            if entry.state == "waiting" and entry.lease_until > self.floor.now.boot:
                assert entry.queue not in served


class FloorMachineOnPostgres(FloorMachine):
    """The same, where several machines share the database."""

    engine = "postgresql"


class NoOffer:
    """Where there is no offer yet, its news is nobody's."""

    offer_id = "01NOBODYS0000000000000000X"
    entry_id = call_id = queue = agent = "nobody"
    state = OfferState.ENDED
    joined_at = None


TestFloorLaws = FloorMachine.TestCase
TestFloorLaws.settings = settings(examples(1 / 400), stateful_step_count=60)
TestFloorLawsOnPostgres = FloorMachineOnPostgres.TestCase
TestFloorLawsOnPostgres.settings = settings(
    examples(1), max_examples=max(5, TOTAL // 4_800), stateful_step_count=25
)
