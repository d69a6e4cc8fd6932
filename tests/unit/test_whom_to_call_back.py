"""How many are dialled: no more than agents free, or free before a phone has rung out; in the order of places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cordboard.acd.callback_policy import CutOffPolicy
from cordboard.acd.callbacks import Available, Claim, Standing, frees_within, to_dial
from cordboard.acd.cut_off import NEVER, USUAL_CAUSES, is_cut_off
from cordboard.acd.model import Needs
from tests.doubles.fuzzing import examples

QUEUES = ("sales", "support")
SERVES = {"alice": {"sales"}, "bob": {"sales", "support"}, "carol": {"support"}}


def claim(
    entry: str, standing: Standing = "due", queue: str = "sales", at: float = 0.0, rank: int = 0, agent: str = ""
) -> Claim:
    return Claim(entry, queue, standing, rank, at, Needs(), agent)


def may_have(agent: str, one: Claim) -> bool:
    return one.queue in SERVES[agent]


def test_those_in_front_come_first() -> None:
    claims = [claim("late", at=3.0), claim("early", at=1.0), claim("urgent", at=9.0, rank=5)]
    assert to_dial(claims, [Available("alice", True), Available("bob", True)], may_have) == ["urgent", "early"]


def test_who_waits_in_front_takes_an_agent_and_who_waits_behind_does_not() -> None:
    agents = [Available("alice", True)]
    assert to_dial([claim("w", "waits", at=1.0), claim("d", at=2.0)], agents, may_have) == []
    assert to_dial([claim("w", "waits", at=3.0), claim("d", at=2.0)], agents, may_have) == ["d"]


def test_an_agent_who_is_not_free_yet_will_do_unless_the_agent_is_rung_first() -> None:
    soon = [Available("alice", False)]
    assert to_dial([claim("d")], soon, may_have) == ["d"]
    assert to_dial([claim("d")], soon, may_have, needs_free=["sales"]) == []


def test_who_was_cut_off_is_dialled_for_the_agent_they_talked_to_whether_free_or_not() -> None:
    assert to_dial([claim("d", agent="alice")], [], may_have) == ["d"]


STANDINGS: st.SearchStrategy[Standing] = st.sampled_from(["waits", "dialled", "due"])
CLAIMS = st.lists(st.tuples(STANDINGS, st.sampled_from(QUEUES), st.integers(-2, 2), st.floats(0, 9)), max_size=12)


@examples(0.02)
@given(CLAIMS, st.sets(st.sampled_from(sorted(SERVES))))
def test_never_more_are_dialled_than_agents_can_take(
    drawn: list[tuple[Standing, str, int, float]], at_work: set[str]
) -> None:
    claims = [claim(f"e{n}", what, queue, at, rank) for n, (what, queue, rank, at) in enumerate(drawn)]
    chosen = to_dial(claims, [Available(name, True) for name in sorted(at_work)], may_have)
    assert len(chosen) == len(set(chosen)) <= len(at_work)
    by_queue = {queue: sum(queue in SERVES[name] for name in at_work) for queue in QUEUES}
    for queue, most in by_queue.items():
        busy = sum(one.queue == queue and one.standing == "dialled" for one in claims)
        mine = sum(one.entry_id in chosen for one in claims if one.queue == queue)
        assert mine <= max(0, most - busy)


def test_a_talk_is_likely_to_be_over_soon_if_most_that_lasted_so_long_were() -> None:
    handled = [60.0] * 9 + [600.0] * 9
    assert frees_within(handled, 50.0, 20.0)
    assert not frees_within(handled, 100.0, 20.0)
    assert not frees_within(handled, 700.0, 20.0), "longer than any: nobody knows"


def test_normal_clearing_is_never_a_cut_off() -> None:
    policy = CutOffPolicy(causes=USUAL_CAUSES | NEVER)
    assert {cause for cause in range(128) if is_cut_off(policy, cause)} == USUAL_CAUSES
    assert not is_cut_off(None, 44)
