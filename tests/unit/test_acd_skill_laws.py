"""The laws of routing by skills, on the real store, under anything that may happen in any order.

Nobody is offered a call they may not have; nobody who could serve a waiting call is idle; of callers who ask for
the same, who stands first goes first; every step of a relaxation fires at its second and once; no queue has more
calls with an agent than it may.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cordboard.acd.eligibility import may_have, ruling
from cordboard.acd.matching import entry_order
from cordboard.acd.model import (
    Agent,
    FloorPlan,
    Membership,
    Needs,
    OfferEnd,
    Presence,
    Queue,
    RelaxStep,
    RonaPolicy,
)
from cordboard.acd.needs_json import asks_as_json
from cordboard.acd.relaxation import asked_now, needs_after
from cordboard.store.acd_matching import at_work
from cordboard.store.acd_needs import waiting_call
from cordboard.store.turn import Turn
from cordboard.telephony.needs import next_change_s, with_defaults
from cordboard.telephony.ports import DeviceState
from tests.doubles.floor_kit import FloorKit
from tests.doubles.fuzzing import examples

NO_REST = RonaPolicy(pause_after=0, retry_after_s=1.0)
SKILLS: dict[str, dict[str, int]] = {
    "alice": {"spanish": 5, "billing": 1},
    "bob": {"spanish": 2},
    "carol": {"billing": 4},
    "dan": {},
}
QUEUES = {
    "sales": Queue("sales", wrap_up_s=0.0, rona=NO_REST, strategy="round_robin", not_again_s=6.5),
    "vip": Queue("vip", wrap_up_s=2.0, rona=NO_REST, weight=3, strategy="best_skill"),
    "few": Queue("few", wrap_up_s=0.0, rona=NO_REST, at_most=1, strategy="random"),
    "aged": Queue("aged", wrap_up_s=0.0, rona=NO_REST, ageing_s=10.0, needs=Needs((("spanish", 1),))),
}
SERVE = {
    "alice": ("sales", "vip", "few", "aged"),
    "bob": ("sales", "aged"),
    "carol": ("sales", "few"),
    "dan": ("vip",),
}
PLAN = FloorPlan(
    queues=QUEUES,
    agents={
        name: Agent(
            name,
            name,
            f"PJSIP/{1001 + place}",
            SERVE[name],
            skills=skills,
            memberships={queue: Membership(place=place) for queue in SERVE[name]},
        )
        for place, (name, skills) in enumerate(SKILLS.items())
    },
)
CALLS = tuple(f"c{number}" for number in range(7))
NEEDS = (
    Needs(),
    Needs((("spanish", 3),), relax=(RelaxStep(5.0, lower=(("spanish", 1),)), RelaxStep(9.0, drop=("spanish",)))),
    Needs((("billing", 2),), prefer=(("spanish", 1),), relax=(RelaxStep(4.0, swap=(("billing", "spanish"),)),)),
    Needs((("spanish", 1),), relax=(RelaxStep(6.0, require=(("billing", 1),)),)),
    Needs(agent="bob", agent_s=5.0),
    Needs((("spanish", 9),)),
    Needs(exclude=("alice", "dan")),
)
calls = st.sampled_from(CALLS)
agents = st.sampled_from(tuple(PLAN.agents))
which = st.integers(0, 30)


@cache
def shared_floor() -> FloorKit:
    """One database for all examples; each begins with empty tables."""
    return FloorKit(Path(tempfile.mkdtemp(prefix="cordboard-skills-")) / "cordboard.db", PLAN)


class SkillMachine(RuleBasedStateMachine):
    """Random lives of a floor with skills."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = shared_floor()
        self.needs: dict[str, Needs] = {}
        self.judged: set[str] = set()

    @initialize(present=st.sets(agents, max_size=2))
    def begin(self, present: set[str]) -> None:
        self.floor.clear()
        for agent in sorted(present):
            self.floor.presence(agent)

    # -- what may happen --

    @rule(
        some=st.lists(calls, min_size=2, max_size=4, unique=True),
        queue=st.sampled_from(tuple(QUEUES)),
        needs=st.sampled_from(NEEDS),
        priority=st.sampled_from((0, 0, 2)),
    )
    def enter(self, some: list[str], queue: str, needs: Needs, priority: int) -> None:
        """Callers who ask for the same come one after the other."""
        for call in some:
            entered = self.floor.enter(call, queue, needs=needs, priority=priority)
            self.needs.setdefault(entered.entry_id, with_defaults(needs, QUEUES[queue].needs))
            self.floor.pass_time(0.01)
            self.floor.sweep()

    @rule(call=calls)
    def leave(self, call: str) -> None:
        self.floor.leave(call)

    @rule(agent=agents, presence=st.sampled_from((Presence.AVAILABLE, Presence.AVAILABLE, Presence.PAUSED)))
    def presence(self, agent: str, presence: Presence) -> None:
        self.floor.presence(agent, presence)

    @rule(agent=agents, state=st.sampled_from((DeviceState.IDLE, DeviceState.IN_USE, DeviceState.UNAVAILABLE)))
    def device(self, agent: str, state: DeviceState) -> None:
        self.floor.device(PLAN.agents[agent].device, state)

    @rule(which=which, end=st.sampled_from((OfferEnd.NO_ANSWER, OfferEnd.FAILED, OfferEnd.WITHDRAWN)))
    def fails(self, which: int, end: OfferEnd) -> None:
        if offer := self.open_offer(which):
            self.floor.settle(offer.call_id, offer.offer_id, end)

    @rule(which=which, talk_s=st.sampled_from((0.0, 1.0, 20.0)))
    def talks(self, which: int, talk_s: float) -> None:
        if offer := self.open_offer(which):
            for kind in ("ringing", "answered", "joined"):
                self.floor.leg(kind, offer.offer_id)
            self.pass_time(talk_s)
            self.floor.leg("gone", offer.offer_id)

    @rule(seconds=st.sampled_from((0.1, 1.0, 2.5, 5.0)))
    def pass_time(self, seconds: float) -> None:
        """Time passes; phones ring, workers live, and somebody looks at what is due."""
        self.floor.take("w1", *CALLS)
        self.floor.pass_time(seconds)
        self.floor.renew("w1")
        self.floor.sweep()

    @rule(seconds=st.sampled_from((2.0, 2.9)))
    def pass_more_time(self, seconds: float) -> None:
        """Else hardly anybody would wait for long."""
        self.pass_time(seconds)

    # -- the laws --

    @invariant()
    def the_laws_hold(self) -> None:
        waiting = [row for row in self.floor.entries() if row.state == "waiting"]
        self.nobody_idle_could_serve_who_waits(waiting)
        self.floor.sweep()  # what was distrusted may be trusted again: that is looked at once a second
        entries = {row.entry_id: row for row in self.floor.entries()}
        self.nobody_was_offered_what_they_may_not_have(entries)
        self.no_step_fires_early_or_twice(entries)
        waiting = [row for row in entries.values() if row.state == "waiting"]
        self.callers_are_grouped_by_what_they_ask_now(waiting)
        self.nobody_idle_could_serve_who_waits(waiting)
        self.no_queue_has_more_than_it_may()

    def nobody_was_offered_what_they_may_not_have(self, entries: dict[str, Any]) -> None:
        for row in self.floor.ledger("offer_made"):
            if row.offer_id not in self.judged:
                self.judged.add(row.offer_id)
                entry = entries[row.entry_id]
                asked = needs_after(self.needs[row.entry_id], row.at - entry.entered_at)
                assert may_have(PLAN.agents[row.agent], row.queue, asked), (row.agent, asked)
                if row.at == self.floor.now.wall:
                    self.nobody_like_them_stood_before(entry, entries)

    def nobody_like_them_stood_before(self, offered: Any, entries: dict[str, Any]) -> None:
        for other in entries.values():
            is_alike = (other.state, other.queue, other.asks) == ("waiting", offered.queue, offered.asks)
            if is_alike and other.lease_until > self.floor.now.boot and offered.state == "offered":
                assert self.order(offered) < self.order(other), (offered, other)

    def order(self, entry: Any) -> tuple[int, float, str]:
        return entry_order(waiting_call(entry), QUEUES[entry.queue].ageing_s)

    def no_step_fires_early_or_twice(self, entries: dict[str, Any]) -> None:
        told = Counter(row.entry_id for row in self.floor.ledger("needs_relaxed"))
        for entry_id, count in told.items():
            needs, entry = self.needs[entry_id], entries[entry_id]
            due, waited = 0, 0.0
            while (next_s := next_change_s(needs, waited)) is not None and (
                entry.entered_at + next_s <= self.floor.now.wall + 1e-6
            ):
                due, waited = due + 1, next_s
            assert count <= due, (needs, count, due)

    def callers_are_grouped_by_what_they_ask_now(self, waiting: list[Any]) -> None:
        for entry in waiting:
            assert entry.asks == asks_as_json(asked_now(waiting_call(entry), self.floor.now))
            assert replace(waiting_call(entry).needs, refused=()) == self.needs[entry.entry_id]

    def nobody_idle_could_serve_who_waits(self, waiting: list[Any]) -> None:
        working = self.floor.do(lambda c: at_work(Turn(c, self.floor.now, PLAN)))
        busy = Counter(row.queue for row in self.floor.offers().values() if row.state != "ended")
        idle = self.idle() if waiting else []
        for entry in waiting:
            at_most = QUEUES[entry.queue].at_most
            if (at_most and busy[entry.queue] >= at_most) or entry.lease_until <= self.floor.now.boot:
                continue
            asked = asked_now(waiting_call(entry), self.floor.now)
            rules = ruling(entry.queue, asked, PLAN, working)
            able = [agent.name for agent in idle if entry.queue in agent.queues and rules.allows(agent)]
            assert not able, (entry, able)

    def idle(self) -> list[Agent]:
        rows = self.floor.agents()
        free = (
            view.name
            for view in self.floor.snapshot().agents
            if view.presence is Presence.AVAILABLE and view.activity == "idle"
        )
        return [PLAN.agents[name] for name in free if rows[name].blocked_until <= self.floor.now.boot]

    def no_queue_has_more_than_it_may(self) -> None:
        busy = Counter(row.queue for row in self.floor.offers().values() if row.state != "ended")
        assert all(count <= QUEUES[queue].at_most for queue, count in busy.items() if QUEUES[queue].at_most)

    # -- helpers --

    def open_offer(self, number: int) -> Any:
        opened = [offer for offer in self.floor.offers().values() if offer.state != "ended"]
        return opened[number % len(opened)] if opened else None


TestSkillLaws = SkillMachine.TestCase
TestSkillLaws.settings = settings(examples(1 / 240), stateful_step_count=15)


def test_the_machine_has_needs_that_are_met_late() -> None:
    """Else nothing above would be seen."""
    late = replace(NEEDS[1], relax=NEEDS[1].relax[:1])
    assert not may_have(PLAN.agents["bob"], "sales", needs_after(late, 4.9))
    assert may_have(PLAN.agents["bob"], "sales", needs_after(late, 5.0))
