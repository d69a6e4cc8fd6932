"""Plays scenarios on a stage: places the calls, lets every caller perform, checks what must be true at the end.

`commands` and tests use it. The stage holds a PBX, a book of prompts and the service's journal; the player neither
knows nor cares how they were started. A caller whose step fails hangs up; the others go on, so one run shows all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from cordboard.lab.agents import Office, agents_ready
from cordboard.lab.call_ending import ending_in_words
from cordboard.lab.caller import Call, Caller
from cordboard.lab.checks import Checks
from cordboard.lab.evidence import Evidence, LedgerReader
from cordboard.lab.journal import Entry
from cordboard.lab.performer import Company, Performer, StepFailed
from cordboard.lab.phones import phones_ready
from cordboard.lab.scenario import Scenario, ScriptedCaller
from cordboard.lab.stage_parts import ScenarioStage
from cordboard.lab.timeline import Line, LineKind, Show

__all__ = ["Result", "ScenarioStage", "play"]

CONNECT_S = 5.0  # until a call is answered, has early media or is refused
FIRST_TONE_HZ, TONE_STEP_HZ, TONES = 1_500.0, 70.0, 28  # by which agents can tell the callers


@dataclass(frozen=True, slots=True)
class Result:
    """How a scenario went: every line of its time line, and what was wrong."""

    title: str
    lines: tuple[Line, ...]
    faults: tuple[str, ...]
    calls: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything came true."""
        return not self.faults


async def play(scenario: Scenario, stage: ScenarioStage, show: Show = lambda _: None) -> Result:
    """Play one scenario. Raises LabError if the lab itself fails; what callers hear wrong is in the result."""
    playing = _Playing(scenario, stage, show)
    return await playing.run()


class _Playing:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, stage: ScenarioStage, show: Show) -> None:
        self._scenario = scenario
        self._stage = stage
        self._show = show
        self._began_at = time.monotonic()
        self._lines: list[Line] = []
        self._faults: list[str] = []
        self._evidence = Evidence()

    async def run(self) -> Result:
        """Play it."""
        self._note("", "scenario", self._scenario.title)
        async with self._watched_journal(), self._phones_and_agents():
            await self._play_callers()
            for agent in self._evidence.agents.values():
                await agent.settled()
            await self._check_all()
        seconds = time.monotonic() - self._began_at
        self._sum_up(seconds)
        calls = len(self._evidence.calls)
        return Result(self._scenario.title, tuple(self._lines), tuple(self._faults), calls, seconds)

    @contextlib.asynccontextmanager
    async def _phones_and_agents(self) -> AsyncIterator[None]:
        stage, scenario = self._stage, self._scenario
        office = Office(stage.pbx, stage.plan, stage.desk)
        async with (
            phones_ready(scenario.phones, stage.pbx, self._phone_says),
            agents_ready(scenario.agents, office, self._agent_says, self._fault) as agents,
        ):
            self._evidence.agents = agents
            yield

    # Callers

    async def _play_callers(self) -> None:
        async with asyncio.TaskGroup() as group:
            for caller in self._scenario.callers:
                for repetition in range(caller.part.times):
                    group.create_task(self._play_caller(caller, repetition))

    async def _play_caller(self, scripted: ScriptedCaller, repetition: int) -> None:
        part, evidence = scripted.part, self._evidence
        await asyncio.sleep(part.at_s + repetition * part.every_s)
        name = scripted.shown_as + (f" #{repetition + 1}" if part.times > 1 else "")
        async with Caller(part.ani, part.name, part.host) as caller:
            call = caller.place(part.dials, (self._stage.pbx.host, self._stage.pbx.sip_port))
            evidence.place(part.ani, name)
            number = len(evidence.calls)
            self._note(name, "dialled", f"dials {part.dials}", dnis=part.dials)
            await self._perform(call, scripted, name)
        if self._stage.audio is not None:
            place = f"{_file_name(self._scenario.title)}-{number:03}-{_file_name(name)}.wav"
            call.heard.save(self._stage.audio / place)

    async def _perform(self, call: Call, scripted: ScriptedCaller, name: str) -> None:
        offset_s = call.started_at - self._began_at

        def note(at_s: float, kind: LineKind, text: str, fields: dict[str, Any]) -> None:
            self._add(Line(offset_s + at_s, name, kind, text, fields))

        performer = Performer(call, self._stage.book, scripted.part, note, self._company())
        try:
            await self._connect(call, scripted.part.dials, name)
            await performer.perform(scripted.steps)
        except StepFailed as fault:
            self._fault(name, str(fault))
        end = await performer.see_out()
        note(end.at_s, "ended", ending_in_words(end), {"by": end.by, "status": end.status, "cause": end.cause})

    def _company(self) -> Company:
        """What the caller who has just dialled meets: a tone of their own, the agents, the music."""
        tone_hz = FIRST_TONE_HZ + TONE_STEP_HZ * (len(self._evidence.calls) % TONES)
        return Company(self._evidence.agents, self._stage.music, tone_hz)

    async def _connect(self, call: Call, number: str, name: str) -> None:
        """Wait until the call is answered, has early media, or was refused (which the steps may expect)."""
        try:
            await asyncio.wait_for(call.progressed(), CONNECT_S)
        except TimeoutError:
            raise StepFailed(
                f"{number} was not answered within {CONNECT_S:g} s (last SIP status {call.status})"
            ) from None
        if call.is_answered:
            self._note(name, "answered", "is answered")

    # The service's journal

    @contextlib.asynccontextmanager
    async def _watched_journal(self) -> AsyncIterator[None]:
        self._stage.journal.listeners.append(self._take_entry)
        try:
            yield
        finally:
            self._stage.journal.listeners.remove(self._take_entry)

    def _take_entry(self, entry: Entry) -> None:
        name = self._evidence.take(entry)
        if entry.get("event") == "node_entered":
            self._note(name, "node", f"enters node {entry.get('flow')}/{entry.get('node')}", **_without_name(entry))
        elif entry.get("level") in ("error", "critical"):
            self._note(name, "fault", f"the service logs an error: {entry.get('event')}", **_without_name(entry))

    # Expectations

    async def _check_all(self) -> None:
        stage = self._stage
        ledger = LedgerReader(stage.database, self._evidence.began_at) if stage.database is not None else None
        checks = Checks(self._evidence, stage.pbx, stage.journal, stage.plan, ledger)
        try:
            for expectation in self._scenario.expectations:
                if fault := await checks.find_fault(expectation):
                    self._fault("", fault)
        finally:
            if ledger is not None:
                ledger.close()

    # Lines

    def _phone_says(self, extension: str, text: str) -> None:
        self._note(f"phone {extension}", "phone", text)

    def _agent_says(self, agent: str, text: str) -> None:
        self._note(f"agent {agent}", "agent", text)

    def _fault(self, who: str, text: str) -> None:
        self._faults.append(f"{who}: {text}" if who else text)
        self._note(who, "fault", f"FAIL  {text}")

    def _note(self, who: str, kind: LineKind, text: str, **fields: Any) -> None:
        self._add(Line(time.monotonic() - self._began_at, who, kind, text, fields))

    def _add(self, line: Line) -> None:
        self._lines.append(line)
        self._show(line)

    def _sum_up(self, seconds: float) -> None:
        calls = f"{len(self._evidence.calls)} call(s) in {seconds:.1f} s"
        if self._faults:
            text = f"FAIL  {self._scenario.title}: {len(self._faults)} fault(s), {calls}"
            self._note("", "failed", text, faults=self._faults)
        else:
            self._note("", "passed", f"PASS  {self._scenario.title}: {calls}")


def _without_name(entry: Entry) -> dict[str, Any]:
    """The fields of a journal line that do not clash with those of a line of the time line."""
    return {name: value for name, value in entry.items() if name not in ("at_s", "who", "kind", "text")}


def _file_name(name: str) -> str:
    return (
        "".join(character if character.isalnum() else "-" for character in name).strip("-").lower()[:40] or "caller"
    )
