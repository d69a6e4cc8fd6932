"""Plays flow tests and tells what came of each.

Called by `cordboard test` and by the benchmarks. Tests share flows and premises and nothing else: each call is a
rehearsal of its own, so their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cordboard.config.document import Keys
from cordboard.simulation.acting import Caller, CannotBe
from cordboard.simulation.events import Event
from cordboard.simulation.expectations import judge, path_of
from cordboard.simulation.flow_tests import FlowTest
from cordboard.simulation.premises import Premises
from cordboard.simulation.rehearsal import Impossible, Rehearsal


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not as it should be. what: the step or expectation, as written; node: where it showed; place: file
    and line.
    """

    what: str
    expected: str
    instead: str
    node: str
    place: str


@dataclass(frozen=True, slots=True)
class Played:
    """A test that was played. path: all nodes, in order; events: all that happened; lasted_s: of simulated time."""

    test: FlowTest
    failures: tuple[Failure, ...]
    path: tuple[str, ...]
    events: tuple[Event, ...]
    lasted_s: float

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.failures


def play_all(tests: Iterable[FlowTest], premises: Premises) -> list[Played]:
    """Every test, played in order."""
    return [play(test, premises) for test in tests]


def play(test: FlowTest, premises: Premises) -> Played:
    """One test, played to its end or to the first step that cannot be."""
    call = Rehearsal(premises, test.flow, test.given, test.language)
    failures = _perform(test, call) or _judge(test, call)
    return Played(test, tuple(failures), tuple(path_of(call)), tuple(call.events), call.lasted_s)


def _perform(test: FlowTest, call: Rehearsal) -> list[Failure]:
    """What the caller does, to the end of the call; what cannot be, if something cannot."""
    caller, what = Caller(call), ""
    keys: Keys = ()
    try:
        for number, step in enumerate(test.steps):
            keys, what = ("caller", number), _shown(step.model_dump(exclude_unset=True))
            caller.do(step)
        keys, what = (), "after the last step"
        caller.stay()
    except CannotBe as cannot:
        return [Failure(what, cannot.expected, cannot.instead, call.run.node, test.place_of(keys))]
    except Impossible as fault:
        return [Failure(what, "the call to end", str(fault), call.run.node, test.place_of(keys))]
    return []


def _judge(test: FlowTest, call: Rehearsal) -> list[Failure]:
    return [
        Failure(
            _key(difference.keys),
            difference.expected,
            difference.instead,
            difference.node,
            test.place_of(("expect", *difference.keys)),
        )
        for difference in judge(test.expect, call)
    ]


def _key(keys: Keys) -> str:
    return "expect " + ".".join(map(str, keys[:1]))


def _shown(step: dict[str, object]) -> str:
    return ", ".join(f"{key}: {_plain(value)}" for key, value in step.items())


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "true" if value is True else str(value)
