"""A simulated floor on which every law of queues is checked after every step, and days made up by chance for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from cordboard.acd.eligibility import may_have, ruling
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.matching import entry_order
from cordboard.acd.model import Moment, OfferState, Presence, WaitingCall
from cordboard.acd.relaxation import asked_now
from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.sim.floor_state import Offer
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

    steps = 0

    def take_offers(self, now: Moment) -> list[Offer]:
        """As before, and the laws hold."""
        self.steps += 1
        waiting = list(self.lines.everybody())
        for offer in self._unrung:
            if offer.state is OfferState.OFFERED:
                self._nobody_is_passed_over(offer, waiting, now)
                self._is_eligible(offer, now)
        self._nobody_waits_for_a_free_agent(waiting, now)
        self._agents_and_offers_agree()
        return super().take_offers(now)

    def _is_eligible(self, offer: Offer, now: Moment) -> None:
        call = offer.place.waiting
        assert may_have(self.plan.agents[offer.agent], call.queue, asked_now(call, now)), (offer, now)
        assert self.agents[offer.agent].presence is Presence.AVAILABLE

    def _nobody_is_passed_over(self, offer: Offer, waiting: Iterable[WaitingCall], now: Moment) -> None:
        """FIFO among those who ask for the same: nobody who stands before the caller still waits."""
        call = offer.place.waiting
        ageing_s = self.plan.queues[call.queue].ageing_s
        for other in waiting:
            is_alike = all(asked_now(other, at) == asked_now(call, at) for at in (now, _just_before(now)))
            if is_alike and other.queue == call.queue:
                assert entry_order(other, ageing_s) > entry_order(call, ageing_s), (other, call)

    def _nobody_waits_for_a_free_agent(self, waiting: Iterable[WaitingCall], now: Moment) -> None:
        """Work conservation, but for what is declared: limits of a queue, and calls kept for an agent."""
        then = _just_before(now)
        ready = [agent.name for agent in self.agents.values() if agent.is_ready(now) and agent.is_ready(then)]
        at_work = {agent.name for agent in self.agents.values() if agent.presence is Presence.AVAILABLE}
        for call in waiting if ready else ():
            needs, limit = asked_now(call, then), self.plan.queues[call.queue].at_most
            rules = ruling(call.queue, needs, self.plan, at_work)
            if limit and self._talks(call.queue) >= limit:
                continue
            able = [one for one in (self.plan.agents[name] for name in ready) if call.queue in one.queues]
            assert not [one.name for one in able if rules.allows(one)], (call, able, now)

    def _talks(self, queue: str) -> int:
        return sum(place.queue == queue and bool(place.offers) for place in self.places.values())

    def _agents_and_offers_agree(self) -> None:
        opened = [offer for place in self.places.values() for offer in place.offers]
        assert len({offer.agent for offer in opened}) == len(opened), "two offers for an agent"
        for offer in opened:
            assert self.agents[offer.agent].offer is offer
        for place in self.places.values():
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
        "callers": [_callers(chance, list(queues), list(agents)) for _ in range(chance.randint(1, 4))],
        "agents": agents,
    }
    return parse_day(parse_yaml(json.dumps(written).encode(), "made_up.yaml"))


def _queue(chance: Random, onward: dict[str, str]) -> dict[str, Any]:
    return {
        "strategy": chance.choice(STRATEGIES),
        "ring_s": chance.choice((5, 15)),
        "max_wait_s": chance.choice((60, 600)),
        "wrap_up": {"s": chance.choice((0, 20))},
        "weight": chance.choice((0, 0, 3)),
        "rona": {"pause_after": chance.choice((0, 2)), "retry_after_s": chance.choice((0, 3))},
        **chance.choice(({}, {"accept": "none"})),
        **chance.choice(({}, {}, {"at_most": 2})),
        **chance.choice(({}, {}, {"ageing_s": 30})),
        **chance.choice(({}, {}, {"not_again_s": 25.5})),
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


def _callers(chance: Random, queues: list[str], agents: list[str]) -> dict[str, Any]:
    needs = {
        "require": {chance.choice(SKILLS): chance.randint(1, 4)},
        "relax": [{"after_s": 20, "lower": {"spanish": 1, "billing": 1}}, {"after_s": 45.5, "drop": list(SKILLS)}],
    }
    return {
        "queue": chance.choice(queues),
        **chance.choice(({"calls_h": {"08:00": chance.choice((60, 200))}}, {"times": 60, "every_s": 7.5})),
        "patience_s": chance.choice(({"mean": 60}, 30, {"mean": 300})),
        "priority": chance.choice((0, 0, 5)),
        **chance.choice(({}, needs)),
        **chance.choice(({}, {}, {"agent": chance.choice(agents), "agent_s": 15})),
    }
