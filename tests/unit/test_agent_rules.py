"""What the files say of agents, as pure rules: pauses, RONA by cause, the modes of wrap-up."""

from __future__ import annotations

import pytest

from cordboard.acd.model import Agent, FloorPlan, OfferEnd, PauseRule, Presence, Queue, RonaPolicy, RonaRule
from cordboard.acd.presence import PresenceRefused, check_reason, check_room, limits_in_words, pause_left_s
from cordboard.acd.rona import LEAST_REST_S, Consequence, RonaCounts, after_failed_offer
from cordboard.acd.wrap_up import WrapUpRefused, can_extend, ends_early, extension_s, length_s

PLAN = FloorPlan(
    agents={name: Agent(name, name.title(), f"PJSIP/{name}", ()) for name in ("alice", "bob")},
    pauses={"lunch": PauseRule(at_most_s=1800, at_once=2, exempt=("bob",))},
)
POLICY = RonaPolicy(
    pause_after=2,
    retry_after_s=5,
    return_after_s=60,
    causes={
        OfferEnd.BUSY: RonaRule("rest", rest_s=30),
        OfferEnd.REJECTED: RonaRule("nothing"),
        OfferEnd.DECLINED: RonaRule("nothing"),
        OfferEnd.UNREGISTERED: RonaRule("pause", after=3, return_after_s=0),
    },
)


def several(policy: RonaPolicy, *ends: OfferEnd) -> list[Consequence]:
    """What each of several failed offers in a row means."""
    counts, found = RonaCounts(), []
    for end in ends:
        found.append(after_failed_offer(policy, end, counts))
        counts = found[-1].counts
    return found


# -- pauses --


def test_a_reason_goes_with_a_pause_only_and_is_one_of_the_file() -> None:
    assert check_reason(PLAN, "alice", Presence.PAUSED, "lunch") == "lunch"
    assert check_reason(PLAN, "alice", Presence.AVAILABLE, "lunch") == ""
    for agent, reason, why in (("alice", "golf", "unknown_reason"), ("carol", "lunch", "unknown_agent")):
        with pytest.raises(PresenceRefused) as refused:
            check_reason(PLAN, agent, Presence.PAUSED, reason)
        assert refused.value.why == why


def test_a_pause_that_is_full_takes_nobody_but_the_exempt() -> None:
    check_room(PLAN, "alice", "lunch", others=1)
    check_room(PLAN, "bob", "lunch", others=7)
    check_room(PLAN, "alice", "break", others=7)
    with pytest.raises(PresenceRefused, match="2 agents are at lunch now, and 2 may be at once"):
        check_room(PLAN, "alice", "lunch", others=2)


def test_what_is_left_of_a_pause() -> None:
    assert pause_left_s(PLAN, "alice", "lunch", 1000) == 800
    assert pause_left_s(PLAN, "alice", "lunch", 2000) == -200
    assert pause_left_s(PLAN, "bob", "lunch", 2000) is None, "exempt"
    assert pause_left_s(PLAN, "alice", "break", 2000) is None
    assert limits_in_words(PLAN.pauses["lunch"]) == ("max 30 min", "2 at once")


# -- RONA --


def test_the_second_that_counts_is_a_pause_which_ends_by_itself() -> None:
    first, second = several(POLICY, OfferEnd.NO_ANSWER, OfferEnd.NO_KEY)
    assert (first.pauses, first.rest_s, first.goes_last) == (0, 5, True)
    assert (second.pauses, second.return_after_s) == (2, 60)


def test_a_cause_that_is_only_rested_after_counts_towards_nothing() -> None:
    found = several(POLICY, OfferEnd.BUSY, OfferEnd.BUSY, OfferEnd.BUSY, OfferEnd.NO_ANSWER)
    assert [one.pauses for one in found] == [0, 0, 0, 0]
    assert [one.rest_s for one in found] == [30, 30, 30, 5]
    assert found[0].goes_last


def test_nothing_is_nothing_but_no_tight_loop() -> None:
    (rejected,) = several(POLICY, OfferEnd.REJECTED)
    assert rejected == Consequence(RonaCounts(), LEAST_REST_S), "a phone that rejects does so at once, each time"
    (declined,) = several(POLICY, OfferEnd.DECLINED)
    assert declined == Consequence(RonaCounts()), "a person takes their time"


def test_a_cause_with_a_count_of_its_own_pauses_by_that_alone() -> None:
    gone = OfferEnd.UNREGISTERED
    found = several(POLICY, gone, gone, gone)
    assert [one.pauses for one in found] == [0, 0, 3]
    assert found[-1].return_after_s == 0, "not by itself"
    assert several(POLICY, gone, OfferEnd.NO_ANSWER)[-1].pauses == 2, "it counts with the others all the same"


def test_what_is_not_the_agents_doing_costs_them_nothing() -> None:
    counts = RonaCounts(1, {"busy": 1})
    assert after_failed_offer(POLICY, OfferEnd.CALLER_LEFT, counts) == Consequence(counts)
    failed = after_failed_offer(RonaPolicy(retry_after_s=0), OfferEnd.FAILED, counts)
    assert failed == Consequence(counts, LEAST_REST_S)


def test_nobody_is_paused_where_that_is_off() -> None:
    policy = RonaPolicy(pause_after=0)
    assert all(one.pauses == 0 for one in several(policy, *[OfferEnd.NO_ANSWER] * 5))


# -- wrap-up --

FIXED = Queue("sales", wrap_up_s=20)
BOXED = Queue("sales", wrap_up_s=20, wrap_up_early_exit=False)
EXTENDABLE = Queue("sales", wrap_up_s=20, wrap_up_mode="extendable", wrap_up_at_most_s=50)
MANDATORY = Queue("sales", wrap_up_s=20, wrap_up_mode="mandatory", dispositions=("sold",))
MANDATORY_FOR = Queue("sales", wrap_up_mode="mandatory", wrap_up_at_most_s=90, dispositions=("sold",))


def test_how_long_each_mode_lasts_by_itself() -> None:
    assert [length_s(queue, "") for queue in (FIXED, EXTENDABLE, MANDATORY, MANDATORY_FOR)] == [20, 20, None, 90]
    assert length_s(MANDATORY, "sold") == 20, "chosen while they talked"


def test_what_ends_each_mode_early() -> None:
    assert ends_early(FIXED, "")
    assert not ends_early(BOXED, "sold")
    assert ends_early(MANDATORY, "sold")
    with pytest.raises(WrapUpRefused, match="wants a disposition"):
        ends_early(MANDATORY, "")


def test_more_time_is_given_up_to_the_most_there_is() -> None:
    assert extension_s(EXTENDABLE, 0) == 20
    assert extension_s(EXTENDABLE, 20) == 10
    assert can_extend(EXTENDABLE, 29)
    assert not can_extend(EXTENDABLE, 30)
    for queue, extended_s in ((EXTENDABLE, 30), (FIXED, 0), (MANDATORY, 0)):
        with pytest.raises(WrapUpRefused):
            extension_s(queue, extended_s)
        assert not can_extend(queue, extended_s)
