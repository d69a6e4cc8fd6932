"""The flow library, walked through in the simulator, and once more on a phone: which trace does that leave?

A walk is what came of each verb. On a phone the caller does what makes the same come of it: keys are pressed,
nothing is said, somebody is dialled who is busy, the caller leaves. What no phone has part in
(web services, queues) comes out as in the simulator. How long somebody waited, spoke or talked does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path

from cordboard.bootstrap.rehearsing import premises_of
from cordboard.flows.given import Given
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.trace import record_of
from cordboard.simulation.acting import Caller
from cordboard.simulation.files import load_all
from cordboard.simulation.flow_tests import FlowTest
from cordboard.simulation.premises import Premises
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import (
    Connected,
    Failed,
    Gathered,
    HandedOver,
    HungUp,
    Interrupted,
    NoInput,
    NotConnected,
    Outcome,
    Recorded,
)
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import (
    Answer,
    Dial,
    Extension,
    Gather,
    Hangup,
    Play,
    Record,
    RecordCall,
    Say,
    Transfer,
    Verb,
)
from tests.contract.edges import HELLO, CallingParty, Edge, Part

ON_THE_PHONE = (Answer, Play, Say, Gather, Record, RecordCall, Dial, Transfer, Hangup)
PARTS: dict[str, Part] = {"busy": "busy", "no_answer": "rings", "rejected": "rejects", "unreachable": "absent"}
BRIEF_S, LONG_S = 0.5, 30.0  # a wait that is to pass, and one that is not
_numbers = count(1)


@dataclass
class Walk:
    """A test of the library as the simulator walked through it. outcomes: with their moments; records: its trace;
    ways: each node that it was in, with the kind of verb and of outcome that it had there.
    """

    test: FlowTest
    call: Call
    start: FlowRun
    began: datetime
    outcomes: list[tuple[Outcome, datetime]]
    records: list[str]
    ways: set[tuple[str, str, str]]

    @property
    def name(self) -> str:
        """Flow and test."""
        return f"{self.test.flow.name}: {self.test.name}"


class NotedRehearsal(Rehearsal):
    """Keeps what came of each verb, and each step."""

    def __init__(self, premises: Premises, test: FlowTest) -> None:
        self.outcomes: list[tuple[Outcome, datetime]] = []
        self.steps: list[Step] = []
        super().__init__(premises, test.flow, test.given, test.language)

    def _advance(self, outcome: Outcome) -> None:
        self.outcomes.append((outcome, self.now))
        super()._advance(outcome)

    def _perform(self, verb: Verb) -> Outcome | None:
        outcome = super()._perform(verb)
        if outcome is not None:
            self.outcomes.append((outcome, self.now))
        return outcome

    def _note_step(self, step: Step) -> None:
        self.steps.append(step)
        super()._note_step(step)


def walks(directory: Path) -> list[Walk]:
    """So many tests of a library that all comes of every node which comes of it in any of them."""
    premises = premises_of(directory)
    return _covering([_walk(premises, test) for test in load_all([directory], premises)])


def few_of(all_walks: Sequence[Walk]) -> list[Walk]:
    """So many of them that all comes of every kind of verb in every flow."""
    coarse = [
        replace(walk, ways={(place.partition("/")[0], verb, outcome) for place, verb, outcome in walk.ways})
        for walk in all_walks
    ]
    return _covering(coarse)


def _covering(all_walks: Sequence[Walk]) -> list[Walk]:
    chosen: list[Walk] = []
    missing = set().union(*(walk.ways for walk in all_walks))
    while missing:
        best = max(all_walks, key=lambda walk: len(walk.ways & missing))
        chosen.append(best)
        missing -= best.ways
    return chosen


def _walk(premises: Premises, test: FlowTest) -> Walk:
    rehearsal = NotedRehearsal(premises, test)
    caller = Caller(rehearsal)
    for step in test.steps:
        caller.do(step)
    caller.stay()
    began = rehearsal.steps[0].run
    start = FlowRun.begin(test.flow, began.call, test.language)
    walk = Walk(test, began.call, start, began.call.started_at, rehearsal.outcomes, [], set())
    steps = _steps(walk, rehearsal.outcomes)
    walk.records = [record for record, _ in steps]
    for (_, step), (outcome, _) in zip(steps, rehearsal.outcomes, strict=False):
        walk.ways.add((f"{step.run.flow.name}/{step.run.node}", type(step.verb).__name__, type(outcome).__name__))
    return walk


def _steps(walk: Walk, outcomes: Sequence[tuple[Outcome, datetime]]) -> list[tuple[str, Step]]:
    """The engine's steps for these outcomes, each with its record."""
    step = walk.start.start(walk.began)
    made = [(record_of(Given("start", walk.began), step, is_secret=False), step)]
    for outcome, at in outcomes:
        if step.verb is None:
            break
        step = step.run.advance(outcome, at)
        made.append((record_of(Given("advance", at, outcome), step, is_secret=False), step))
    return made


async def trace_on(edge: Edge, walk: Walk) -> list[str]:
    """The records of the same walk on a phone."""
    caller = await edge.call()
    phone = await edge.worker.phone(caller.leg_id)
    made: list[tuple[Outcome, datetime]] = []
    for outcome, at in walk.outcomes:
        _, step = _steps(walk, made)[-1]
        if step.verb is None:
            break
        if isinstance(step.verb, ON_THE_PHONE) and not isinstance(outcome, Failed):
            came, phone = await _performed(edge, caller, phone, step.verb, outcome)
        else:
            came = outcome
        made.append((came, at))
        if isinstance(came, HungUp):
            await _leave(caller)
    return [record for record, _ in _steps(walk, made)]


async def _performed(
    edge: Edge, caller: CallingParty, phone: Phone, verb: Verb, wanted: Outcome
) -> tuple[Outcome, Phone]:
    """What comes of a verb, and the phone that has the call now."""
    acting = asyncio.ensure_future(_act(caller, verb, wanted))
    try:
        outcome = await phone.perform(_hurried(edge, verb, wanted), "cp:1")
        await acting
    finally:
        acting.cancel()
    if isinstance(outcome, HandedOver):
        if isinstance(wanted, HungUp):
            return wanted, phone
        phone = await edge.worker.phone(caller.leg_id)
        assert phone.arrival.returned is not None
        outcome = phone.arrival.returned
    return _without_times(outcome, wanted), phone


async def _act(caller: CallingParty, verb: Verb, wanted: Outcome) -> None:
    """What the caller does so that it comes out as wanted."""
    await asyncio.sleep(0.3)
    if isinstance(wanted, HungUp) and not isinstance(verb, Hangup):
        await caller.hang_up()
    elif isinstance(wanted, Recorded):
        await asyncio.sleep(0.5)
        if wanted.hung_up:
            await caller.hang_up()
    elif isinstance(wanted, Interrupted):
        await caller.press(wanted.digits)
    elif isinstance(wanted, Gathered) and isinstance(verb, Gather):
        end_key = verb.end_key if wanted.ended_by == "end_key" else ""
        await caller.press(wanted.digits[len(verb.typed) :] + end_key)


def _hurried(edge: Edge, verb: Verb, wanted: Outcome) -> Verb:
    """The verb with waits that are as short, and prompts that are as long, as this takes."""
    if isinstance(verb, Gather):
        first_s = BRIEF_S if isinstance(wanted, NoInput) else LONG_S
        ends_by_pause = isinstance(wanted, Gathered) and wanted.ended_by == "timeout"
        pause_s = 3 * BRIEF_S if ends_by_pause else LONG_S
        return replace(verb, first_digit_s=first_s, inter_digit_s=pause_s, barge_in=True)
    if isinstance(verb, Play) and isinstance(wanted, Interrupted | HungUp):
        return replace(verb, prompts=(HELLO, HELLO, HELLO))
    if isinstance(verb, Record):
        longest_s = LONG_S if isinstance(wanted, Recorded) and wanted.hung_up else 1.0
        return replace(verb, file=f"walk-{next(_numbers)}", max_s=longest_s, silence_s=LONG_S)
    if isinstance(verb, RecordCall) and verb.file:
        return replace(verb, file=f"walk-{next(_numbers)}")
    if isinstance(verb, Dial):
        return replace(verb, targets=(_target(edge, wanted),), ring_s=1.0, screen=())
    if isinstance(verb, Transfer):
        return Transfer(Extension("1", edge.device("patient")))
    return verb


def _target(edge: Edge, wanted: Outcome) -> Extension:
    part: Part = "patient"
    if isinstance(wanted, Connected):
        part = "answers"
    elif isinstance(wanted, NotConnected):
        part = PARTS.get(wanted.reason, "absent")
    return Extension("1", edge.device(part))


def _without_times(outcome: Outcome, wanted: Outcome) -> Outcome:
    """How long somebody spoke or talked, and where a message is, is taken from the walk."""
    if isinstance(outcome, Connected) and isinstance(wanted, Connected):
        return wanted
    if isinstance(outcome, Recorded) and isinstance(wanted, Recorded):
        return replace(wanted, hung_up=outcome.hung_up)
    return outcome


async def _leave(caller: CallingParty) -> None:
    """The caller is gone, if they are not already."""
    with contextlib.suppress(Exception):
        await caller.hang_up()
