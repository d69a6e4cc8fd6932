"""Measures the flow engine: steps, loading, flow tests, memory."""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cordboard.bootstrap.rehearsing import played_tests, premises_of
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import LabError
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.run import FlowRun
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Connected, Done, Gathered, HungUp, NoInput, Outcome
from tests.bench.flows.configuration import long_flow, write_site
from tests.bench.flows.figures import TEST_CASES, FlowFigures

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CALL = Call("01KAJ5Q8XZC3T4V6W7Y8Z9ABCD", "asterisk", "1.1", "5000", NOW, ani="+442079460123")
CALLS = 2_000  # in a round
LIVE_CALLS = 5_000  # for the memory

# One call: welcome, silence, a wrong key, Spanish, an account number read back, the adviser.
COURSE: tuple[Outcome, ...] = (
    Done(), Done(), NoInput(), Gathered("7", "full"), Gathered("3", "full"), Gathered("2", "full"),
    Gathered("912345", "full"), Done(), Connected(20.0), HungUp(),
)  # fmt: skip


def measure_flows(rounds: int) -> FlowFigures:
    """All of it. Raises LabError if the flow does not go the way it should."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        write_site(Path(folder))
        flow = premises_of(Path(folder)).flows["company"]
        engine = [_engine(flow) for _ in range(rounds)]
        tests_s = [_tests(Path(folder)) for _ in range(rounds)]
    return FlowFigures(
        steps_per_s=[steps for steps, _ in engine],
        nodes_per_s=[nodes for _, nodes in engine],
        load_s=[_load() for _ in range(rounds)],
        tests_s=tests_s,
        kb_a_call=_memory_kb(flow),
        took_s=time.monotonic() - began,
    )


def _engine(flow: Flow) -> tuple[float, float]:
    """Verbs and nodes a second."""
    steps = nodes = 0
    began = time.process_time()
    for _ in range(CALLS):
        step = FlowRun.begin(flow, CALL).start(NOW)
        nodes += len(step.entered)
        for outcome in COURSE:
            step = step.run.advance(outcome, NOW)
            nodes += len(step.entered)
        steps += len(COURSE) + 1
    taken_s = time.process_time() - began
    if step.finish is None or step.run.path[-1] != "company/bye":
        raise LabError(f"the measured call ended at {step.run.path[-1:]}")
    return steps / taken_s, nodes / taken_s


def _load() -> float:
    """Seconds for a file of 3,000 nodes, from its text to a flow with everything checked."""
    text = long_flow().encode()
    began = time.process_time()
    flow = load_flow(parse_yaml(text, "long.yaml"), None)
    taken_s = time.process_time() - began
    if flow.warnings:
        raise LabError(f"the long flow is not clean: {flow.warnings[0]}")
    return taken_s


def _tests(folder: Path) -> float:
    """Seconds for 1,000 flow tests, files and flows included."""
    began = time.process_time()
    results = played_tests(folder, [folder])
    taken_s = time.process_time() - began
    passed = sum(1 for one in results.played if one.passed)
    if passed != TEST_CASES:
        raise LabError(f"{passed} of {TEST_CASES} flow tests passed: {_first_failure(results.played)}")
    return taken_s


def _first_failure(played: Iterable[object]) -> str:
    return next((str(one) for one in played if not getattr(one, "passed", False)), "")


def _memory_kb(flow: Flow) -> float:
    """Of a call that has entered an account number and waits at the menu again."""
    gc.collect()
    tracemalloc.start()
    runs = [_waiting(flow, number) for number in range(LIVE_CALLS)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(runs) / 1024


def _waiting(flow: Flow, number: int) -> FlowRun:
    call = Call(f"{number:026d}", "asterisk", f"{number}.1", "5000", NOW, ani=f"+4420{number:08d}")
    step = FlowRun.begin(flow, call).start(NOW)
    for outcome in (Done(), Done(), Gathered("2", "full"), Gathered(f"1{number:05d}", "full"), Done()):
        step = step.run.advance(outcome, NOW)
    return step.run
