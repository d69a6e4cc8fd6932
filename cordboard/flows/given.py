"""What the engine is given for a step of a call, as a value: so that a step can be made again, now or in a year.

Used by `trace`, which writes it down, and `replay`, which reads it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cordboard.flows.run import FlowRun, Step
from cordboard.telephony.outcomes import Interrupted, Outcome

StepKind = Literal["start", "advance", "resume", "return", "fail"]
"""Which method of the engine made a step: `start` (also of the next flow), `advance`, `resume`, `resume_with`,
`fail`.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """outcome: for `advance` and `return`; reason: for `fail`. at: aware.

    keys:   those that had been typed ahead, with those of an `Interrupted`; secret ones hidden.
    before: the snapshot of the run that was continued, where it was not what the step before had left.
    """

    kind: StepKind
    at: datetime
    outcome: Outcome | None = None
    reason: str = ""
    keys: str = field(default="", repr=False)
    before: Mapping[str, Any] | None = field(default=None, repr=False)


def make_step(run: FlowRun, given: Given) -> Step:
    """The step that the engine makes of it. run: the one that goes on; for "start", one that has not started."""
    run, outcome = _with_keys(run, given)
    if given.kind == "start":
        return run.start(given.at)
    if given.kind == "fail":
        return run.fail(given.reason, given.at)
    if outcome is None:
        return run.resume(given.at)
    return run.resume_with(outcome, given.at) if given.kind == "return" else run.advance(outcome, given.at)


def typed_keys(run: FlowRun, outcome: Outcome | None) -> str:
    """All keys that came before the question they belong to."""
    return run.typed + (outcome.digits if isinstance(outcome, Interrupted) else "")


def _with_keys(run: FlowRun, given: Given) -> tuple[FlowRun, Outcome | None]:
    """The run and the outcome with the keys as they were noted."""
    outcome, keys = given.outcome, given.keys
    if isinstance(outcome, Interrupted):
        before = len(keys) - len(outcome.digits)
        return run.with_typed(keys[:before]), Interrupted(keys[before:])
    return (run.with_typed(keys) if keys else run), outcome
