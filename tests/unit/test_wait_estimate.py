"""How long a caller will wait: cases whose answer is known, and what must hold whatever comes."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest

from cordboard.acd.absences import Absence
from cordboard.acd.estimate_errors import estimate_errors
from cordboard.acd.handle_times import Handling, TalkTimes
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Moment, Needs, RelaxStep, WaitingCall
from cordboard.acd.told_share import ToldShare
from cordboard.acd.wait_estimate import Away, Kind, Line, Server, estimate, to_tell
from cordboard.acd.wait_formulas import (
    MovingAverage,
    QueueFigures,
    connect_style,
    google_ccai,
    mitel,
    position_share,
    statserver,
)
from cordboard.acd.wait_history import WaitHistory
from cordboard.acd.wait_line import AtWork, AwayPlace, wait_line
from tests.doubles.matching_kit import NOW, plan_of, waiting

ALWAYS_100 = Handling(TalkTimes((100.0, 100.0)))
ANYBODY = frozenset({0})


def likely(line: Line) -> float:
    found = estimate(line, Random(1))
    assert found is not None
    return found.likely_s


def talking(talked_s: float, kinds: frozenset[int] = ANYBODY) -> Server:
    return Server(kinds, handling=ALWAYS_100, talked_s=talked_s)


def line(servers: list[Server], ahead: int = 0, **kind: float) -> Line:
    return Line([Kind(ALWAYS_100, **kind)], servers, [0] * ahead, 0)


def test_where_all_talks_are_alike_the_wait_is_exact() -> None:
    assert likely(line([talking(30)])) == 70
    assert likely(line([talking(30), talking(80)])) == 20
    assert likely(line([talking(30), talking(80)], ahead=1)) == 70
    assert likely(line([talking(30)], ahead=2)) == 270


def test_who_talks_still_has_the_whole_wrap_up_before_them_and_a_phone_must_ring() -> None:
    handling = Handling(ALWAYS_100.talk, rings=(4.0,), wrap_up_s=20)
    here = Line([Kind(handling)], [Server(ANYBODY, handling=handling, talked_s=90)], [0], 0)
    assert likely(here) == 10 + 20 + (4 + 100 + 20) + 4


def test_agents_who_may_not_serve_the_caller_help_only_with_those_ahead() -> None:
    others = Kind(ALWAYS_100)
    both, theirs = frozenset({0, 1}), frozenset({1})
    assert likely(Line([others, others], [talking(50, both)], [1], 0)) == 150
    assert likely(Line([others, others], [talking(50, both), talking(60, theirs)], [1], 0)) == 50


def test_nobody_at_work_gives_no_estimate() -> None:
    assert estimate(line([]), Random(1)) is None
    assert estimate(line([talking(10, frozenset({1}))]), Random(1)) is None


def test_callers_who_give_up_shorten_the_wait_and_those_who_overtake_lengthen_it() -> None:
    plain = likely(line([talking(0)], ahead=5))
    assert likely(line([talking(0)], ahead=5, gives_up_per_s=0.01)) < plain
    assert likely(line([talking(0)], ahead=5, overtaken_per_s=0.003)) > plain


def coming_back(share: float, due_in_s: float) -> Absence:
    return Absence(share, due_in_s=due_in_s)


def test_who_is_away_and_stands_ahead_goes_first_if_they_are_back_in_time() -> None:
    alone = line([talking(30), talking(80)])
    for absence, wait_s in ((coming_back(1, 10), 70), (coming_back(1, 25), 20), (coming_back(0, 0), 20)):
        assert likely(replace(alone, away=[Away(0, 0, absence)])) == wait_s


def test_who_comes_back_stands_where_they_stood() -> None:
    both, theirs = frozenset({0, 1}), frozenset({1})
    others = Kind(ALWAYS_100)
    here = Line([others, others], [talking(50, both), talking(60, theirs)], [1], 0)
    for place in (0, 1):
        assert likely(replace(here, away=[Away(1, place, coming_back(1, 45))])) == 150
        assert likely(replace(here, away=[Away(1, place, coming_back(1, 55))])) == 50


def test_a_place_that_is_given_up_first_is_no_place() -> None:
    gone = Absence(1.0, TalkTimes((40.0, 40.0)), gone_s=10.0, left_s=20.0)
    assert gone.draw_back_s(Random(1)) == math.inf
    assert replace(gone, left_s=35.0).draw_back_s(Random(1)) == 30


def test_four_in_five_wait_no_longer_than_told() -> None:
    spread = Handling(TalkTimes(tuple(float(length) for length in range(1, 102))))
    found = estimate(Line([Kind(spread)], [Server(ANYBODY, handling=spread)], [], 0), Random(1))
    assert found is not None
    assert found.likely_s == pytest.approx(51, abs=12)
    assert found.at_most_s == pytest.approx(81, abs=10)
    assert to_tell(81.0, None) == 81.0
    assert (to_tell(90.0, 81.0), to_tell(70.0, 81.0)) == (81.0, 70.0)


def test_what_is_left_of_a_talk_is_drawn_from_those_that_took_longer() -> None:
    chance, talks = Random(1), TalkTimes((10.0, 20.0, 300.0, 320.0))
    left = [talks.draw_left(150, chance) for _ in range(500)]
    assert min(left) >= 0
    assert max(left) <= 170
    assert sum(left) / 500 > 100
    assert talks.draw_left(400, chance) > 0


def test_a_queue_without_a_past_is_answered_for_with_usual_figures() -> None:
    history = WaitHistory()
    assert 100 < history.handling("sales").mean_s < 260
    assert history.gives_up_per_s("sales") == history.overtaken_per_s("sales", 0, NOW.wall) == 0


def told(kind: str, at: float = NOW.wall, entry: str = "e", **data: object) -> LedgerRow:
    return LedgerRow(0, f"{entry}:{kind}", at, kind, "c", entry, "o", "sales", "alice", "", data)


def test_the_past_is_taken_from_the_ledger() -> None:
    history = WaitHistory()
    for _ in range(12):
        history.take(told("entered_queue", priority=5))
        history.take(told("left_queue", because="abandoned", wait_s=50.0))
        history.take(told("talk_ended", talk_s=200.0))
        history.take(told("offer_ended", end="served", ring_s=4.0))
        history.take(told("wrap_up_ended", wrap_up_s=30.0))
    assert history.handling("sales").mean_s == pytest.approx(234)
    assert history.gives_up_per_s("sales") == pytest.approx(1 / 50)
    assert history.overtaken_per_s("sales", 0, NOW.wall) == pytest.approx(12 / 1800)
    assert history.overtaken_per_s("sales", 5, NOW.wall) == 0
    assert history.overtaken_per_s("sales", 0, NOW.wall + 7200) == 0


def test_it_is_seen_who_comes_back_and_after_how_long() -> None:
    history = WaitHistory()
    for number in range(18):
        entry = f"e{number}"
        history.take(told("stepped_out", NOW.wall, entry, entry_kind="call"))
        ended = ("came_back", {}) if number % 2 else ("left_queue", {"because": "exit_key", "wait_s": 5.0})
        history.take(told(ended[0], NOW.wall + 12, entry, **ended[1]))
    absence = history.absence("sales", "another", "call", 60.0, 0.0, NOW.wall)
    assert absence.share == 0.5
    assert absence.times is not None and absence.times.lengths[1:-1].count(12.0) == 8
    history.take(told("stepped_out", NOW.wall, "me", entry_kind="call"))
    assert history.absence("sales", "me", "call", 60.0, 0.0, NOW.wall + 5).gone_s == 5
    assert history.absence("sales", "x", "callback", math.inf, 90.0, NOW.wall).due_in_s == 90


def estimated(number: int, at_most_s: float, waited_s: float) -> list[LedgerRow]:
    figures = {"waited_s": 2.0, "likely_s": 1.0, "at_most_s": at_most_s}
    entry = f"e{number}"
    return [told("wait_estimated", entry=entry, **figures), told("joined", entry=entry, wait_s=waited_s)]


def test_what_is_told_follows_what_came_of_what_was_told() -> None:
    history = WaitHistory()
    assert history.told_share("sales") == 0.8
    for row in estimated(1, at_most_s=10.0, waited_s=12.1):
        history.take(row)
    after_a_miss = history.told_share("sales")
    assert after_a_miss == pytest.approx(0.816)
    for number in range(4):
        for row in estimated(2 + number, at_most_s=10.0, waited_s=12.0):
            history.take(row)
    assert history.told_share("sales") == pytest.approx(0.8), "one in five is what is claimed"
    assert history.told_share("support") == 0.8


@pytest.mark.parametrize("wrong_by", [0.6, 1.5])
def test_four_in_five_hold_however_wrong_the_plays_are(wrong_by: float) -> None:
    """wrong_by: what callers wait, as a multiple of what the plays say."""
    chance, told_share, kept = Random(1), ToldShare(), []
    for _ in range(3_000):
        plays = sorted(chance.expovariate(1.0) for _ in range(200))
        at_most_s = plays[math.ceil(told_share.share * 200) - 1]
        kept.append(chance.expovariate(1.0) * wrong_by <= at_most_s)
        told_share.take(is_kept=kept[-1])
    assert sum(kept) / len(kept) == pytest.approx(0.8, abs=0.01)


PLAN = plan_of({"alice": "sales support", "bob": "support"})


def built(call: WaitingCall, others: list[WaitingCall], at_work: list[AtWork], now: Moment = NOW) -> Line:
    return wait_line(call, others, at_work, PLAN, WaitHistory(), now)


def test_those_go_first_whom_matching_lets_go_first() -> None:
    me = waiting("me", "sales", 30)
    others = [
        me,
        waiting("earlier", "sales", 40),
        waiting("later", "sales", 20),
        waiting("later_but_urgent", "sales", 20, priority=5),
        waiting("elsewhere_earlier", "support", 40),
        waiting("elsewhere_later", "support", 20),
    ]
    here = built(me, others, [AtWork("alice"), AtWork("bob")])
    assert sorted(here.ahead) == [0, 0, 1]
    assert [server.kinds for server in here.servers] == [{0, 1}, {1}]


def test_those_who_are_away_and_go_first_count() -> None:
    me, earlier, later = waiting("me", "sales", 30), waiting("earlier", "sales", 40), waiting("later", "sales", 20)
    elsewhere = waiting("elsewhere", "support", 50)
    away = [AwayPlace(one, "call", 60.0) for one in (earlier, later, elsewhere)]
    here = wait_line(me, [me, waiting("first", "sales", 45)], [AtWork("alice")], PLAN, WaitHistory(), NOW, away)
    assert [(one.kind, one.behind) for one in here.away] == [(0, 1), (1, 0)]


def test_queues_that_share_no_agent_at_work_do_not_count() -> None:
    me, other = waiting("me", "sales", 30), waiting("elsewhere", "support", 40)
    assert built(me, [me, other], [AtWork("alice")]).ahead == [1]
    assert built(waiting("me", "support", 30), [waiting("x", "sales", 40)], [AtWork("bob")]).ahead == []


def test_what_nobody_has_is_waited_for_until_less_is_asked() -> None:
    needs = Needs((("spanish", 3),), relax=(RelaxStep(50.0, drop=("spanish",)),))
    me = replace(waiting("me", "sales", 30), needs=needs)
    here = built(me, [me], [AtWork("alice", left_s=5.0)])
    assert here.not_before_s == pytest.approx(20)
    assert likely(here) == pytest.approx(20)
    for_ever = replace(me, needs=Needs((("spanish", 3),)))
    assert estimate(built(for_ever, [for_ever], [AtWork("alice")]), Random(1)) is None


def test_the_error_of_a_queue_is_known_from_its_ledger() -> None:
    rows = []
    for number, (likely_s, at_most_s, waited_s) in enumerate([(10, 20, 15), (10, 20, 25), (30, 50, 20)]):
        figures = {"waited_s": 2.0, "likely_s": likely_s, "at_most_s": at_most_s}
        rows += [told("wait_estimated", entry=f"e{number}", **figures)]
        rows += [told("joined", entry=f"e{number}", wait_s=waited_s + 2.0)]
    rows += [told("wait_estimated", entry="gave_up", waited_s=0.0, likely_s=1.0, at_most_s=1.0)]
    found = estimate_errors(reversed(rows), "sales")
    assert found is not None
    assert (found.count, found.error_s, found.bias_s, found.kept) == (3, 10.0, -5.0, pytest.approx(2 / 3))
    assert estimate_errors(rows, "support") is None


def test_the_formulas_of_others() -> None:
    average = MovingAverage()
    for _ in range(30):
        average.take(120)
    assert 110 < average.holdtime_s <= 120
    average.holdtime_s = 120
    assert [average.wait_s(waited_s) for waited_s in (0, 130, 600)] == [120, 0, 420]  # and it climbs again
    figures = QueueFigures(position=3, waiting=6, agents=4, aht_s=200.0, talk_s=160.0, asa_s=20.0, abandoned=0.1)
    assert position_share(figures) == 150
    assert connect_style(figures) == 135
    assert statserver(figures, 0.5) == 600
    assert mitel(figures) == 120
    assert mitel(QueueFigures(3, 3, 0)) == 180
    shared = replace(figures, shares=2.5, available=1, callbacks=3)
    assert google_ccai(shared) == 200 / 2.5 * (6 - 1 + 3) + 10
    assert google_ccai(replace(shared, shares=4.0, available=9, callbacks=0)) == 10
