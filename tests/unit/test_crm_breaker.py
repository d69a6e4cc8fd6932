"""The breaker, by hand and by random courses of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cordboard.crm.breaker import Breaker, Ticket

THRESHOLD, REST_S = 3, 5.0


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(THRESHOLD, REST_S)
    for _ in range(THRESHOLD):
        ticket = breaker.enter(at)
        assert ticket is not None
        breaker.failed(ticket, at)
    return breaker


def test_it_opens_after_failures_in_a_row_and_tells_so_once() -> None:
    breaker = Breaker(THRESHOLD, REST_S)
    ticket = breaker.enter(0)
    assert ticket is not None
    assert [breaker.failed(ticket, 0) for _ in range(5)] == [False, False, True, False, False]
    assert breaker.enter(REST_S - 0.01) is None


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    breaker = Breaker(THRESHOLD, REST_S)
    ticket = breaker.enter(0)
    assert ticket is not None
    for _ in range(10):
        assert not breaker.failed(ticket, 0)
        assert not breaker.failed(ticket, 0)
        assert not breaker.answered(ticket, 0)
    assert breaker.state == "closed"


def test_one_question_probes_and_its_answer_closes() -> None:
    breaker = opened()
    ticket = breaker.enter(REST_S)
    assert ticket is not None
    assert [breaker.enter(REST_S) for _ in range(10)] == [None] * 10
    assert breaker.answered(ticket, REST_S + 1)
    assert breaker.state == "closed"


def test_a_probe_that_fails_opens_it_for_another_rest() -> None:
    breaker = opened()
    ticket = breaker.enter(REST_S)
    assert ticket is not None
    assert breaker.failed(ticket, REST_S + 1)
    assert breaker.enter(2 * REST_S) is None
    assert breaker.enter(2 * REST_S + 1) is not None


def test_a_probe_that_never_comes_back_gives_way_to_another() -> None:
    breaker = opened()
    lost = breaker.enter(REST_S)
    assert lost is not None
    second = breaker.enter(2 * REST_S)
    assert second is not None
    assert not breaker.answered(lost, 2 * REST_S)
    assert breaker.state == "half_open"
    assert breaker.answered(second, 2 * REST_S)


class Courses(RuleBasedStateMachine):
    """Questions asked and answered in any order, late ones too."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(THRESHOLD, REST_S)
        self.now = 0.0
        self.under_way: list[tuple[Ticket, str]] = []
        self.last_pass_while_not_closed = -REST_S
        self.failures_since_anything_good = 0

    @rule(seconds=st.floats(0, 7))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asks(self) -> None:
        state = self.breaker.state
        ticket = self.breaker.enter(self.now)
        if state == "closed":
            assert ticket is not None
        elif ticket is not None:
            assert self.now - self.last_pass_while_not_closed >= REST_S, "one probe for each rest"
            self.last_pass_while_not_closed = self.now
        if ticket is not None:
            self.under_way.append((ticket, self.breaker.state))

    @rule(data=st.data())
    def is_answered(self, data: st.DataObject) -> None:
        if self.under_way:
            ticket, _ = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
            before = self.breaker.state
            has_closed = self.breaker.answered(ticket, self.now)
            assert has_closed == (before != "closed" and self.breaker.state == "closed")
            self.failures_since_anything_good = 0

    @rule(data=st.data())
    def fails(self, data: st.DataObject) -> None:
        if self.under_way:
            ticket, _ = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
            before = self.breaker.state
            self.failures_since_anything_good += 1
            has_opened = self.breaker.failed(ticket, self.now)
            assert has_opened == (before != "open" and self.breaker.state == "open")
            if has_opened and before == "closed":
                assert self.failures_since_anything_good >= THRESHOLD
            if has_opened:
                self.last_pass_while_not_closed = self.now

    @invariant()
    def it_recovers_from_wherever_it_is(self) -> None:
        copy = Breaker(THRESHOLD, REST_S, self.breaker.state, self.breaker._epoch, 0, self.breaker._since)
        ticket = copy.enter(self.now + 2 * REST_S)
        assert ticket is not None
        copy.answered(ticket, self.now + 2 * REST_S)
        assert copy.state == "closed"


TestCourses = Courses.TestCase
TestCourses.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
