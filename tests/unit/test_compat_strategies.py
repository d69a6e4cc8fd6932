"""app_queue's strategies, asked as matching asks them: who is rung, time and again, with what was remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.acd.compat_rules import CompatRules
from cordboard.acd.model import (
    Agent,
    AgentState,
    FloorPlan,
    Membership,
    Memory,
    Moment,
    Presence,
    Queue,
    Strategy,
    WaitingCall,
)
from cordboard.acd.strategies import STRATEGIES
from cordboard.acd.strategies.choice import Candidates
from cordboard.acd.strategies.compat import LINEAR_CALLERS
from cordboard.acd.strategies.member_order import bucket_of
from cordboard.telephony.verbs import MAX_TARGETS
from tests.doubles.fuzzing import examples

NOW = Moment(1_795_000_000.0, 5_000.0)
NAMES = "abcdefgh"


@dataclass
class Site:
    """A queue with agents a, b, c, ... whose devices follow each other, and what the queue remembers."""

    strategy: str
    penalties: Sequence[int] = (0, 0, 0)
    rules: CompatRules = field(default_factory=CompatRules)
    seed: int = 7
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.agents = {
            name: Agent(name, name, f"PJSIP/10{place:02}", ("q",), memberships={"q": Membership(penalty=penalty)})
            for place, (name, penalty) in enumerate(zip(_names(self.penalties), self.penalties, strict=True))
        }
        self.states = {name: AgentState(name, Presence.AVAILABLE) for name in self.agents}

    def rung(self, free: Iterable[str] | None = None, call: str = "c1") -> str:
        """Who is rung next, joined; with the agents in `free` free, all of them if None."""
        queue = Queue("q", strategy=cast(Strategy, self.strategy), compat=self.rules)
        names = list(self.agents if free is None else free)
        asked = Candidates(
            WaitingCall(call, call, "q", 0, NOW.wall),
            tuple(self.states[name] for name in names),
            queue,
            FloorPlan({"q": queue}, self.agents),
            self.memory,
            NOW,
            self.random,
        )
        choice = STRATEGIES[queue.strategy](asked)
        self.memory = choice.memory
        return "".join(state.agent for state in choice.agents)

    def knows(self, agent: str, **of: float) -> None:
        self.states[agent] = replace(self.states[agent], **of)  # type: ignore[arg-type]


def _names(penalties: Sequence[int]) -> list[str]:
    return (
        list(NAMES[: len(penalties)])
        if len(penalties) <= len(NAMES)
        else [f"a{n:03}" for n in range(len(penalties))]
    )


@pytest.mark.parametrize("strategy", ["compat:rrmemory", "compat:rrordered"])
def test_members_are_rung_in_turn_whoever_calls(strategy: str) -> None:
    site = Site(strategy)
    assert [site.rung(call=call) for call in "1234567"] == list("abcabca")


def test_the_pointer_stops_at_a_member_who_cannot_be_rung() -> None:
    site = Site("compat:rrmemory", (0, 0, 0, 0))
    assert site.rung() == "a"
    assert site.rung(free="acd") == "c", "b was next, and is not free"
    assert site.rung() == "d"
    assert site.rung("bcd") == "b", "a is not free"


def test_a_higher_penalty_is_rung_only_when_no_lower_one_is_free() -> None:
    site = Site("compat:rrmemory", (0, 1, 0))
    assert [site.rung() for _ in range(4)] == list("acac")
    assert site.rung(free="b") == "b"


@pytest.mark.parametrize(("limit", "rung"), [(0, "acac"), (2, "acac"), (3, "abca"), (9, "abca")])
def test_penalties_count_for_nothing_in_a_small_queue(limit: int, rung: str) -> None:
    site = Site("compat:rrmemory", (0, 1, 0), CompatRules(penalty_members_limit=limit))
    assert "".join(site.rung() for _ in range(4)) == rung


def test_linear_begins_at_the_top_for_each_caller_and_goes_on_for_one_who_comes_back() -> None:
    site = Site("compat:linear")
    assert [site.rung(call=call) for call in ("c1", "c2", "c1", "c1", "c2", "c1")] == list("aabcba")


def test_linear_remembers_a_bounded_number_of_callers() -> None:
    site = Site("compat:linear")
    for number in range(LINEAR_CALLERS + 50):
        site.rung(call=f"c{number}")
    assert len(site.memory.data["callers"]) == LINEAR_CALLERS
    assert site.rung(call=f"c{LINEAR_CALLERS + 49}") == "b"
    assert site.rung(call="c0") == "a", "forgotten, and begins at the top"


def test_fewest_calls_of_equals_the_last_in_the_hash_table() -> None:
    site = Site("compat:fewestcalls")
    last = max("abc", key=lambda name: bucket_of(site.agents[name].device))
    assert site.rung() == last
    site.knows(last, calls_today=2)
    others = [name for name in "abc" if name != last]
    site.knows(others[0], calls_today=1)
    assert site.rung() == others[1]
    assert site.rung(free=[last, others[0]]) == others[0]


def test_fewest_calls_within_the_lowest_penalty() -> None:
    site = Site("compat:fewestcalls", (0, 1))
    site.knows("a", calls_today=400)
    assert site.rung() == "a"


def test_least_recent_takes_who_never_talked_then_who_talked_longest_ago() -> None:
    site = Site("compat:leastrecent")
    site.knows("a", last_call_ended_at=NOW.wall - 50)
    site.knows("b", last_call_ended_at=NOW.wall - 90)
    assert site.rung() == "c"
    site.knows("c", last_call_ended_at=NOW.wall - 10)
    assert site.rung() == "b"


def test_least_recent_of_a_higher_penalty_after_two_weeks_comes_before_who_just_talked() -> None:
    """Its number falls below nothing after 11.6 days; whoever migrates has that with app_queue too."""
    site = Site("compat:leastrecent", (0, 1))
    site.knows("a", last_call_ended_at=NOW.wall - 1)
    site.knows("b", last_call_ended_at=NOW.wall - 14 * 86_400)
    assert site.rung() == "b"


def test_random_stays_within_the_lowest_penalty_and_is_fair() -> None:
    site = Site("compat:random", (0, 0, 0, 1))
    drawn = Counter(site.rung() for _ in range(3000))
    assert set(drawn) == set("abc")
    assert min(drawn.values()) > 850


def test_a_penalty_makes_a_weighted_draw_rarer_and_excludes_nobody() -> None:
    site = Site("compat:wrandom", (0, 3))
    drawn = Counter(site.rung() for _ in range(4000))
    assert 350 < drawn["b"] < 650  # 1/8: it is below a's lot in a quarter of the draws, and then half the time


def test_ringall_rings_everybody_of_the_lowest_penalty_that_has_a_free_member() -> None:
    site = Site("compat:ringall", (1, 0, 0, 1))
    assert site.rung() == "bc"
    assert site.rung(free="ad") == "ad"
    assert site.rung(free="acd") == "c"


@pytest.mark.parametrize("strategy", ["ring_all", "compat:ringall"])
def test_no_more_phones_are_rung_than_at_once(strategy: str) -> None:
    site = Site(strategy, (0,) * (MAX_TARGETS + 5))
    assert len(site.rung()) == MAX_TARGETS * len("a000")


def test_ring_all_says_how_many_are_rung() -> None:
    site = Site("ring_all")
    assert site.rung() == "abc"


@pytest.mark.parametrize(
    ("device", "bucket"),
    [  # as `member_hash_fn` of app_queue has them
        ("PJSIP/1001", (15 + (17 << 6) + (16 << 12) + (16 << 18) + (17 << 24)) % 37),
        ("Local/7@agents/n", (15 + (23 << 6) + (32 << 12) + (33 << 18) + (39 << 24)) % 37),
        ("PJSIP/1", (15 + (17 << 6)) % 37),
    ],
)
def test_members_are_hashed_by_the_first_five_characters_from_the_slash_on(device: str, bucket: int) -> None:
    assert bucket_of(device) == bucket


STRATEGY_NAMES = sorted(name for name in STRATEGIES if name.startswith("compat:"))


@examples(0.02)
@given(
    strategy=st.sampled_from(STRATEGY_NAMES),
    penalties=st.lists(st.integers(0, 2), min_size=1, max_size=6),
    steps=st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), st.sampled_from("123")), max_size=20),
    limit=st.integers(0, 6),
)
def test_somebody_free_is_always_rung_and_never_with_a_penalty_above_a_free_ones(
    strategy: str, penalties: list[int], steps: list[tuple[set[int], str]], limit: int
) -> None:
    site = Site(strategy, penalties, CompatRules(penalty_members_limit=limit))
    for places, call in steps:
        free = [name for place, name in enumerate(site.agents) if place in places]
        if not free:
            continue
        rung = site.rung(free, call)
        assert rung and set(rung) <= set(free)
        if strategy != "compat:wrandom" and len(penalties) > limit:
            of = dict(zip(site.agents, penalties, strict=True))
            assert {of[name] for name in rung} == {min(of[name] for name in free)}
