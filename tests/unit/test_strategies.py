"""Which of several eligible agents each strategy takes, and how it says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import get_args

import pytest

from cordboard.acd.model import Agent, AgentState, FloorPlan, Membership, Memory, Needs, Queue, Strategy
from cordboard.acd.strategies import STRATEGIES
from cordboard.acd.strategies.choice import Candidates, Choice
from tests.doubles.matching_kit import NOW, free_agent, waiting

MEMBERS = {"alice": Membership(0, 1, 2, 0), "bob": Membership(0, 1, 1, 1), "carol": Membership(0, 8, 1, 2)}
SKILLS = {"alice": {"spanish": 3, "billing": 1}, "bob": {"spanish": 5}, "carol": {"spanish": 3, "billing": 4}}
PLAN = FloorPlan(
    queues={"sales": Queue("sales")},
    agents={
        name: Agent(name, name, f"PJSIP/{name}", ("sales",), skills=SKILLS[name], memberships={"sales": member})
        for name, member in MEMBERS.items()
    },
)
FREE = (
    replace(free_agent("bob", 90), calls_today=2, talk_s_today=100.0),
    replace(free_agent("carol", 60), calls_today=1, talk_s_today=300.0),
    replace(free_agent("alice", 30), calls_today=2, talk_s_today=20.0),
)


def choose(
    strategy: Strategy,
    *free: AgentState,
    memory: Memory | None = None,
    seed: int = 1,
    needs: Needs | None = None,
) -> Choice:
    call = replace(waiting("c", "sales"), needs=needs or Needs())
    asked = Candidates(call, free or FREE, PLAN.queues["sales"], PLAN, memory or Memory(), NOW, Random(seed))
    return STRATEGIES[strategy](asked)


@pytest.mark.parametrize(
    ("strategy", "agent", "reason"),
    [
        ("longest_idle", "bob", "bob has been free longest (1 min 30 s) of 3 free agents of sales"),
        ("fewest_calls", "carol", "carol has had the fewest calls today (1) of 3 free agents of sales"),
        ("least_talk_time", "alice", "alice has talked least today (20 s) of 3 free agents of sales"),
        ("in_order", "alice", "alice is the first in the order of the file of 3 free agents of sales"),
        (
            "top_down",
            "bob",
            "bob is in tier 1, the first with a free agent, the one free longest (1 min 30 s) of 2 "
            "of 3 free agents of sales",
        ),
    ],
)
def test_who_is_taken_and_why(strategy: Strategy, agent: str, reason: str) -> None:
    choice = choose(strategy)
    assert ([state.agent for state in choice.agents], choice.reason) == ([agent], reason)


@pytest.mark.parametrize("strategy", [name for name in get_args(Strategy) if not name.startswith("compat:")])
def test_the_only_free_agent_is_taken_by_every_strategy(strategy: Strategy) -> None:
    choice = choose(strategy, free_agent("carol", 5))
    assert [state.agent for state in choice.agents] == ["carol"]
    assert "carol" in choice.reason


def test_others_may_be_free_where_the_call_asks_for_skills() -> None:
    choice = choose("longest_idle", free_agent("carol", 5), needs=Needs(require=(("spanish", 3),)))
    assert choice.reason == "carol was the only free agent of sales who may have the call (for 5 s)"


def test_every_strategy_that_can_be_written_is_there() -> None:
    assert set(STRATEGIES) == set(get_args(Strategy))


def test_equals_go_by_who_has_been_free_longest() -> None:
    busiest = [replace(state, calls_today=4, talk_s_today=9.0) for state in FREE]
    assert choose("fewest_calls", *busiest).agents[0].agent == "bob"
    assert choose("least_talk_time", *busiest).agents[0].agent == "bob"


def test_round_robin_goes_round_and_begins_anew() -> None:
    memory, taken = Memory(), []
    for _ in range(5):
        choice = choose("round_robin", memory=memory)
        memory = choice.memory
        taken.append(choice.agents[0].agent)
    assert taken == ["alice", "bob", "carol", "alice", "bob"]
    assert choice.reason == "bob is the next in turn after alice of 3 free agents of sales"


def test_round_robin_passes_over_who_is_not_free_and_remembers_the_only_one() -> None:
    alone = choose("round_robin", free_agent("bob"), memory=Memory("alice"))
    assert alone.memory.last_agent == "bob"
    assert choose("round_robin", memory=alone.memory).agents[0].agent == "carol"
    assert choose("round_robin", memory=Memory("somebody who has left")).agents[0].agent == "alice"


def test_the_same_seed_draws_the_same_lot_and_everybody_is_drawn() -> None:
    drawn = [choose("random", seed=seed).agents[0].agent for seed in range(60)]
    assert drawn == [choose("random", seed=seed).agents[0].agent for seed in range(60)]
    assert set(drawn) == {"alice", "bob", "carol"}


def test_eight_times_the_weight_is_drawn_far_more_often() -> None:
    drawn = Counter(choose("weighted_random", seed=seed).agents[0].agent for seed in range(200))
    assert drawn["carol"] > 3 * max(drawn["alice"], drawn["bob"]) > 0
    assert "with weight" in choose("weighted_random").reason


def test_best_skill_adds_up_what_is_asked_for() -> None:
    spanish = choose("best_skill", needs=Needs((("spanish", 1),)))
    assert spanish.agents[0].agent == "bob"
    both = choose("best_skill", needs=Needs((("spanish", 1),), (("billing", 1),)))
    others = "of 3 free agents of sales who may have the call"
    assert both.reason == f"carol has the best skills (billing 4, spanish 3) {others}"
    assert choose("best_skill").reason.startswith("bob has been free longest")
