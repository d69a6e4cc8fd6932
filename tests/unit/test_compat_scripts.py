"""Our compat strategies in a real store, on the steps of which it is known whom app_queue rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Row

from cordboard.acd.compat_rules import CompatRules
from cordboard.acd.model import (
    AcceptStep,
    Agent,
    FloorPlan,
    Membership,
    OfferEnd,
    OfferResult,
    Presence,
    Queue,
    RonaPolicy,
    RonaRule,
    Strategy,
)
from cordboard.telephony.ports import AgentLegEvent
from tests.doubles.floor_kit import FloorKit
from tests.doubles.queue_scripts import RING_S, SCRIPTS, Script

TALK_S = 30.0
# app_queue leaves a busy member alone for the rest of the ring, and rings who did not pick up again if they are
# next.
RONA = RonaPolicy(pause_after=0, retry_after_s=0.0, causes={OfferEnd.BUSY: RonaRule("rest", rest_s=RING_S)})


def plan_of(script: Script) -> FloorPlan:
    strategy = cast(Strategy, f"compat:{script.strategy}")
    rules = CompatRules(script.limit, script.autofill)
    names = ("first",) if script.second is None else ("first", "second")
    queues = {
        name: Queue(
            name,
            strategy=strategy,
            ring_s=RING_S,
            wrap_up_s=0.0,
            accept=AcceptStep(key=""),
            rona=RONA,
            compat=rules,
            weight=script.second or 0 if name == "second" else 0,
        )
        for name in names
    }
    agents = {
        member: Agent(
            member,
            member,
            f"Local/{member}@members/n",
            names,
            memberships=dict.fromkeys(names, Membership(penalty=penalty, place=place)),
        )
        for place, (member, penalty) in enumerate(script.members.items())
    }
    return FloorPlan(queues, agents)


class Ours:
    """The script on our store. One worker has all callers."""

    def __init__(self, floor: FloorKit) -> None:
        self.floor = floor
        self.calls: list[str] = []
        for agent in floor.store.plan.agents:
            floor.presence(agent)

    def does(self, step: str) -> str:
        """Whom we ring because of it, in order."""
        before = set(self.floor.offers())
        what, *arguments = step.split()
        cast(Callable[..., None], getattr(self, what))(*arguments)
        self.floor.renew("w1")
        self.floor.sweep()
        self.floor.take("w1", *self.calls)
        return "".join(sorted(row.agent for key, row in self.floor.offers().items() if key not in before))

    def call(self, call: str, queue: str = "first") -> None:
        self.calls.append(call)
        self.floor.enter(call, queue)

    def answer(self, call: str, member: str = "") -> None:
        for kind in ("ringing", "answered", "joined"):
            self.floor.leg(kind, self.ringing(call, member)[0].offer_id)

    def end(self, call: str) -> None:
        self.pass_time(TALK_S)
        self.floor.leg("gone", self.ringing(call)[0].offer_id)

    def busy(self, call: str, member: str = "") -> None:
        offers = self.ringing(call)
        offer = self.ringing(call, member)[0]
        if len(offers) == 1:
            self.floor.settle(call, offer.offer_id, OfferEnd.BUSY)
            return
        told = AgentLegEvent("refused", offer.offer_id, "", "", self.floor.now.wall, result="busy")
        self.floor.do(lambda c: self.floor.store.agent_leg(c, self.floor.now, told))

    def silent(self, call: str) -> None:
        self.pass_time(RING_S)
        now = self.floor.now
        first, *others = (
            OfferResult(offer.offer_id, OfferEnd.NO_ANSWER, None, now.wall) for offer in self.ringing(call)
        )
        self.floor.do(lambda c: self.floor.store.settle(c, now, call, first, True, others))

    def leave(self, call: str) -> None:
        self.floor.leave(call)

    def pause(self, member: str) -> None:
        self.floor.presence(member, Presence.PAUSED)

    def unpause(self, member: str) -> None:
        self.floor.presence(member)

    def wait(self) -> None:
        self.pass_time(2.0)

    def pass_time(self, seconds: float) -> None:
        self.floor.pass_time(seconds)
        self.floor.renew("w1")

    def ringing(self, call: str, member: str = "") -> list[Row[object]]:
        return [
            row
            for row in self.floor.offers().values()
            if row.call_id == call and row.state != "ended" and member in ("", row.agent)
        ]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FloorKit]:
    floor = FloorKit(tmp_path_factory.mktemp("compat") / "cordboard.db")
    yield floor
    floor.close()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_whom_we_ring_is_whom_app_queue_rings(floor: FloorKit, script: Script) -> None:
    floor.clear()
    floor.store.plan = plan_of(script)
    ours = Ours(floor)
    rung = [(step.does, ours.does(step.does)) for step in script.steps]
    assert rung == [
        (step.does, got if got in step.by_us.split("|") else step.by_us)
        for step, (_, got) in zip(script.steps, rung, strict=True)
    ]


def test_what_is_not_the_same_is_said() -> None:
    told = Path("docs/compat.md").read_text(encoding="utf-8")
    for script in SCRIPTS:
        if any(step.ours is not None for step in script.steps):
            assert script.name in told
