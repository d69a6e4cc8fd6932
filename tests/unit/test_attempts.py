"""How often logging in may fail."""

from __future__ import annotations

from cordboard.service.attempts import COUNTERS, Attempts


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def used_up(clock: Clock, limit: int = 5) -> Attempts:
    made = Attempts(limit, 100.0, clock)
    for _ in range(limit):
        assert made.wait_s("alice") == 0
        made.count("alice")
    return made


def test_so_many_attempts_and_no_more() -> None:
    assert used_up(Clock()).wait_s("alice") == 20


def test_one_more_after_its_share_of_the_time_and_all_after_all_of_it() -> None:
    clock = Clock()
    made = used_up(clock)
    clock.now += 19.5
    assert made.wait_s("alice") == 1
    clock.now += 0.5
    assert made.wait_s("alice") == 0
    made.count("alice")
    assert made.wait_s("alice") == 20
    clock.now += 1_000
    assert used_up(clock).wait_s("alice") == 20


def test_a_right_attempt_does_not_count() -> None:
    made = used_up(Clock())
    made.forgive("alice")
    assert made.wait_s("alice") == 0


def test_a_flood_of_names_neither_frees_a_name_nor_costs_memory() -> None:
    made = used_up(Clock())
    for number in range(3 * COUNTERS):
        made.count(f"name {number}")
    assert made.wait_s("alice") > 0
    assert len(made._full_until) == COUNTERS


def test_nobody_can_tell_which_names_share_a_counter() -> None:
    names = [f"name {number}" for number in range(200)]
    dealt = [tuple(Attempts(5, 100.0)._counter(name) for name in names) for _ in range(2)]
    assert dealt[0] != dealt[1]


def test_odd_names_are_names() -> None:
    made = Attempts(1, 100.0, Clock())
    for name in ("", "\ud800", "\x00", "é" * 10_000):
        made.count(name)
        assert made.wait_s(name) >= 100
