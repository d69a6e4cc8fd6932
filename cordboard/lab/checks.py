"""Finds out whether what a scenario expects at its end is true, each within its time. `player` asks.

A check returns "" or what is true instead, in words.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from cordboard.acd.kpis import kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan
from cordboard.errors import LabError
from cordboard.lab import scenario_expectations as expectations
from cordboard.lab.desk_client import DeskClient, Pop, shown_value
from cordboard.lab.evidence import Evidence, LedgerReader
from cordboard.lab.journal import Journal
from cordboard.lab.phone_calls import PhoneCall
from cordboard.lab.stage_parts import Pbx

LOOK_EVERY_S = 0.05  # no event tells the lab that the service's database has changed
SHARE_TOLERANCE = 0.005


class Checks:
    """All checks of one scenario. ledger: None on a stage without a service."""

    def __init__(
        self, evidence: Evidence, pbx: Pbx, journal: Journal, plan: FloorPlan, ledger: LedgerReader | None
    ) -> None:
        self._evidence = evidence
        self._pbx = pbx
        self._journal = journal
        self._plan = plan
        self._ledger = ledger

    async def find_fault(self, expectation: expectations.Expectation) -> str:
        """What is wrong, "" if it has come true. Raises LabError if it cannot be found out here."""
        match expectation:
            case expectations.PathExpected():
                return await self._path(expectation)
            case expectations.NoChannelsLeft():
                return await self._no_channels(expectation.within_s)
            case expectations.NoErrorsLogged():
                return self._no_errors()
            case expectations.PopExpected():
                return await self._pop(expectation)
            case expectations.OffersExpected():
                return await _until_true(lambda: self._offers(expectation), expectation.within_s)
            case expectations.LedgerExpected():
                return await _until_true(lambda: self._kinds(expectation), expectation.within_s)
            case expectations.KpiExpected():
                return await _until_true(lambda: self._kpi(expectation), expectation.within_s)

    # The switch and the service

    async def _no_channels(self, within_s: float) -> str:
        try:
            await self._pbx.wait_for_no_channels(within_s)
        except LabError as fault:
            return str(fault)
        return ""

    def _no_errors(self) -> str:
        errors = self._evidence.errors()
        if not errors:
            return ""
        return f"expected no errors in the service's log, there are {len(errors)}: {', '.join(errors[:5])}"

    async def _path(self, expected: expectations.PathExpected) -> str:
        evidence = self._evidence
        wanted = len(evidence.calls) if expected.calls is None else expected.calls

        def is_taken() -> bool:
            return sum(_follows(path, expected.path) for path in evidence.paths().values()) == wanted

        try:
            await self._journal.wait_until(lambda: evidence.entries if is_taken() else [], expected.within_s)
        except TimeoutError:
            taken = "; ".join(
                f"{evidence.name_of(call) or 'a call'}: {_in_words([node for _, node in path])}"
                for call, path in evidence.paths().items()
            )
            return f"expected {wanted} call(s) on the path {_in_words(expected.path)}, taken was {taken or 'none'}"
        return ""

    # Agents

    async def _pop(self, expected: expectations.PopExpected) -> str:
        agent = self._evidence.agents[expected.pop]
        if agent.desk is None:
            raise LabError("this stage has no desk, so nothing pops up")
        try:
            pop = await agent.desk.popped(lambda pop: pop.shown_at(expected.shown) is not None, expected.within_s)
        except LabError:
            return f"expected on the desk of {expected.pop}: {_values(expected)}; {_shown(agent.desk, expected)}"
        at = pop.shown_at(expected.shown)
        return _too_late(expected, pop, at or pop.at, agent.phone.calls) if expected.before else ""

    # The ledger

    async def _rows(self) -> Sequence[LedgerRow]:
        if self._ledger is None:
            raise LabError("this stage has no service, so there is no ledger")
        return await self._ledger.rows()

    async def _offers(self, expected: expectations.OffersExpected) -> str:
        ends = Counter(
            row.data["end"]
            for row in await self._rows()
            if row.kind == "offer_ended" and row.agent == expected.offers
        )
        if ends[expected.ended] == expected.times:
            return ""
        seen = ", ".join(f"{end} {count}" for end, count in ends.items()) or "none ended"
        wanted = f"{expected.times} offer(s) to {expected.offers} that ended {expected.ended}"
        return f"expected {wanted}, there were: {seen}"

    async def _kinds(self, expected: expectations.LedgerExpected) -> str:
        kinds: dict[str, list[str]] = {}
        for row in await self._rows():
            if self._evidence.name_of(row.call_id):
                kinds.setdefault(row.call_id, []).append(row.kind)
        wanted = len(self._evidence.calls) if expected.calls is None else expected.calls
        if sum(of_call == list(expected.ledger) for of_call in kinds.values()) == wanted:
            return ""
        seen = "; ".join(
            f"{self._evidence.name_of(call) or call}: {_in_words(of_call)}" for call, of_call in kinds.items()
        )
        story = _in_words(expected.ledger)
        return f"expected {wanted} call(s) with {story} in the ledger, there are: {seen or 'none'}"

    async def _kpi(self, expected: expectations.KpiExpected) -> str:
        if expected.kpi not in self._plan.queues:
            return f"there is no queue `{expected.kpi}`; known: {', '.join(self._plan.queues) or 'none'}"
        found = kpis(await self._rows(), self._plan.queues[expected.kpi])
        wrong = [
            f"{name} {wanted:g}, it is {_figure(getattr(found, name))}"
            for name, wanted in expected.figures.items()
            if abs(float(getattr(found, name) or 0.0) - wanted) > SHARE_TOLERANCE
        ]
        return f"expected of {expected.kpi}: {'; '.join(wrong)}" if wrong else ""


async def _until_true(find_fault: Callable[[], Awaitable[str]], within_s: float) -> str:
    """What is wrong at last; "" as soon as nothing is."""
    until = time.monotonic() + within_s
    while fault := await find_fault():
        if time.monotonic() >= until:
            return fault
        await asyncio.sleep(LOOK_EVERY_S)
    return ""


def _too_late(expected: expectations.PopExpected, pop: Pop, popped_at: float, calls: Sequence[PhoneCall]) -> str:
    """Whether the pop came after what it must be before, in words."""
    call = next((call for call in calls if call.closed_at is None or call.closed_at > popped_at), None)
    if expected.before == "joined" and (joined := pop.call.get("joined_at")):
        popped_ago_s = time.monotonic() - popped_at
        late_s = time.time() - popped_ago_s - float(joined)
    elif call is not None and call.established_at is not None:
        late_s = popped_at - call.established_at
    else:
        return ""
    if late_s <= 0:
        return ""
    late = f"it came {late_s:.2f} s after that"
    return f"expected the desk of {expected.pop} to show it before the call was {expected.before}, {late}"


def _values(expected: expectations.PopExpected) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in expected.shown.items()) or "a call"


def _shown(desk: DeskClient, expected: expectations.PopExpected) -> str:
    """What the desk showed instead, of the values that were asked for."""
    if not desk.pops:
        return "it showed no call"
    pops = [{name: shown_value(pop.call, name) for name in expected.shown} for pop in desk.pops]
    return f"it showed {json.dumps(pops, ensure_ascii=False)}"


def _follows(path: Sequence[tuple[str, str]], expected: Sequence[str]) -> bool:
    """Whether a path is the one expected; nodes are written `menu` or `support/menu`."""
    if len(path) != len(expected):
        return False
    return all(wanted in (node, f"{flow}/{node}") for (flow, node), wanted in zip(path, expected, strict=True))


def _in_words(names: Sequence[str]) -> str:
    return " > ".join(names) or "nothing"


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"
