"""Whom a queue lets in, when it sends callers on, what it tells them: the rules as pure functions."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cordboard.acd import joining
from cordboard.acd.announcements import Figures, Told, announcement, is_better, kinds_due, next_announcement_s
from cordboard.acd.model import Activity, AgentState, Presence, Queue
from cordboard.acd.overflow import Standing, circle, next_wait_s, step_for
from cordboard.acd.waiting_rules import (
    EmptyFactor,
    OverflowStep,
    PeriodicAnnouncement,
    PositionAnnouncement,
    WaitAnnouncement,
)
from cordboard.config.opening_hours import OpeningHours
from cordboard.telephony.ports import DeviceState

LONDON = ZoneInfo("Europe/London")
FREE = AgentState("alice", Presence.AVAILABLE, device=DeviceState.IDLE)


def agent(
    presence: Presence = Presence.AVAILABLE,
    activity: Activity = Activity.IDLE,
    device: DeviceState = DeviceState.IDLE,
) -> AgentState:
    return AgentState("alice", presence, activity, device=device)


# -- who counts as nobody --


@pytest.mark.parametrize(
    ("state", "factor"),
    [
        (agent(Presence.LOGGED_OUT), "logged_out"),
        (agent(Presence.PAUSED), "paused"),
        (agent(activity=Activity.OFFERED), "ringing"),
        (agent(activity=Activity.RINGING), "ringing"),
        (agent(device=DeviceState.RINGING), "ringing"),
        (agent(activity=Activity.TALKING), "in_use"),
        (agent(device=DeviceState.IN_USE), "in_use"),
        (agent(device=DeviceState.BUSY), "in_use"),
        (agent(activity=Activity.WRAP_UP), "wrap_up"),
        (agent(device=DeviceState.UNAVAILABLE), "unavailable"),
        (agent(device=DeviceState.UNKNOWN), "unknown"),
    ],
)
def test_each_factor_makes_its_agents_count_as_nobody(state: AgentState, factor: EmptyFactor) -> None:
    assert joining.is_nobody(state, {factor})
    others: set[EmptyFactor] = {"paused", "ringing", "in_use", "wrap_up", "unavailable", "unknown"}
    assert joining.is_nobody(state, others - {factor}) == (factor == "logged_out"), "logged out is nobody by any"
    assert not joining.is_nobody(state, ()), "with no factor everybody counts"
    assert not joining.is_nobody(FREE, others | {factor})


def test_who_is_ruled_out_by_the_callers_needs_is_a_penalty() -> None:
    assert joining.is_empty([FREE], {"penalty"}, ["alice"])
    assert not joining.is_empty([FREE], {"penalty"}, ["bob"])
    assert not joining.is_empty([FREE], {"paused"}, ["alice"])


def test_a_queue_is_empty_without_any_agent_unless_nothing_is_asked() -> None:
    assert joining.is_empty([], joining.USUAL)
    assert not joining.is_empty([], joining.NEVER)


def test_the_words_mean_for_leaving_what_they_mean_the_other_way_round_for_joining() -> None:
    assert joining.JOIN_WORDS["yes"] == joining.LEAVE_WORDS["no"] == frozenset()
    assert joining.JOIN_WORDS["no"] == joining.LEAVE_WORDS["yes"] == {"penalty", "paused", "logged_out"}
    assert joining.JOIN_WORDS["strict"] - joining.JOIN_WORDS["no"] == {"unavailable"}
    assert joining.JOIN_WORDS["no"] - joining.JOIN_WORDS["loose"] == {"paused"}


# -- hours, and how many --

OFFICE = OpeningHours(LONDON, tuple(((540, 1020),) if day < 5 else () for day in range(7)))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).timestamp()


@pytest.mark.parametrize(
    ("time", "is_closed"),
    [
        ("2026-11-23 08:59:59", True),
        ("2026-11-23 09:00:00", False),
        ("2026-11-23 16:59:59", False),
        ("2026-11-23 17:00:00", True),
        ("2026-11-22 12:00:00", True),
    ],
)
def test_a_queue_is_closed_outside_its_hours(time: str, is_closed: bool) -> None:
    served, sent_out = Queue("q", hours=OFFICE), Queue("q", hours=OFFICE, at_closing="send_out")
    assert joining.is_closed(served, at(time)) == is_closed
    assert not joining.sends_out(served, at(time))
    assert joining.sends_out(sent_out, at(time)) == is_closed
    assert not joining.is_closed(Queue("q"), at(time))


def test_a_caller_is_refused_for_the_first_reason_there_is() -> None:
    queue = Queue("q", hours=OFFICE, max_waiting=2, join_when_empty=joining.USUAL)
    open_at, closed_at = at("2026-11-23 12:00"), at("2026-11-23 20:00")
    assert joining.why_refused(queue, 2, [], closed_at) == "closed"
    assert joining.why_refused(queue, 2, [], open_at) == "full"
    assert joining.why_refused(queue, 1, [], open_at) == "empty"
    assert joining.why_refused(queue, 1, [FREE], open_at) is None


# -- overflow --


@pytest.mark.parametrize(
    ("step", "holds", "does_not"),
    [
        (OverflowStep(wait_s=30), Standing(30, 1, 1, 1), Standing(29.9, 9, 9, 0)),
        (OverflowStep(position=5), Standing(0, 6, 6, 1), Standing(99, 5, 99, 0)),
        (OverflowStep(ratio=3), Standing(0, 1, 7, 2), Standing(0, 1, 6, 2)),
        (OverflowStep(ratio=3), Standing(0, 1, 1, 0), Standing(0, 1, 3, 1)),
        (OverflowStep(estimated_s=60), Standing(0, 1, 1, 1, 61), Standing(0, 1, 1, 1, 60)),
        (OverflowStep(estimated_s=60), Standing(0, 1, 1, 1, 61), Standing(0, 1, 1, 1, None)),
        (OverflowStep(wait_s=10, position=2), Standing(10, 3, 3, 1), Standing(9, 3, 3, 1)),
        (OverflowStep(wait_s=10, position=2), Standing(10, 3, 3, 1), Standing(10, 2, 3, 1)),
    ],
)
def test_a_step_holds_when_all_its_conditions_do(step: OverflowStep, holds: Standing, does_not: Standing) -> None:
    assert step_for([step], holds) is step
    assert step_for([step], does_not) is None


def test_the_first_step_that_holds_is_taken() -> None:
    early, late = OverflowStep(wait_s=10, to="a"), OverflowStep(wait_s=5, to="b")
    assert step_for([early, late], Standing(12, 1, 1, 1)) is early
    assert step_for([early, late], Standing(6, 1, 1, 1)) is late


def test_steps_come_due_by_time_one_after_the_other() -> None:
    steps = [OverflowStep(wait_s=10), OverflowStep(wait_s=5), OverflowStep(position=3)]
    assert [next_wait_s(steps, waited) for waited in (0, 5, 10)] == [5, 10, math.inf]


@pytest.mark.parametrize(
    ("ways", "found"),
    [
        ({"a": "b", "b": "a"}, ("a", "b", "a")),
        ({"a": "a"}, ("a", "a")),
        ({"a": "b", "b": "c", "c": "b"}, ()),
        ({"a": "bc", "b": "", "c": "d", "d": "a"}, ("a", "c", "d", "a")),
        ({"a": "z"}, ()),
    ],
)
def test_a_circle_is_found_where_it_leads_back(ways: dict[str, str], found: tuple[str, ...]) -> None:
    steps = {name: [OverflowStep(wait_s=1, to=to) for to in targets] for name, targets in ways.items()}
    assert circle(steps, "a") == found


# -- announcements --

POSITION = PositionAnnouncement(20, 45, {"en": "You are number"}, up_to=3, beyond={"en": "More before you than"})
WAIT = WaitAnnouncement(30, 60, {"en": "Your wait is about"}, {"en": "minutes"}, {"en": "one minute"})
MESSAGES = PeriodicAnnouncement(10, 20, ({"en": "One."}, {"en": "Two.", "es": "Dos."}, {"en": "Three."}))
ALL = Queue("sales", announce=POSITION, announce_wait=WAIT, announce_periodic=MESSAGES)


def said(
    kinds: set[str], figures: Figures, told: Told | None = None, queue: Queue = ALL, language: str = "en"
) -> list[str]:
    prompts, _ = announcement(queue, language, frozenset(kinds), figures, told or Told(), "c1")  # type: ignore[arg-type]
    return [prompt.text for prompt in prompts]


def test_each_rhythm_goes_on_by_itself() -> None:
    assert next_announcement_s(ALL, 0) == 10
    assert kinds_due(ALL, 0, 10) == {"periodic"}
    assert kinds_due(ALL, 10, 29.9) == {"position"}
    assert kinds_due(ALL, 20, 30) == {"wait", "periodic"}
    assert kinds_due(ALL, 30, 30) == frozenset()
    assert next_announcement_s(Queue("q"), 0) == math.inf


def test_what_is_due_at_once_is_told_to_newcomers() -> None:
    at_once = Queue("q", announce=PositionAnnouncement(0, 45, {"en": "You are number"}))
    assert kinds_due(at_once, -1.0, 0.0) == {"position"}
    assert kinds_due(at_once, 0.0, 44.9) == frozenset()


@pytest.mark.parametrize(
    ("position", "words"),
    [(1, ["You are number", "1"]), (3, ["You are number", "3"]), (4, ["More before you than", "3"])],
)
def test_a_place_is_told_up_to_a_limit(position: int, words: list[str]) -> None:
    assert said({"position"}, Figures(0, position)) == words


def test_who_is_further_back_is_told_nothing_without_words_for_it() -> None:
    plain = Queue("q", announce=PositionAnnouncement(0, 45, {"en": "You are number"}, up_to=3))
    assert said({"position"}, Figures(0, 4), queue=plain) == []


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [
        (None, []),
        (0, []),
        (60, ["Your wait is about", "one minute"]),
        (61, ["Your wait is about", "2", "minutes"]),
        (3600, ["Your wait is about", "60", "minutes"]),
        (3601, []),
    ],
)
def test_a_wait_is_told_in_minutes_that_are_enough(wait_s: float | None, words: list[str]) -> None:
    assert said({"wait"}, Figures(0, 1, wait_s)) == words


def test_messages_take_turns_by_the_time_waited() -> None:
    assert [said({"periodic"}, Figures(waited, 1))[0] for waited in (10, 30, 50, 70)] == [
        "One.", "Two.", "Three.", "One.",
    ]  # fmt: skip
    assert said({"periodic"}, Figures(30, 1), language="es") == ["Dos."]
    assert said({"periodic"}, Figures(10, 1), language="es") == []


def test_messages_by_chance_are_the_same_on_every_worker() -> None:
    rules = PeriodicAnnouncement(0, 1, MESSAGES.texts, "random")
    queue = Queue("q", announce_periodic=rules)
    heard = [said({"periodic"}, Figures(second, 1), queue=queue)[0] for second in range(50)]
    assert heard == [said({"periodic"}, Figures(second, 1), queue=queue)[0] for second in range(50)]
    assert set(heard) == {"One.", "Two.", "Three."}
    assert heard[:3] * 16 != heard[:48], "no turns"


@pytest.mark.parametrize(
    ("rules", "told_then", "words"),
    [
        ({}, [(2, True), (2, True), (3, True)], "all"),
        ({"only_changed": True}, [(2, True), (2, False), (3, True)], "changed"),
        ({"only_changed": True, "only_up": True}, [(3, True), (3, False), (4, False), (2, True)], "better"),
    ],
)
def test_a_place_may_be_told_only_when_there_is_news(
    rules: dict[str, bool], told_then: list[tuple[int, bool]], words: str
) -> None:
    queue = Queue("q", announce=PositionAnnouncement(0, 45, {"en": "You are number"}, **rules))  # type: ignore[arg-type]
    told = Told()
    for position, is_told in told_then:
        prompts, told = announcement(queue, "en", frozenset({"position"}), Figures(0, position), told, "c1")
        assert bool(prompts) == is_told, (words, position)


def test_a_better_place_is_worth_telling_only_if_one_was_told_before() -> None:
    queue = Queue("q", announce=PositionAnnouncement(0, 45, {"en": "You are number"}, on_change=True))
    assert is_better(queue, Told(3), 2)
    assert not is_better(queue, Told(3), 3)
    assert not is_better(queue, Told(), 2)
    assert not is_better(ALL, Told(3), 2)
