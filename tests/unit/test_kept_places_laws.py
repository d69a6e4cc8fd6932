"""The laws of kept places, under anything that may happen in any order, with a restart of the machine in between.

Customers call, step out, ask to be called back, go to another queue, are sent on or out, are cut off, hang up, and
call again; they are dialled, reached or not, and lost. After every step: a promise has one place, which is its own
and never loses its time; whoever calls has the oldest place that is theirs; and nothing but the customer, an agent
or the time brings a promise to its end.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cordboard.acd.model import Agent, FloorPlan, LeftBecause, Moment, OfferEnd, Presence, Queue
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store.acd_values import Entered, Entering
from cordboard.store.boot import forget_other_boots
from cordboard.store.callback_attempts import Attempt, leg_of
from cordboard.store.callbacks import CallbackAsked
from cordboard.telephony.call_id import new_call_id
from tests.doubles.callback_kit import CUT_OFF, NUMBERS, POLICY, RTP_TIMEOUT, CallbackKit
from tests.doubles.databases import empty_database
from tests.doubles.fuzzing import TOTAL, examples
from tests.doubles.rising_ids import rising_ids
from tests.unit.test_acd_store_laws import (
    Seen,
    an_open_offer_is_what_its_agent_does,
    an_open_offer_is_what_its_caller_waits_on,
    every_place_is_left_in_the_ledger_once,
    the_ledger_tells_every_offer_in_order,
)

NORMAL = 16
RULES = (LeftBecause.MAX_WAIT, LeftBecause.EMPTY, LeftBecause.CLOSED, LeftBecause.OVERFLOW)
CUSTOMERS = tuple(NUMBERS[:3])
QUEUES = ("sales", "support", "agents_first")
AGENTS = ("ann", "ben")


def floor_plan() -> FloorPlan:
    """Two queues that dial, of which one sends callers on to the other; and one that rings agents first."""
    sales = Queue("sales", wrap_up_s=5.0, callback=POLICY, cut_off=CUT_OFF)
    steps = (OverflowStep(wait_s=30.0, to="support"),)
    queues = (
        replace(sales, overflow=steps),
        replace(sales, name="support"),
        replace(sales, name="agents_first", callback=replace(POLICY, dial="agent_first")),
    )
    agents = {name: Agent(name, name, f"PJSIP/{name}", QUEUES) for name in AGENTS}
    return FloorPlan({queue.name: queue for queue in queues}, agents)


@cache
def shared_kit(engine: str) -> CallbackKit:
    """One database of a kind for all examples; each begins with empty tables."""
    return CallbackKit(empty_database(engine, Path(tempfile.mkdtemp(prefix="cordboard-kept-"))), floor_plan())


customers = st.sampled_from(CUSTOMERS)
queues = st.sampled_from(QUEUES)
which = st.integers(0, 20)


class PlacesMachine(RuleBasedStateMachine):
    """calls: who is on the phone, by the id of the call; attempts: customers' phones that ring."""

    engine = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.kit = shared_kit(self.engine)
        self.calls: dict[str, str] = {}
        self.attempts: list[Attempt] = []
        self.came: dict[str, float] = {}
        self.rung: Counter[str] = Counter()
        self.steps: dict[str, int] = {}  # of its flow, by call
        self.boots = 0
        self.ids = ExitStack()

    @initialize()
    def begin(self) -> None:
        self.kit.clear()
        self.ids.enter_context(rising_ids(self.kit.now.wall))

    # -- customers --

    @rule(number=customers, queue=queues)
    def calls_in(self, number: str, queue: str) -> None:
        """A new call, perhaps while the last one is not known to be over."""
        self.kit.pass_time(0.01)  # nobody comes at the same moment as somebody else
        call_id = new_call_id()
        self.kit.note_caller(call_id, number)
        theirs = self.place_of(number, queue)
        self.calls[call_id] = number
        self.has(self.enter(call_id, queue), theirs)

    @precondition(lambda self: self.calls)
    @rule(number=which, queue=queues, is_back=st.booleans())
    def comes_again(self, number: int, queue: str, is_back: bool) -> None:
        """From a menu, from another queue, or on another worker."""
        call_id = self.call(number)
        had = [row for row in self.kit.entries() if row.call_id == call_id and row.state not in ("left", "talking")]
        is_here = bool(had) and queue in (had[0].queue, had[0].asked_queue)
        theirs = self.place_of(self.calls[call_id], queue)
        entered = self.enter(call_id, queue, is_back)
        if is_here and had[0].state == "away":
            self.has(entered, had[0])
        elif not is_here and entered.left is None:
            self.has(entered, theirs)

    def has(self, entered: Entered, place: Any) -> None:
        """Whoever has come is in this place, if there is one; or where the rules of its queue have sent them."""
        if place is not None and entered.entry_id != place.entry_id:
            assert self.kit.place(place.entry_id).left_because == "overflow"
            assert entered.entered_at <= place.entered_at

    def enter(self, call_id: str, queue: str, is_back: bool = False) -> Entered:
        """In a new step of its flow; or on another worker, in the same one."""
        now, came_as = self.kit.now, self.steps.get(call_id, 0) if is_back else 0
        step = self.steps[call_id] = self.steps.get(call_id, 0) + 1
        entering = Entering(call_id, f"leg-{call_id}", "asterisk", queue, "en", 0, now.wall, "w1")
        entering = replace(entering, visit=step, came_as=came_as)
        entered = self.kit.do(lambda c: self.kit.store.enter(c, now, entering))
        assert is_back or entered.left is None, "told how another wait has ended"
        return entered

    @precondition(lambda self: self.calls)
    @rule(number=which, for_s=st.sampled_from((5.0, 60.0)))
    def steps_out(self, number: int, for_s: float) -> None:
        call_id, until = self.call(number), self.kit.now.boot + for_s
        self.twice(lambda: self.kit.do(lambda c: self.kit.store.step_out(c, self.kit.now, call_id, until)))

    @precondition(lambda self: self.calls)
    @rule(number=which, queue=queues)
    def asks_to_be_called_back(self, number: int, queue: str) -> None:
        call_id = self.call(number)
        asked = CallbackAsked(call_id, queue, self.calls[call_id], "en", 0, self.kit.now.wall)
        self.twice(lambda: self.kit.do(lambda c: self.kit.callbacks.book(c, self.kit.now, asked))[0])

    @precondition(lambda self: self.calls)
    @rule(number=which, cause=st.sampled_from((NORMAL, RTP_TIMEOUT)), order=st.sampled_from(("a", "b", "ab", "ba")))
    def leaves(self, number: int, cause: int, order: str) -> None:
        """The leg is missed (a), and told with its cause (b), in any order; or one of the two never."""
        call_id = self.call(number)
        tells = {"a": lambda: self.kit.leave(call_id), "b": lambda: self.kit.left(call_id, cause)}
        for one in order:
            self.twice(tells[one])
        del self.calls[call_id]

    @precondition(lambda self: self.calls)
    @rule(number=which, because=st.sampled_from(RULES))
    def is_sent_out(self, number: int, because: LeftBecause) -> None:
        """And the worker dies: whoever has the call next is told the same."""
        call_id = self.call(number)
        waits = [row for row in self.kit.entries() if row.call_id == call_id and row.state == "waiting"]
        if not waits:
            return
        self.kit.pass_time(0.01)
        self.kit.leave(call_id, because)
        back = self.enter(call_id, waits[0].asked_queue or waits[0].queue, is_back=True)
        assert (back.entry_id, back.left) == (waits[0].entry_id, because)

    @rule()
    def rules_are_applied(self) -> None:
        self.kit.renew("w1")
        self.kit.do(lambda c: self.kit.store.review(c, self.kit.now, "w1", list(self.calls)))

    # -- the dialler --

    @rule()
    def dials(self) -> None:
        begun = self.kit.claim().attempts
        for attempt in begun:
            is_counted = attempt.policy.dial == "customer_first"
            self.rung[attempt.callback_id] += is_counted
        self.attempts += begun

    @precondition(lambda self: self.attempts)
    @rule(number=which)
    def is_reached(self, number: int) -> None:
        """The customer picks up; of one who is called through an agent the leg that stands in for them."""
        attempt = self.attempt(number)
        self.kit.note_caller(attempt.call_id, attempt.number)
        wanted = self.kit.do(lambda c: self.kit.callbacks.called_back(c, self.kit.now, attempt.call_id))
        if wanted is not None:
            self.calls[attempt.call_id] = attempt.number
            self.enter(attempt.call_id, attempt.queue)

    @precondition(lambda self: self.attempts)
    @rule(number=which, is_capped=st.booleans())
    def is_not_reached(self, number: int, is_capped: bool) -> None:
        attempt = self.attempt(number)
        had = self.promise(attempt)
        self.twice(
            lambda: self.kit.do(
                lambda c: self.kit.callbacks.attempt_ended(
                    c, self.kit.now, attempt.call_id, "no_answer", counts=not is_capped
                )
            )
        )
        if is_capped and had is not None and had.leg_id == leg_of(attempt.call_id):
            self.rung[attempt.callback_id] -= attempt.policy.dial == "customer_first"
            assert self.promise(attempt).state == "waiting"

    # -- agents --

    @rule(agent=st.sampled_from(AGENTS), presence=st.sampled_from((Presence.AVAILABLE, Presence.PAUSED)))
    def set_presence(self, agent: str, presence: Presence) -> None:
        self.kit.presence(agent, presence)

    @rule(end=st.sampled_from((OfferEnd.SERVED, OfferEnd.NO_ANSWER, OfferEnd.REJECTED)))
    def offers_end(self, end: OfferEnd) -> None:
        self.kit.take("w1", *self.calls)
        for row in self.kit.offers().values():
            if row.state in ("ringing", "answered"):
                joined_at = self.kit.now.wall if end is OfferEnd.SERVED else None
                self.kit.settle(row.call_id, row.offer_id, end, joined_at=joined_at)
                self.kit.leg("gone", row.offer_id)

    # -- time --

    @rule(seconds=st.sampled_from((0.1, 3.0, 31.0, 61.0, 130.0)))
    def time_passes(self, seconds: float) -> None:
        self.kit.pass_time(seconds)
        self.kit.renew("w1")
        self.kit.sweep()

    @rule(seconds=st.sampled_from((1.0, 90.0)))
    def the_machine_is_restarted(self, seconds: float) -> None:
        """Everybody is off the phone. Whoever was promised a call has the promise, and the place; at once, or once
        the switch has said which legs live.
        """
        before = {row.callback_id: row for row in self.kit.promises() if row.state == "waiting"}
        talking = {row.entry_id for row in self.kit.entries() if row.state in ("talking", "left")}
        held = {row.entry_id for row in self.kit.entries() if (row.state, row.kind) == ("away", "cut_off")}
        self.boots += 1
        self.kit.now = Moment(self.kit.now.wall + seconds, 20.0)
        for agent in AGENTS:
            self.kit.presence(agent, Presence.LOGGED_OUT)
        self.kit.do(lambda c: forget_other_boots(c, f"boot {self.boots}"))
        self.kit.sweep()
        self.kit.reconcile()
        assert not self.kit.claim().attempts, "nobody is at work"
        self.kit.do(lambda c: self.kit.callbacks.settle_overdue(c, self.kit.now, set()))
        for row in self.kit.promises():
            old = before.get(row.callback_id)
            if old is None or old.entry_id in talking or row.state == "expired":
                continue
            assert (row.state, row.leg_id) == ("waiting", ""), row
            self.rung[row.callback_id] -= old.leg_id != "" and old.mode == "customer_first"
            place = self.kit.place(row.entry_id)
            assert (place.state, place.kind, place.call_id) == ("away", "callback", row.callback_id)
        assert all(self.kit.place(entry_id).state == "away" for entry_id in held)
        self.calls.clear()
        self.attempts.clear()

    # -- the laws --

    @invariant()
    def the_laws_hold(self) -> None:
        seen = self.kit.do(Seen.read)
        an_open_offer_is_what_its_agent_does(seen)
        an_open_offer_is_what_its_caller_waits_on(seen)
        every_place_is_left_in_the_ledger_once(seen)
        the_ledger_tells_every_offer_in_order(seen)
        for entry in seen.entries:
            assert self.came.setdefault(entry.entry_id, entry.entered_at) == entry.entered_at
        self.a_promise_has_one_place(seen)
        self.only_what_rang_counts()

    def a_promise_has_one_place(self, seen: Seen) -> None:
        live = {entry.entry_id: entry for entry in seen.entries if entry.state != "left"}
        opened = [row for row in self.kit.promises() if row.state == "waiting"]
        assert max(Counter((row.queue, row.party_ref) for row in opened).values(), default=0) <= 1
        assert max(Counter(row.entry_id for row in opened).values(), default=0) <= 1
        owners = {row.entry_id: row for row in opened}
        for entry in live.values():
            if (entry.state, entry.kind) == ("away", "callback") and (
                row := owners.get(entry.entry_id)
            ) is not None:
                assert entry.call_id == row.callback_id or leg_of(entry.call_id) == row.leg_id
                assert entry.held_until is None

    def only_what_rang_counts(self) -> None:
        for row in self.kit.promises():
            if row.mode == "customer_first" and row.state == "waiting":
                assert row.attempts == self.rung[row.callback_id], row

    def teardown(self) -> None:
        """In the end every promise is over, and every place."""
        with self.ids:
            self.all_ends()

    def all_ends(self) -> None:
        for call_id in self.calls:
            self.kit.leave(call_id)
        for row in self.kit.offers().values():
            self.kit.leg("gone", row.offer_id)
        for agent in AGENTS:
            self.kit.presence(agent, Presence.LOGGED_OUT)
        self.kit.pass_time(100.0)
        self.kit.reconcile()
        self.kit.sweep()
        self.kit.do(lambda c: self.kit.callbacks.settle_overdue(c, self.kit.now, set()))
        self.kit.pass_time(POLICY.expires_s + 1)
        self.kit.sweep()
        self.kit.claim()
        assert {row.state for row in self.kit.promises()} <= {"done", "taken", "failed", "expired"}
        assert [row for row in self.kit.entries() if row.state != "left"] == []

    # -- helpers --

    def call(self, number: int) -> str:
        """One of those who are on the phone."""
        return sorted(self.calls)[number % len(self.calls)]

    def attempt(self, number: int) -> Attempt:
        """One of the phones that ring; it rings no more."""
        return self.attempts.pop(number % len(self.attempts))

    def promise(self, attempt: Attempt) -> Any:
        return next((row for row in self.kit.promises() if row.callback_id == attempt.callback_id), None)

    def place_of(self, number: str, queue: str) -> Any:
        """The place that is kept for a customer in a queue: of a promise first, else the oldest."""
        party_ref = self.kit.note_caller(f"who {number}", number)
        away = [row for row in self.kit.entries() if row.state == "away" and row.party_ref == party_ref]
        open_entries = {
            row.entry_id for row in self.kit.promises() if row.state == "waiting" and row.queue == queue
        }
        promised = [row for row in away if row.entry_id in open_entries]
        held = [row for row in away if row.kind in ("cut_off", "hung_up") and queue in (row.queue, row.asked_queue)]
        return next(iter(promised), min(held, key=lambda row: row.stands_at, default=None))

    def twice(self, tell: Callable[[], Any]) -> None:
        """Told again, a fact changes nothing."""
        tell()
        before = [sorted(map(repr, rows)) for rows in (self.kit.entries(), self.kit.promises())]
        tell()
        assert [sorted(map(repr, rows)) for rows in (self.kit.entries(), self.kit.promises())] == before


class PlacesMachineOnPostgres(PlacesMachine):
    """The same, where several machines share the database."""

    engine = "postgresql"


TestPlacesLaws = PlacesMachine.TestCase
TestPlacesLaws.settings = settings(examples(1 / 800), stateful_step_count=50)
TestPlacesLawsOnPostgres = PlacesMachineOnPostgres.TestCase
TestPlacesLawsOnPostgres.settings = settings(
    examples(1), max_examples=max(5, TOTAL // 4_800), stateful_step_count=25
)
