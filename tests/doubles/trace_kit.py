"""Traces of calls that were walked through a flow by hand, as the service would have written them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.given import StepKind
from cordboard.flows.replay import Difference, first_difference
from cordboard.flows.run import FlowRun, Step
from cordboard.flows.trace import TracedStep
from cordboard.service.tracing import CallTraces
from cordboard.store.traces import StepNote
from cordboard.telephony.outcomes import Outcome
from tests.doubles.flow_kit import CALL, NOON


@dataclass
class Rows:
    """A writer that keeps what it is given."""

    rows: list[dict[str, object]] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)

    def add(self, note: StepNote) -> None:
        self.rows.append(note.row())

    def end(self, call_id: str, result: str) -> None:
        self.ends.append((call_id, result))


class TracedWalk:
    """One call that goes through flows, each step of it noted, a minute after the one before."""

    def __init__(self, flow: Flow) -> None:
        self.first = flow
        self.flows = _flows_in(flow)
        self.writer = Rows()
        self._sink = CallTraces(self.writer)
        run = FlowRun.begin(flow, CALL)
        self.step = self._noted("start", run.start(self._now()))

    def _now(self) -> datetime:
        return NOON + timedelta(minutes=len(self.writer.rows))

    def _noted(
        self,
        kind: StepKind,
        step: Step,
        outcome: Outcome | None = None,
        reason: str = "",
        before: FlowRun | None = None,
    ) -> Step:
        self._sink.note(CALL, kind, outcome, reason, step, self._now(), before=before)
        self.step = step
        return step

    def advance(self, *outcomes: Outcome) -> Step:
        for outcome in outcomes:
            self._noted("advance", self.step.run.advance(outcome, self._now()), outcome)
        return self.step

    def fail(self, reason: str) -> Step:
        return self._noted("fail", self.step.run.fail(reason, self._now()), reason=reason)

    def come_back(self, outcome: Outcome | None = None) -> Step:
        """On another worker, which finds the call where it was last noted."""
        self._sink = CallTraces(self.writer)
        run = self.step.run
        found = FlowRun.restore(run.base, CALL, run.snapshot())
        if outcome is None:
            return self._noted("resume", found.resume(self._now()), before=found)
        return self._noted("return", found.resume_with(outcome, self._now()), outcome, before=found)

    def lose(self) -> Step:
        """On another worker, which knows the place only, as the database has lost what was entered."""
        self._sink = CallTraces(self.writer)
        run = self.step.run
        found = FlowRun.from_checkpoint(run.flow, CALL, parse_checkpoint(run.checkpoint()))
        return self._noted("fail", found.fail("lost", self._now()), reason="lost", before=found)

    def into(self, flow: Flow) -> Step:
        self.flows |= _flows_in(flow)
        return self._noted("start", self.step.run.into(flow).start(self._now()))

    @property
    def steps(self) -> list[TracedStep]:
        """What was written, as it is read."""
        return [
            TracedStep(row["kind"], NOON + timedelta(minutes=number), row["flow"], row["revision"], row["record"])  # type: ignore[arg-type]
            for number, row in enumerate(self.writer.rows)
        ]

    @property
    def text(self) -> str:
        """All that was written."""
        return "\n".join(str(row) for row in self.writer.rows)

    def difference(self, *, is_exact: bool = True) -> Difference | None:
        """Where a replay differs."""
        return first_difference(CALL, self.steps, lambda name, _: self.flows.get(name), is_exact=is_exact)


def _flows_in(flow: Flow) -> dict[str, Flow]:
    """A flow, and all that it calls."""
    found = {flow.name: flow}
    for called in flow.subflows.values():
        found |= _flows_in(called)
    return found
