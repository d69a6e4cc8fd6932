"""Key figures from ledger rows: the reference day by every formula, what each figure means, and laws."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.acd.kpis import CallbackCounts, Kpis, kpis, kpis_between
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, OfferEnd, Queue
from cordboard.acd.service_level import FORMULAS, formula_in_words
from cordboard.acd.spread import spread_of

SALES = Queue("sales")  # T = 20 s, S = 5 s
MORNING = 1_795_420_800.0


class Day:
    """Writes a ledger, call by call."""

    def __init__(self) -> None:
        self.rows: list[LedgerRow] = []
        self._calls = 0

    def row(self, kind: str, entry: str, at: float, offer: str = "", queue: str = "sales", **data: Any) -> None:
        name = f"{offer or entry}:{kind}"
        row = LedgerRow(len(self.rows) + 1, name, at, kind, f"call-{entry}", entry, offer, queue, "", "", data)
        self.rows.append(row)

    def enter(self, at: float = MORNING, queue: str = "sales") -> str:
        self._calls += 1
        entry = f"e{self._calls}"
        self.row("entered_queue", entry, at, queue=queue, priority=0, language="en")
        return entry

    def answer(self, wait_s: float, talk_s: float | None = None, wrap_up_s: float | None = None) -> str:
        """A call that is answered; talk and wrap-up go on if not given."""
        entry = self.enter()
        offer, joined_at = f"o-{entry}", MORNING + wait_s
        self.row("joined", entry, joined_at, offer, wait_s=wait_s)
        self.row("left_queue", entry, joined_at, because="served", wait_s=wait_s)
        if talk_s is not None:
            self.row("talk_ended", entry, joined_at + talk_s, offer, talk_s=talk_s)
            self.row("offer_ended", entry, joined_at + talk_s, offer, end="served", ring_s=3.0)
        if wrap_up_s is not None:
            self.row("wrap_up_ended", entry, joined_at + 999, offer, wrap_up_s=wrap_up_s, disposition="")
        return entry

    def leave(self, because: str, wait_s: float) -> str:
        entry = self.enter()
        self.row("left_queue", entry, MORNING + wait_s, because=because, wait_s=wait_s)
        return entry

    def fail(self, entry: str, end: str) -> None:
        offer = f"o{len(self.rows)}-{entry}"
        self.row("offer_made", entry, MORNING, offer, reason="")
        self.row("offer_ended", entry, MORNING + 15, offer, end=end, ring_s=15.0)

    def kpis(self, queue: Queue = SALES, **period: float) -> Kpis:
        return kpis(self.rows, queue, **period)


def reference_day() -> Day:
    """100 offered; 80 answered, 70 of them in T; 20 abandoned, 5 of them in S and 8 in T."""
    day = Day()
    for number in range(80):
        day.answer(20.0 if number < 70 else 20.1)
    for number in range(20):
        day.leave("abandoned", 5.0 if number < 5 else 20.0 if number < 8 else 60.0)
    return day


@pytest.mark.parametrize(
    ("formula", "percent"),
    [
        ("answered_only", 87.5),
        ("ans_plus_aban", 78.0),
        ("of_offered", 70.0),
        ("excl_short_aban", 73.68),
        ("excl_aban_in_t", 76.09),
        ("incl_flowout", 70.0),
    ],
)
def test_the_reference_day_by_every_formula(formula: Any, percent: float) -> None:
    found = reference_day().kpis(replace(SALES, service_level_formula=formula))
    assert (found.offered, found.answered, found.abandoned) == (100, 80, 20)
    assert found.service_level == found.service_levels[formula]
    assert round(found.service_level * 100, 2) == percent
    assert found.abandonment == 0.2


def test_every_formula_says_what_is_divided_by_what() -> None:
    assert {formula: formula_in_words(formula, 20.0, 2.5) for formula in FORMULAS} == {
        "of_offered": "answered within 20 s / (answered + abandoned)",
        "answered_only": "answered within 20 s / answered",
        "ans_plus_aban": "(answered + abandoned within 20 s) / (answered + abandoned)",
        "excl_short_aban": "answered within 20 s / (answered + abandoned after more than 2.5 s)",
        "excl_aban_in_t": "answered within 20 s / (answered + abandoned after more than 20 s)",
        "incl_flowout": "answered within 20 s / (answered + abandoned + sent elsewhere)",
    }


def test_time_outs_and_faults_are_buckets_of_their_own() -> None:
    day = Day()
    day.answer(1.0)
    day.leave("max_wait", 600.0)
    day.leave("lost", 30.0)
    day.enter()
    found = day.kpis()
    assert (found.offered, found.answered, found.abandoned) == (4, 1, 0)
    assert (found.max_wait, found.lost, found.waiting) == (1, 1, 1)
    assert found.service_levels.pop("incl_flowout") == 0.5, "max_wait went elsewhere; who was lost did not"
    assert set(found.service_levels.values()) == {1.0}
    assert found.longest_wait_s == 600.0


def test_averages_with_their_p90() -> None:
    day = Day()
    for number in range(1, 11):
        day.answer(float(number), talk_s=100.0 * number, wrap_up_s=10.0)
    found = day.kpis()
    assert found.wait and (found.wait.mean_s, found.wait.p90_s, found.wait.longest_s) == (5.5, 9.0, 10.0)
    assert (found.wait.p50_s, found.wait.count) == (5.0, 10)
    assert found.handle and (found.handle.mean_s, found.handle.p90_s) == (560.0, 910.0)
    assert found.talk and found.talk.mean_s == 550.0
    assert found.wrap_up and found.wrap_up.mean_s == 10.0


def test_a_share_that_falls_between_two_lengths_is_the_longer_one() -> None:
    found = spread_of([5.0, 1.0, 4.0, 2.0, 3.0])
    assert found and (found.p50_s, found.p90_s, found.sum_s) == (3.0, 5.0, 15.0)
    assert spread_of([]) is None


def test_a_talk_under_way_is_not_handled_yet_and_a_wrap_up_counts_when_it_ends() -> None:
    day = Day()
    day.answer(3.0)
    day.answer(3.0, talk_s=60.0)
    found = day.kpis()
    assert found.answered == 2
    assert found.handle and (found.handle.count, found.handle.mean_s) == (1, 60.0)
    assert found.wrap_up is None


def test_rona_by_cause_counts_what_agents_did_and_nothing_else() -> None:
    day = Day()
    entry = day.answer(50.0, talk_s=5.0)
    for end in ("no_answer", "no_answer", "declined", "caller_left", "withdrawn", "failed"):
        day.fail(entry, end)
    found = day.kpis()
    assert found.rona == 3
    assert found.rona_by_cause == {OfferEnd.NO_ANSWER: 2, OfferEnd.DECLINED: 1}
    assert found.offer_ends[OfferEnd.SERVED] == found.offer_ends[OfferEnd.WITHDRAWN] == 1


def test_a_day_without_a_call_has_no_shares_and_no_averages() -> None:
    found = Day().kpis()
    assert (found.offered, found.service_level, found.abandonment, found.wait) == (0, None, None, None)
    assert found.as_json()["asa_s"] is None


def test_a_call_belongs_to_the_period_it_entered_in() -> None:
    day = Day()
    before, within = day.enter(MORNING - 1), day.answer(30.0)
    day.row("left_queue", before, MORNING + 5, because="abandoned", wait_s=6.0)
    late = day.enter(MORNING + 3600)
    period = [row for row in day.rows if row.at >= MORNING]
    found = kpis(period, SALES, until=MORNING + 10)
    assert (found.offered, found.answered, found.abandoned) == (1, 1, 0), (before, within, late)


def test_another_queue_counts_for_itself() -> None:
    day = Day()
    day.answer(1.0)
    day.enter(queue="support")
    assert day.kpis().offered == 1
    assert day.kpis(Queue("support")).offered == 1


def test_the_json_has_what_the_summary_of_a_demo_needs() -> None:
    day = reference_day()
    day.fail("e1", "rejected")
    written = json.loads(json.dumps(day.kpis().as_json()))
    wanted = ("queue", "offered", "answered", "abandoned", "rona", "service_level", "service_level_formula")
    assert [written[key] for key in wanted] == ["sales", 100, 80, 20, 1, 0.7, "of_offered"]
    assert written["asa_s"] == written["wait"]["mean_s"] == 20.012
    assert written["rona_by_cause"] == {"rejected": 1}


def test_every_reason_to_leave_without_an_agent_is_a_bucket_of_its_own() -> None:
    day = Day()
    for count, because in enumerate(NOT_SERVED, start=1):
        for _ in range(count):
            day.leave(because.value, 30.0)
    found = day.kpis()
    assert found.left == {because: count for count, because in enumerate(NOT_SERVED, start=1)}
    assert found.as_json()["overflow"] == found.left[LeftBecause.OVERFLOW]
    flowed_out = sum(found.left[because] for because in LeftBecause if because in ("max_wait", "exit_key", "empty"))
    assert found.counts.flowed_out == flowed_out + found.left[LeftBecause.CLOSED] + found.left[LeftBecause.OVERFLOW]


def test_short_abandons_can_be_left_out_of_the_abandonment() -> None:
    found = reference_day().kpis()
    assert (found.abandonment, found.abandonment_excl_short) == (0.2, 15 / 95)


def test_who_is_called_back_has_not_been_answered_waiting() -> None:
    day = Day()
    day.answer(10.0)
    kept = day.enter()
    day.row("stepped_out", kept, MORNING + 30, entry_kind="callback", key="1")
    day.row("joined", kept, MORNING + 1800, "o1", wait_s=1800.0)
    day.row("left_queue", kept, MORNING + 1800, because="served", wait_s=1800.0)
    day.row("talk_ended", kept, MORNING + 1860, "o1", talk_s=60.0)
    found = day.kpis()
    assert (found.offered, found.answered, found.left[LeftBecause.CALLBACK]) == (2, 1, 1)
    assert (found.wait and found.wait.mean_s, found.longest_wait_s) == (10.0, 10.0)
    assert found.service_level == 1.0
    assert found.talk, "the talk was one"


def test_promises_to_call_back_by_what_became_of_them() -> None:
    day = Day()
    for number, state in enumerate(["done", "done", "expired", "taken", ""]):
        row = {"call_id": f"c{number}", "queue": "sales", "data": {"language": "en"}}
        day.rows.append(LedgerRow(number, f"b{number}:callback_requested", MORNING, "callback_requested", **row))
        if state:
            row["data"] = {"state": state, "result": "", "attempts": 1}
            day.rows.append(LedgerRow(9, f"b{number}:callback_closed", MORNING + 99, "callback_closed", **row))
    found = kpis(day.rows * 2, SALES).callbacks
    assert found == CallbackCounts(5, {"done": 2, "expired": 1, "taken": 1})
    assert (found.kept, found.expired, found.open) == (2, 1, 1)
    assert kpis(day.rows, SALES, until=MORNING).callbacks == CallbackCounts(0, {})


def test_calls_that_got_no_place_are_not_among_the_offered() -> None:
    data = {"because": "full"}
    row = LedgerRow(1, "c1:sales:refused:1", MORNING, "refused", "c1", queue="sales", data=data)
    found = kpis([row, row], SALES)
    assert (found.offered, found.refused) == (0, {"full": 1})


def test_talks_that_were_passed_on() -> None:
    day = Day()
    for by in ("agent", "caller", "blind_transfer", "attended_transfer"):
        entry = day.answer(1.0)
        day.row("talk_ended", entry, MORNING + 9, f"o-{entry}", talk_s=8.0, by=by)
    found = day.kpis()
    assert (found.transfers, found.talks_ended, found.transfer_rate) == (2, 4, 0.5)


def test_the_share_of_offers_that_agents_did_not_take() -> None:
    day = Day()
    entry = day.answer(50.0, talk_s=5.0)
    for end in ("no_answer", "caller_left", "withdrawn", "taken"):
        day.fail(entry, end)
    assert day.kpis().rona_rate == 0.5, "those that were not theirs to take are in neither number"


def test_intervals_are_periods_one_after_another() -> None:
    day = Day()
    for minute in (0, 1, 29, 30, 59, 61):
        entry = day.enter(MORNING + minute * 60)
        day.row("left_queue", entry, MORNING + minute * 60 + 5, because="abandoned", wait_s=5.0)
    edges = [MORNING, MORNING + 1800, MORNING + 3600]
    assert [found.abandoned for found in kpis_between(day.rows, SALES, edges)] == [3, 2]


def test_the_error_of_estimates_is_of_those_who_were_answered() -> None:
    day = Day()
    for wait_s, likely_s, at_most_s in ((30.0, 20.0, 40.0), (60.0, 20.0, 40.0), (40.0, 25.0, 50.0)):
        entry = day.answer(wait_s)
        figures = {"waited_s": 0.0, "likely_s": likely_s, "at_most_s": at_most_s}
        day.row("wait_estimated", entry, MORNING + 1, **figures)
    found = day.kpis()
    assert found.estimates
    assert (found.estimates.error_s, round(found.estimates.kept, 2)) == (15.0, 0.67)
    assert found.as_json()["estimate_error_s"] == 15.0
    assert Day().kpis().as_json()["estimate_error_s"] is None


# laws

NOT_SERVED = [because for because in LeftBecause if because is not LeftBecause.SERVED]
STAY = st.one_of(
    st.tuples(st.just("answer"), st.floats(0, 700), st.floats(0, 900), st.floats(0, 60)),
    st.tuples(st.sampled_from([because.value for because in NOT_SERVED]), st.floats(0, 700)),
    st.tuples(st.just("waits")),
)


def day_of(stays: list[tuple]) -> Day:
    day = Day()
    for kind, *lengths in stays:
        if kind == "answer":
            day.answer(*lengths)
        elif kind == "waits":
            day.fail(day.enter(), "busy")
        else:
            day.leave(kind, *lengths)
    return day


@settings(max_examples=150, deadline=None)
@given(st.lists(STAY, max_size=30), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_rows_shows_in_any_digit(stays: list[tuple], chance: random.Random) -> None:
    day = day_of(stays)
    shuffled = day.rows * 2
    chance.shuffle(shuffled)
    assert kpis(shuffled, SALES) == day.kpis()


@settings(max_examples=150, deadline=None)
@given(st.lists(STAY, max_size=30))
def test_every_call_is_in_exactly_one_bucket_and_every_share_is_a_share(stays: list[tuple]) -> None:
    found = day_of(stays).kpis()
    assert found.offered == len(stays)
    assert found.offered == found.answered + sum(found.left.values()) + found.waiting
    for share in found.service_levels.values():
        assert share is None or 0.0 <= share <= 1.0
    for spread in filter(None, found.spreads().values()):
        assert spread.p50_s <= spread.p90_s <= spread.longest_s
        assert spread.mean_s <= spread.longest_s or math.isclose(spread.mean_s, spread.longest_s)
