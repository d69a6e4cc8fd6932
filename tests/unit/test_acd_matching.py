"""Who gets which call, and why: the laws of matching, and its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.acd.availability import is_free
from cordboard.acd.matching import Circumstances, entry_order, match
from cordboard.acd.model import (
    Activity,
    AgentState,
    FloorPlan,
    Match,
    Membership,
    Memory,
    Needs,
    Presence,
    Queue,
    RelaxStep,
    WaitingCall,
)
from cordboard.telephony.ports import DeviceState
from tests.doubles.matching_kit import NOW, free_agent, plan_of, waiting


def pairs(matches: Sequence[Match]) -> list[tuple[str, str]]:
    return [(found.call.call_id, found.agent) for found in matches]


# in words

SALES = plan_of({"alice": "sales", "bob": "sales"})


def test_the_agent_free_longest_takes_the_first_caller_and_the_reason_says_so() -> None:
    calls = {"sales": [waiting("c1", "sales", wait_s=75), waiting("c2", "sales", wait_s=40)]}
    first, second = match(calls, [free_agent("bob", 10), free_agent("alice", 192)], SALES, NOW)
    assert (first.call.call_id, first.agent) == ("c1", "alice")
    assert first.reason == (
        "alice has been free longest (3 min 12 s) of 2 free agents of sales; "
        "the caller was first of 2 (for 1 min 15 s)"
    )
    assert second.reason == (
        "bob was the only free agent of sales (for 10 s); the caller was the only one waiting (for 40 s)"
    )


def test_the_reason_tells_a_priority_that_counted() -> None:
    calls = {"sales": [waiting("gold", "sales", 5, priority=10), waiting("c2", "sales", 300)]}
    (found,) = match(calls, [free_agent("bob")], SALES, NOW)
    assert found.call.call_id == "gold"
    assert found.reason.endswith("the caller was first of 2 (for 5 s), with priority 10")


def test_the_reason_counts_callers_that_were_not_handed_in() -> None:
    (found,) = match(
        {"sales": [waiting("c1", "sales")]}, [free_agent("bob")], SALES, NOW, Circumstances(waiting={"sales": 40})
    )
    assert "first of 40" in found.reason


# rules

CROSS = plan_of({"alice": "sales support", "bob": "support"})


def test_across_queues_the_head_that_waited_longest_goes_first() -> None:
    calls = {"sales": [waiting("s", "sales", 20)], "support": [waiting("u", "support", 90)]}
    assert pairs(match(calls, [free_agent("alice")], CROSS, NOW)) == [("u", "alice")]


def test_priority_counts_within_its_queue_only() -> None:
    calls = {"sales": [waiting("s", "sales", 20, priority=99)], "support": [waiting("u", "support", 90)]}
    assert pairs(match(calls, [free_agent("alice")], CROSS, NOW)) == [("u", "alice")]


def test_a_caller_nobody_can_serve_holds_up_nobody() -> None:
    calls = {"sales": [waiting("s", "sales", 900)], "support": [waiting("u", "support", 1)]}
    assert pairs(match(calls, [free_agent("bob")], CROSS, NOW)) == [("u", "bob")]


def test_a_queue_whose_agents_another_queue_took_is_left_waiting() -> None:
    calls = {"sales": [waiting("s", "sales", 10)], "support": [waiting("u", "support", 90)]}
    assert pairs(match(calls, [free_agent("alice", 99), free_agent("bob", 1)], CROSS, NOW)) == [("u", "alice")]


def test_a_queue_that_is_gone_from_the_configuration_gets_no_agent() -> None:
    assert match({"old": [waiting("c", "old")]}, [free_agent("alice")], SALES, NOW) == []


def test_within_a_queue_calls_stand_by_priority_then_time_then_id() -> None:
    calls = [
        waiting("b", "sales", 10), waiting("a", "sales", 10), waiting("old", "sales", 90),
        waiting("gold", "sales", 1, priority=5), waiting("last", "sales", 900, priority=-1),
    ]  # fmt: skip
    assert [call.call_id for call in sorted(calls, key=entry_order)] == ["gold", "old", "a", "b", "last"]


def test_a_call_that_stands_in_two_queues_gets_one_agent() -> None:
    calls = {
        "sales": [waiting("c", "sales", 20)],
        "support": [waiting("c", "support", 90), waiting("u", "support", 5)],
    }
    found = match(calls, [free_agent("alice", 9), free_agent("bob", 99)], CROSS, NOW)
    assert pairs(found) == [("c", "bob"), ("u", "alice")]


def test_the_reason_counts_only_agents_who_are_still_free() -> None:
    calls = {"sales": [waiting("s", "sales", 90)], "support": [waiting("u", "support", 20)]}
    first, second = match(calls, [free_agent("alice", 5), free_agent("bob", 99)], CROSS, NOW)
    assert first.agent == "alice"
    assert second.reason.startswith("bob was the only free agent of support")


@pytest.mark.parametrize(
    "change",
    [
        {"presence": Presence.PAUSED},
        {"presence": Presence.LOGGED_OUT},
        {"activity": Activity.OFFERED},
        {"activity": Activity.WRAP_UP},
        {"blocked_until": NOW.boot + 0.1},
        {"device": DeviceState.IN_USE},
        {"device": DeviceState.RINGING},
        {"device": DeviceState.BUSY},
        {"device": DeviceState.UNAVAILABLE},
        {"agent": "somebody"},
    ],
    ids=str,
)
def test_an_agent_who_is_not_free_gets_no_call(change: dict[str, object]) -> None:
    calls = {"sales": [waiting("c", "sales")]}
    ready = free_agent("alice")
    assert match(calls, [ready], SALES, NOW)
    assert match(calls, [replace(ready, **change)], SALES, NOW) == []


@pytest.mark.parametrize("change", [{"blocked_until": NOW.boot}, {"device": DeviceState.UNKNOWN}], ids=str)
def test_a_rest_that_is_over_and_a_phone_nobody_knows_of_are_no_hindrance(change: dict[str, object]) -> None:
    assert match({"sales": [waiting("c", "sales")]}, [replace(free_agent("alice"), **change)], SALES, NOW)


# laws

QUEUES = ["q0", "q1", "q2"]
AGENTS = [f"a{number}" for number in range(6)]


@st.composite
def floors(draw: st.DrawFn) -> tuple[FloorPlan, dict[str, list[WaitingCall]], list[AgentState]]:
    """Some queues, some callers in them, some agents in any state; few moments, so that there are ties."""
    served = st.lists(st.sampled_from(QUEUES), unique=True).map(" ".join)
    plan = plan_of({name: draw(served) for name in AGENTS}, " ".join(QUEUES))
    calls: dict[str, list[WaitingCall]] = {queue: [] for queue in QUEUES}
    for number, queue in enumerate(draw(st.lists(st.sampled_from(QUEUES), max_size=12))):
        wait_s, priority = draw(st.integers(0, 4)), draw(st.integers(-1, 2))
        calls[queue].append(waiting(f"c{number:02}", queue, wait_s, priority))
    states = st.builds(
        AgentState,
        agent=st.sampled_from([*AGENTS, "stranger"]),
        presence=st.sampled_from([Presence.AVAILABLE, Presence.AVAILABLE, Presence.PAUSED]),
        activity=st.sampled_from([Activity.IDLE, Activity.IDLE, Activity.TALKING]),
        idle_since_at=st.integers(0, 4).map(lambda idle_s: NOW.wall - idle_s),
        blocked_until=st.sampled_from([0.0, 0.0, NOW.boot + 1]),
        device=st.sampled_from([DeviceState.IDLE, DeviceState.UNKNOWN, DeviceState.IN_USE]),
    )
    free = draw(st.lists(states, max_size=7, unique_by=lambda state: state.agent))
    return plan, {queue: sorted(line, key=entry_order) for queue, line in calls.items()}, free


def by_the_rules(plan: FloorPlan, calls: Mapping[str, Sequence[WaitingCall]], free: Sequence[AgentState]) -> list:
    """The same, spelled out without any thought of speed: again and again the best of everything that is left."""
    lines = {queue: list(line) for queue, line in calls.items()}
    idle = [state for state in free if is_free(state, plan, NOW)]
    found = []
    while True:
        choices = [
            (line[0].entered_at, line[0].call_id, state.idle_since_at, state.agent, queue)
            for queue, line in lines.items()
            for state in idle
            if line and queue in plan.agents[state.agent].queues
        ]
        if not choices:
            return found
        _, call_id, _, agent, queue = min(choices)
        found.append((call_id, agent))
        lines[queue].pop(0)
        idle = [state for state in idle if state.agent != agent]


@settings(max_examples=400, deadline=None)
@given(floors())
def test_nobody_is_matched_twice_nor_out_of_their_queue_nor_while_not_free(floor: tuple) -> None:
    plan, calls, free = floor
    found = match(calls, free, plan, NOW)
    assert len({one.agent for one in found}) == len(found)
    assert len({one.call.call_id for one in found}) == len(found)
    states = {state.agent: state for state in free}
    for one in found:
        assert one.call.queue in plan.agents[one.agent].queues
        assert is_free(states[one.agent], plan, NOW)
        assert one.agent in one.reason


@settings(max_examples=400, deadline=None)
@given(floors())
def test_matching_is_what_the_rules_say(floor: tuple) -> None:
    plan, calls, free = floor
    assert pairs(match(calls, free, plan, NOW)) == by_the_rules(plan, calls, free)


@settings(max_examples=200, deadline=None)
@given(floors())
def test_no_caller_waits_while_a_free_agent_of_their_queue_does(floor: tuple) -> None:
    plan, calls, free = floor
    found = match(calls, free, plan, NOW)
    served, busy = {one.call.call_id for one in found}, {one.agent for one in found}
    left = {call.queue for line in calls.values() for call in line if call.call_id not in served}
    idle = [state for state in free if is_free(state, plan, NOW) and state.agent not in busy]
    assert not any(queue in left for state in idle for queue in plan.agents[state.agent].queues)


@settings(max_examples=100, deadline=None)
@given(floors())
def test_the_heads_alone_are_enough(floor: tuple) -> None:
    plan, calls, free = floor
    heads = {queue: line[: len(free)] for queue, line in calls.items()}
    counts = {queue: len(line) for queue, line in calls.items()}
    assert match(heads, free, plan, NOW, Circumstances(waiting=counts)) == match(calls, free, plan, NOW)


class Watched(list[WaitingCall]):
    """A line of callers that counts how many of them were looked at."""

    looked_at = 0

    def __getitem__(self, place):
        self.looked_at += 1
        return super().__getitem__(place)

    def __iter__(self):
        raise AssertionError("the whole line was walked")


def test_ten_thousand_waiting_cost_one_agent_no_more_than_two() -> None:
    line = Watched(waiting(f"{number:05}", "sales", 20_000 - number) for number in range(10_000))
    assert pairs(match({"sales": line}, [free_agent("alice")], SALES, NOW)) == [("00000", "alice")]
    assert line.looked_at <= 4


# skills, weights, limits


def skilled(skills: Mapping[str, Mapping[str, int]], *, queue: Queue | None = None) -> FloorPlan:
    """Agents of `sales` with skills."""
    plan = plan_of(dict.fromkeys(skills, "sales"))
    agents = {name: replace(agent, skills=skills[name]) for name, agent in plan.agents.items()}
    return replace(plan, agents=agents, queues={"sales": queue or Queue("sales")})


TONGUES = skilled({"alice": {"spanish": 4}, "bob": {"spanish": 1, "billing": 2}})
SPANISH = Needs((("spanish", 3),), relax=(RelaxStep(30.0, lower=(("spanish", 1),)),))


def asking(call_id: str, wait_s: float, needs: Needs, queue: str = "sales", priority: int = 0) -> WaitingCall:
    return replace(waiting(call_id, queue, wait_s, priority), needs=needs)


def test_only_who_has_the_skill_gets_the_call_and_the_reason_says_so() -> None:
    free = [free_agent("bob", 99), free_agent("alice", 5)]
    (found,) = match({"sales": [asking("c1", 10, SPANISH)]}, free, TONGUES, NOW)
    assert found.agent == "alice"
    assert "; alice has spanish 4, asked for 3 until 30 s; " in found.reason


def test_after_the_step_the_other_may_too() -> None:
    calls = {"sales": [asking("c1", 29.9, SPANISH)]}
    assert match(calls, [free_agent("bob")], TONGUES, NOW) == []
    (found,) = match({"sales": [asking("c1", 30.0, SPANISH)]}, [free_agent("bob")], TONGUES, NOW)
    assert "bob has spanish 1, asked for 1" in found.reason
    assert "relaxed after 30 s: asked for spanish 3 before" in found.reason


def test_who_asks_for_what_nobody_free_has_holds_up_nobody() -> None:
    calls = [asking("c1", 29, SPANISH, priority=9), asking("c2", 20, SPANISH), asking("c3", 10, Needs())]
    assert pairs(match({"sales": calls}, [free_agent("bob")], TONGUES, NOW)) == [("c3", "bob")]


def test_what_is_preferred_only_puts_agents_in_order() -> None:
    billing = Needs(prefer=(("billing", 1),))
    free = [free_agent("alice", 99), free_agent("bob", 1)]
    assert pairs(match({"sales": [asking("c", 5, billing)]}, free, TONGUES, NOW)) == [("c", "bob")]
    assert pairs(match({"sales": [asking("c", 5, billing)]}, free[:1], TONGUES, NOW)) == [("c", "alice")]


KEPT = Needs(agent="alice", agent_s=20.0)


def test_a_call_is_kept_for_its_agent_for_a_while() -> None:
    free = [free_agent("bob", 99)]
    assert match({"sales": [asking("c", 19.9, KEPT)]}, free, TONGUES, NOW) == []
    assert pairs(match({"sales": [asking("c", 20, KEPT)]}, free, TONGUES, NOW)) == [("c", "bob")]
    (found,) = match({"sales": [asking("c", 5, KEPT)]}, [*free, free_agent("alice", 1)], TONGUES, NOW)
    assert found.agent == "alice"
    assert "alice is the one to be tried first until 20 s" in found.reason


@pytest.mark.parametrize(
    "needs",
    [
        KEPT,  # not at work
        Needs(agent="nobody", agent_s=20.0),
        Needs((("billing", 1),), agent="alice", agent_s=20.0),  # could not take it anyway
    ],
)
def test_a_call_is_kept_for_nobody_who_will_not_come(needs: Needs) -> None:
    around = Circumstances(at_work={"bob"})
    found = match({"sales": [asking("c", 1, needs)]}, [free_agent("bob")], TONGUES, NOW, around)
    assert pairs(found) == [("c", "bob")]


def test_an_agent_of_two_queues_goes_to_the_heavier_one_if_its_caller_could_use_them() -> None:
    plan = plan_of({"alice": "sales vip", "bob": "vip"})
    plan = replace(plan, queues={"sales": Queue("sales"), "vip": Queue("vip", weight=5)})
    calls = {"sales": [waiting("s", "sales", 500)], "vip": [waiting("v", "vip", 1)]}
    (found,) = match(calls, [free_agent("alice")], plan, NOW)
    assert (found.call.call_id, found.agent) == ("v", "alice")
    assert found.reason.endswith("; vip goes before sales, where somebody has waited longer (weight 5 before 0)")
    picky = {**calls, "vip": [asking("v", 1, Needs((("spanish", 1),)), "vip")]}
    assert pairs(match(picky, [free_agent("alice")], plan, NOW)) == [("s", "alice")]


def test_a_queue_has_no_more_talks_than_it_may() -> None:
    calls = {"sales": [waiting("c1", "sales", 9), waiting("c2", "sales", 5)]}
    free = [free_agent("alice"), free_agent("bob")]
    assert len(match(calls, free, SALES, NOW, Circumstances(room={"sales": 1}))) == 1
    assert match(calls, free, SALES, NOW, Circumstances(room={"sales": 0})) == []
    assert len(match(calls, free, SALES, NOW, Circumstances(room={"sales": 2}))) == 2


def test_with_ageing_a_wait_is_worth_priority() -> None:
    gold, old, new = waiting("g", "q", 0, priority=2), waiting("o", "q", 121), waiting("n", "q", 119)
    assert [call.call_id for call in sorted([old, new, gold], key=entry_order)] == ["g", "o", "n"]
    aged = sorted([old, new, gold], key=lambda call: entry_order(call, ageing_s=60.0))
    assert [call.call_id for call in aged] == ["o", "g", "n"]


def test_a_queue_remembers_from_one_call_to_the_next_of_a_round() -> None:
    plan = skilled({"alice": {}, "bob": {}, "carol": {}}, queue=Queue("sales", strategy="round_robin"))
    members = {
        name: replace(agent, memberships={"sales": Membership(place=place)})
        for place, (name, agent) in enumerate(plan.agents.items())
    }
    calls = {"sales": [waiting("c1", "sales", 9), waiting("c2", "sales", 5)]}
    free = [free_agent(name) for name in members]
    around = Circumstances(memories={"sales": Memory("bob")})
    found = match(calls, free, replace(plan, agents=members), NOW, around)
    assert pairs(found) == [("c1", "carol"), ("c2", "alice")]
    assert found[-1].memory == Memory("alice")
