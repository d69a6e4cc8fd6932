"""Key figures of agents, and how often each reason was given: what they mean, cut at the ends of a period."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.acd.agent_kpis import AgentKpis, agent_kpis
from cordboard.acd.agent_time import AgentTime, agent_time
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import OfferEnd, Presence
from cordboard.acd.reasons import ReasonCount, reason_counts

NINE = 1_795_420_800.0
TEN = NINE + 3600
OUT, THERE, PAUSED = Presence.LOGGED_OUT, Presence.AVAILABLE, Presence.PAUSED


class Shift:
    """Writes what alice does; times in minutes from nine."""

    def __init__(self) -> None:
        self.rows: list[LedgerRow] = []
        self._was = (OUT, "")

    def row(
        self, kind: str, minute: float, offer: str = "", queue: str = "", agent: str = "alice", **data: Any
    ) -> None:
        name = f"{offer or len(self.rows)}:{kind}"
        at, seq = NINE + minute * 60, len(self.rows) + 1
        self.rows.append(LedgerRow(seq, name, at, kind, "", f"e-{offer}", offer, queue, "alice", "", data))

    def is_now(self, minute: float, presence: Presence, reason: str = "") -> None:
        was, was_reason = self._was
        self._was = (presence, reason)
        told = {"presence": presence.value, "reason": reason, "was": was.value, "was_reason": was_reason}
        self.row("presence_changed", minute, queues=["sales"], **told)

    def talk(
        self, minute: float, talk_min: float, wrap_up_min: float = 0.0, offer: str = "", by: str = "caller"
    ) -> None:
        offer = offer or f"o{minute}"
        joined = minute + 0.1
        self.row("offer_made", minute, offer, "sales", reason="")
        self.row("joined", joined, offer, "sales", wait_s=9.0)
        if talk_min:
            self.row("talk_ended", joined + talk_min, offer, "sales", talk_s=talk_min * 60, by=by)
            self.row("offer_ended", joined + talk_min, offer, "sales", end="served", ring_s=6.0)
        if wrap_up_min:
            ended = joined + talk_min + wrap_up_min
            self.row("wrap_up_ended", ended, offer, "sales", wrap_up_s=wrap_up_min * 60, disposition="sold")

    def time(self, since: float = NINE, until: float = TEN, now: Presence = OUT) -> AgentTime:
        return agent_time(self.rows, "alice", since, until, now=now)

    def kpis(self, since: float = NINE, until: float = TEN) -> AgentKpis:
        (found,) = agent_kpis(self.rows, {"alice": OUT}, since, until)
        return found


def minutes(time: AgentTime) -> tuple[float, float, float, dict[str, float]]:
    paused = {reason: round(length_s / 60, 3) for reason, length_s in time.paused_s.items()}
    return (*(round(length_s / 60, 3) for length_s in (time.logged_in_s, time.busy_s, time.free_s)), paused)  # type: ignore[return-value]


def test_occupancy_is_busy_over_busy_and_free() -> None:
    shift = Shift()
    shift.is_now(10, THERE)
    shift.talk(20, talk_min=9, wrap_up_min=1)
    shift.is_now(40, PAUSED, "lunch")
    shift.is_now(50, THERE)
    found = shift.time()
    assert minutes(found) == (50, 10, 30, {"lunch": 10})
    assert found.occupancy == 0.25


def test_a_pause_during_a_talk_begins_with_its_end() -> None:
    shift = Shift()
    shift.is_now(0, THERE)
    shift.talk(9.9, talk_min=20)
    shift.is_now(20, PAUSED, "lunch")
    assert minutes(shift.time()) == (60, 20, 10, {"lunch": 30})


def test_time_is_cut_at_the_ends_of_the_period() -> None:
    shift = Shift()
    shift.is_now(-60, THERE)
    shift.talk(-10.1, talk_min=15, wrap_up_min=5)
    shift.talk(54.9, talk_min=30)
    shift.is_now(90, OUT)
    found = shift.time()
    assert minutes(found) == (60, 15, 45, {})
    assert minutes(shift.time(NINE - 3600, NINE)) == (60, 10, 50, {})


def test_a_talk_that_goes_on_is_one_so_far() -> None:
    shift = Shift()
    shift.is_now(0, THERE)
    shift.talk(29.9, talk_min=0)
    assert minutes(shift.time(until=NINE + 45 * 60)) == (45, 15, 30, {})


@pytest.mark.parametrize("now", [THERE, PAUSED, OUT])
def test_of_whom_no_row_tells_the_presence_now_is_what_it_was(now: Presence) -> None:
    found = Shift().time(now=now)
    assert found.free_s == (3600 if now is THERE else 0)
    assert sum(found.paused_s.values()) == (3600 if now is PAUSED else 0)
    assert found.occupancy == (0.0 if now is THERE else None)


def test_a_row_after_the_period_tells_what_was_in_it() -> None:
    shift = Shift()
    shift.is_now(-60, THERE)
    shift.is_now(70, PAUSED, "lunch")
    late = [row for row in shift.rows if row.at > NINE]
    assert minutes(agent_time(late, "alice", NINE, TEN, now=OUT)) == (60, 0, 60, {})


def test_an_agents_figures() -> None:
    shift = Shift()
    shift.is_now(0, THERE)
    shift.talk(5, talk_min=4, wrap_up_min=1)
    shift.talk(15, talk_min=8, by="blind_transfer")
    for minute, end in ((30, "no_answer"), (35, "caller_left")):
        shift.row("offer_made", minute, f"x{minute}", "sales", reason="")
        shift.row("offer_ended", minute + 0.25, f"x{minute}", "sales", end=end, ring_s=15.0)
    shift.talk(70, talk_min=1)
    found = shift.kpis()
    assert (found.offers, found.answered, found.transfers, found.talks_ended) == (4, 2, 1, 2)
    assert found.handle and (found.handle.count, found.handle.mean_s) == (2, 390.0)
    assert found.ring and found.ring.mean_s == 6.0
    assert (found.rona, found.rona_by_cause, found.rona_rate) == (1, {OfferEnd.NO_ANSWER: 1}, 1 / 3)
    assert found.as_json()["occupancy"] == round(13 / 60, 4)


def test_an_agent_who_did_nothing_has_figures_too() -> None:
    found = Shift().kpis()
    assert (found.offers, found.handle, found.rona_rate, found.time.occupancy) == (0, None, None, None)


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 60), st.sampled_from([OUT, THERE, PAUSED])), max_size=8),
    talks=st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 30), st.floats(0, 10)), max_size=5),
    chance=st.randoms(use_true_random=False),
)
def test_every_moment_is_counted_once_and_no_order_shows_in_any_digit(
    changes: list[tuple[float, Presence]], talks: list[tuple[float, float, float]], chance: random.Random
) -> None:
    shift = Shift()
    for minute, presence in sorted(changes, key=lambda one: one[0]):
        shift.is_now(minute, presence, "lunch" if presence is PAUSED else "")
    for number, (minute, talk_min, wrap_up_min) in enumerate(talks):
        shift.talk(minute, talk_min, wrap_up_min, offer=f"o{number}")
    found = shift.kpis()
    told = found.time
    assert told.free_s + sum(told.paused_s.values()) <= told.logged_in_s + 1e-6 <= 3600 + 1e-3
    assert told.busy_s + told.free_s + sum(told.paused_s.values()) <= 3600 + 1e-3
    shuffled = shift.rows * 2
    chance.shuffle(shuffled)
    assert agent_kpis(shuffled, {"alice": OUT}, NINE, TEN) == [found]


# -- reasons --


def counted(found: list[ReasonCount]) -> list[tuple[str, str, str, int, float | None]]:
    return [
        (one.queue, one.what, one.reason, one.count, one.length.mean_s if one.length else None) for one in found
    ]


def test_reasons_by_queue_the_most_frequent_first_and_pauses_last() -> None:
    shift = Shift()
    shift.is_now(0, THERE)
    for number, because in enumerate(["max_wait", "abandoned", "max_wait"]):
        entry = f"e-x{number}"
        shift.rows += [
            LedgerRow(900, f"{entry}:entered_queue", NINE + 1, "entered_queue", "", entry, queue="sales"),
            LedgerRow(
                901, f"{entry}:left_queue", NINE + 31, "left_queue", "", entry, queue="sales",
                data={"because": because, "wait_s": 30.0},
            ),
        ]  # fmt: skip
    shift.rows.append(LedgerRow(950, "c9:r", NINE + 5, "refused", "c9", queue="sales", data={"because": "full"}))
    shift.talk(5, talk_min=4, wrap_up_min=1)
    shift.is_now(20, PAUSED, "lunch")
    assert counted(reason_counts(shift.rows * 2, ["sales", "support"], NINE, TEN)) == [
        ("sales", "left", "max_wait", 2, 30.0),
        ("sales", "left", "abandoned", 1, 30.0),
        ("sales", "refused", "full", 1, None),
        ("sales", "offer", "served", 1, 6.0),
        ("sales", "talk", "caller", 1, 240.0),
        ("sales", "disposition", "sold", 1, 60.0),
        ("", "pause", "lunch", 1, 2400.0),
    ]
