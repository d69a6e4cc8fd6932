"""A simulated floor on which every law of queues is checked after every step, and days made up by chance for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from cordboard.acd.callback_policy import RING_BACK
from cordboard.acd.eligibility import may_have, ruling
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.matching import entry_order
from cordboard.acd.model import FloorPlan, Moment, OfferState, Presence, WaitingCall
from cordboard.acd.relaxation import asked_now
from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.sim.floor_state import Attempt, Caller, Offer
from cordboard.lab.sim.memory_floor import MemoryFloor
from cordboard.lab.sim.scenario import SimDay, parse_day

STRATEGIES = (
    "longest_idle", "fewest_calls", "least_talk_time", "round_robin", "in_order", "random", "weighted_random",
    "ring_all", "top_down", "best_skill",
)  # fmt: skip
NOTICED_S = 0.05
SKILLS = ("spanish", "billing")


class WitnessedFloor(MemoryFloor):
    """Looks at the floor whenever phones are rung, which is after every step."""

    def __init__(self, plan: FloorPlan, seed: int) -> None:
        super().__init__(plan, seed)
        self.steps = self.came_back = 0
        self._since: dict[str, tuple[float, int]] = {}

    def enter(self, now: Moment, caller: Caller, max_wait_s: float | None = None) -> str | None:
        """As before, and whose place is kept has it again, or has waited for too long."""
        kept, told = self._kept_for(caller), len(self.ledger.rows)
        queue = super().enter(now, caller, max_wait_s)
        told_of = {(row.entry_id, row.kind) for row in self.ledger.rows[told:]}
        self.came_back += bool(kept)
        assert not kept or kept & {entry for entry, kind in told_of if kind in ("came_back", "left_queue")}, caller
        return queue

    def _kept_for(self, caller: Caller) -> set[str]:
        """The places that a call may come back to: its own, or one of the same number."""
        policy = self.books.plan.queues[caller.queue].cut_off
        open_ones = {one.place.entry_id for one in self.books.promises.values()}
        away = [one for one in self.books.away.values() if caller.queue in (one.queue, one.asked_queue)]
        own = {one.entry_id for one in away if one.call_id == caller.call_id}
        promised = {one.entry_id for one in away if one.party == caller.number and one.entry_id in open_ones}
        held = {one.entry_id for one in away if one.party == caller.number and one.kind == "cut_off"}
        return own or promised or (held if policy is not None and policy.identity == "number" else set())

    def claim(self, now: Moment) -> list[Attempt]:
        """As before, and nobody is dialled for whom there is no agent at work, or outside the hours. Who was cut
        off is rung for the agent they talked to, whatever that one is at.
        """
        found = super().claim(now)
        at_work = sum(agent.presence is Presence.AVAILABLE for agent in self.books.agents.values())
        assert sum(one.policy is not RING_BACK for one in found) <= at_work
        assert at_work or not found
        for one in found:
            hours = one.policy.hours
            assert hours is None or hours.is_open(datetime.fromtimestamp(now.wall, UTC))
        self._places_are_as_they_were()
        return found

    def take_offers(self, now: Moment) -> list[Offer]:
        """As before, and the laws hold."""
        self.steps += 1
        waiting = list(self.books.lines.everybody())
        for offer in self.books.unrung:
            if offer.state is OfferState.OFFERED:
                self._nobody_is_passed_over(offer, waiting, now)
                self._is_eligible(offer, now)
        self._nobody_waits_for_a_free_agent(waiting, now)
        self._agents_and_offers_agree()
        self._places_are_as_they_were()
        return super().take_offers(now)

    def _is_eligible(self, offer: Offer, now: Moment) -> None:
        call = offer.place.waiting
        assert may_have(self.books.plan.agents[offer.agent], call.queue, asked_now(call, now)), (offer, now)
        assert self.books.agents[offer.agent].presence is Presence.AVAILABLE

    def _nobody_is_passed_over(self, offer: Offer, waiting: Iterable[WaitingCall], now: Moment) -> None:
        """FIFO among those who ask for the same: nobody who stands before the caller still waits."""
        call = offer.place.waiting
        ageing_s = self.books.plan.queues[call.queue].ageing_s
        for other in waiting:
            if other.queue == call.queue and entry_order(other, ageing_s) < entry_order(call, ageing_s):
                is_alike = all(asked_now(other, at) == asked_now(call, at) for at in (now, _just_before(now)))
                assert not is_alike, (other, call)

    def _nobody_waits_for_a_free_agent(self, waiting: Iterable[WaitingCall], now: Moment) -> None:
        """Work conservation, but for what is declared: limits of a queue, and calls kept for an agent."""
        then = _just_before(now)
        agents = self.books.agents.values()
        names = [agent.name for agent in agents if agent.is_ready(now) and agent.is_ready(then)]
        ready = [self.books.plan.agents[name] for name in names]
        at_work = {agent.name for agent in self.books.agents.values() if agent.presence is Presence.AVAILABLE}
        for call in waiting if ready else ():
            limit = self.books.plan.queues[call.queue].at_most
            able = [one for one in ready if call.queue in one.queues]
            if not able or (limit and self._talks(call.queue) >= limit):
                continue
            rules = ruling(call.queue, asked_now(call, then), self.books.plan, at_work)
            assert not [one.name for one in able if rules.allows(one)], (call, able, now)

    def _places_are_as_they_were(self) -> None:
        """Nobody's time or priority changes, whoever has the place; and to those who are away nobody is offered."""
        for place in self.books.places.values():
            call = place.waiting
            since = self._since.setdefault(call.entry_id, (call.entered_at, call.priority))
            assert since == (call.entered_at, call.priority), place
            assert bool(place.offers) == (place.state in ("offered", "talking")), place
        away = {place.entry_id for place in self.books.places.values() if place.state == "away"}
        assert away == self.books.away.keys(), "a place that is kept for nobody, or is not kept"

    def _talks(self, queue: str) -> int:
        return sum(place.queue == queue and bool(place.offers) for place in self.books.places.values())

    def _agents_and_offers_agree(self) -> None:
        opened = [offer for place in self.books.places.values() for offer in place.offers]
        assert len({offer.agent for offer in opened}) == len(opened), "two offers for an agent"
        for offer in opened:
            assert self.books.agents[offer.agent].offer is offer
        for place in self.books.places.values():
            talks = [offer for offer in place.offers if offer.state is OfferState.TALKING]
            assert len(talks) == (place.state == "talking"), place


def _just_before(now: Moment) -> Moment:
    """What time alone makes possible may take so long to be noticed: of several things due at one moment each has
    its turn.
    """
    return Moment(now.wall - NOTICED_S, now.boot - NOTICED_S)


def stories_are_whole(rows: Iterable[LedgerRow]) -> None:
    """Every place is entered once and left once, every caller is joined once at most, and every offer ends."""
    entered: dict[str, float] = {}
    left: dict[str, str] = {}
    joined: set[str] = set()
    open_offers: dict[str, str] = {}
    for row in rows:
        match row.kind:
            case "entered_queue":
                assert entered.setdefault(row.entry_id, row.at) == row.at
            case "left_queue":
                assert row.entry_id not in left
                left[row.entry_id] = row.data["because"]
                assert row.data["wait_s"] == row.at - entered[row.entry_id]
            case "joined":
                assert row.entry_id not in joined and row.entry_id not in left
                joined.add(row.entry_id)
            case "offer_made":
                assert row.agent not in open_offers, "an offer for somebody who has one, or wraps up"
                open_offers[row.agent] = row.offer_id
            case "offer_ended" if row.data["end"] != "served":
                assert open_offers.pop(row.agent) == row.offer_id
            case "wrap_up_ended":
                assert open_offers.pop(row.agent) == row.offer_id
    assert entered.keys() == left.keys(), "a caller was lost"
    assert joined == {entry for entry, because in left.items() if because == "served"}
    assert not open_offers, "an offer never ended"


def promises_are_kept(rows: Iterable[LedgerRow]) -> None:
    """Every promise ends once, and nothing is done for it after that; attempts do not overlap."""
    rows = list(rows)
    open_ones: dict[str, str] = {}  # by promise, what was told of it last
    ended: Counter[str] = Counter()
    for row in rows:
        if not row.kind.startswith("callback_"):
            continue
        promise = row.event_id.partition(":")[0]
        assert not ended[promise], "something of a promise that is over"
        if row.kind == "callback_requested":
            assert open_ones.setdefault(promise, row.kind) == row.kind
        elif row.kind == "callback_dialled":
            assert open_ones[promise] != row.kind, "dialled twice at once"
        elif row.kind == "callback_closed":
            ended[promise] += 1
        open_ones[promise] = row.kind
    assert ended.keys() == open_ones.keys(), "a promise was forgotten"


def made_up_day(seed: int) -> SimDay:
    """A small day by chance: up to three queues, up to ten agents, a busy quarter of an hour."""
    chance = Random(f"day {seed}")
    names = [f"q{number}" for number in range(chance.randint(1, 3))]
    queues = {name: _queue(chance, {"to": names[-1]} if name != names[-1] else {}) for name in names}
    agents = {f"a{number}": _agents(chance, list(queues)) for number in range(chance.randint(1, 4))}
    for number, queue in enumerate(queues):
        agents[f"b{number}"] = {**_agents(chance, [queue]), "times": 1}
    written = {
        "scenario": "made up",
        "lasts_s": 900,
        "queues": queues,
        "callers": [_callers(chance, queues, list(agents)) for _ in range(chance.randint(1, 4))],
        "agents": agents,
    }
    return parse_day(parse_yaml(json.dumps(written).encode(), "made_up.yaml"))


_STEPS_OUT = {"share": 0.4, "after_s": {"mean": 20}, "for_s": {"mean": 30}, "held_for_s": 45}
_CUT_OFF = {"waiting": 0.2, "talking": 0.15, "after_s": {"mean": 20}, "calls_again_after_s": {"mean": 20}}


def _callback(chance: Random) -> dict[str, Any]:
    return {
        "share": 0.5,
        "after_s": chance.choice((10, {"mean": 30})),
        "answers": chance.choice((0.3, 0.9)),
        "answers_after_s": {"least": 1, "most": 12},
        "calls_again": 0.2,
        "calls_again_after_s": {"mean": 60},
    }


def _waiting_rules(chance: Random, strategy: str) -> dict[str, Any]:
    calling = {
        "dial": "customer_first" if strategy == "ring_all" else chance.choice(("customer_first", "agent_first")),
        "attempts": chance.choice((1, 3)),
        "retry_after_s": chance.choice((5, 60)),
        "expires_s": chance.choice((60, 600)),
        "ring_s": chance.choice((5, 20)),
    }
    hours = {"zone": "UTC", "week": {"mon": chance.choice(("8:00-8:09", "8:03-9:00"))}}
    return {
        **chance.choice(({}, {"callback": calling}, {"callback": {**calling, "hours": hours}})),
        **chance.choice(({}, {"cut_off": {"hold_s": 40, "ring_back": chance.random() < 0.6, "agent_s": 20}})),
        **chance.choice(({}, {}, {"hours": {**hours, "at_closing": chance.choice(("serve", "send_out"))}})),
        **chance.choice(({}, {}, {"max_waiting": 5})),
        **chance.choice(({}, {}, {"join_when_empty": "strict"}, {"leave_when_empty": ["paused", "in_use"]})),
    }


def _queue(chance: Random, onward: dict[str, str]) -> dict[str, Any]:
    strategy = chance.choice(STRATEGIES)
    return {
        "strategy": strategy,
        "ring_s": chance.choice((5, 15)),
        "max_wait_s": chance.choice((60, 600)),
        "wrap_up": {"s": chance.choice((0, 20))},
        "weight": chance.choice((0, 0, 3)),
        "rona": {"pause_after": chance.choice((0, 2)), "retry_after_s": chance.choice((0, 3))},
        **chance.choice(({}, {"accept": "none"})),
        **chance.choice(({}, {}, {"at_most": 2})),
        **chance.choice(({}, {}, {"ageing_s": 30})),
        **chance.choice(({}, {}, {"not_again_s": 25.5})),
        **_waiting_rules(chance, strategy),
        **chance.choice(({}, {}, {"overflow": [{"position": 3, "wait_s": 10}, {"wait_s": 40, **onward}]})),
    }


def _agents(chance: Random, queues: list[str]) -> dict[str, Any]:
    return {
        "times": chance.randint(1, 3),
        "queues": chance.sample(queues, chance.randint(1, len(queues))),
        "skills": {skill: chance.randint(1, 5) for skill in SKILLS if chance.random() < 0.5},
        "talks_s": chance.choice(({"mean": 60}, {"median": 90, "p90": 200}, 45)),
        "answers_after_s": {"least": 0, "most": 8},
        "misses": chance.choice((0.0, 0.2)),
        "does": chance.choice(("answers", ["answers", "rejects", "busy", "answers"], ["declines", "answers"])),
        **chance.choice(({}, {"works": "08:03-08:13"}, {"pauses": [{"at": "08:05", "for_s": 200}]})),
    }


def _callers(chance: Random, queues: dict[str, dict[str, Any]], agents: list[str]) -> dict[str, Any]:
    queue = chance.choice(list(queues))
    needs = {
        "require": {chance.choice(SKILLS): chance.randint(1, 4)},
        "relax": [{"after_s": 20, "lower": {"spanish": 1, "billing": 1}}, {"after_s": 45.5, "drop": list(SKILLS)}],
    }
    return {
        "queue": queue,
        **chance.choice(({"calls_h": {"08:00": chance.choice((60, 200))}}, {"times": 60, "every_s": 7.5})),
        "patience_s": chance.choice(({"mean": 60}, 30, {"mean": 300})),
        "priority": chance.choice((0, 0, 5)),
        **chance.choice(({}, needs)),
        **chance.choice(({}, {}, {"agent": chance.choice(agents), "agent_s": 15})),
        **chance.choice(({}, {"steps_out": _STEPS_OUT})),
        **chance.choice(({}, {"cut_off": _CUT_OFF})),
        **({"callback": _callback(chance)} if "callback" in queues[queue] else {}),
    }
