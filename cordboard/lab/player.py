"""Plays scenarios on a stage: places the calls, lets every caller perform, checks what must be true at the end.

`commands` and tests use it. The stage holds a PBX, a book of prompts and the service's journal; the player neither
knows nor cares how they were started. A caller whose step fails hangs up; the others go on, so one run shows all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cordboard.errors import LabError
from cordboard.lab.caller import Call, Caller
from cordboard.lab.journal import Entry, Journal
from cordboard.lab.performer import Performer, StepFailed, ending_in_words
from cordboard.lab.phones import phones_ready
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.scenario import (
    NoChannelsLeft,
    NoErrorsLogged,
    PathExpected,
    Scenario,
    ScriptedCaller,
)
from cordboard.lab.timeline import Line, LineKind, Show

CONNECT_S = 5.0  # until a call is answered, has early media or is refused
_ARRIVED = ("call_arrived", "call_ended", "call_resumed", "call_handed_over", "node_entered")


class Pbx(Protocol):
    """What the player asks of a PBX; `LabPbx` is one."""

    @property
    def host(self) -> str: ...

    @property
    def sip_port(self) -> int: ...

    async def wait_for_no_channels(self, timeout_s: float = 5.0) -> None:
        """Raises LabError naming the channels left."""


@dataclass(frozen=True, slots=True)
class ScenarioStage:
    """Where scenarios are played. audio: a folder for what each caller heard, as WAV."""

    pbx: Pbx
    book: PromptBook
    journal: Journal = field(default_factory=Journal)
    audio: Path | None = None


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
        self._calls: list[tuple[Call, str, str]] = []  # call, ani, shown as
        self._call_names: dict[str, str] = {}  # call_id of the service -> shown as
        self._entries: list[Entry] = []

    async def run(self) -> Result:
        """Play it."""
        self._note("", "scenario", self._scenario.title)
        async with self._watched_journal(), phones_ready(self._scenario.phones, self._stage.pbx, self._phone_says):
            async with asyncio.TaskGroup() as group:
                for caller in self._scenario.callers:
                    for repetition in range(caller.part.times):
                        group.create_task(self._play_caller(caller, repetition))
            for expectation in self._scenario.expectations:
                await self._check(expectation)
        seconds = time.monotonic() - self._began_at
        self._sum_up(seconds)
        return Result(self._scenario.title, tuple(self._lines), tuple(self._faults), len(self._calls), seconds)

    # Callers

    async def _play_caller(self, scripted: ScriptedCaller, repetition: int) -> None:
        part = scripted.part
        await asyncio.sleep(part.at_s + repetition * part.every_s)
        name = scripted.shown_as + (f" #{repetition + 1}" if part.times > 1 else "")
        async with Caller(part.ani, part.name, part.host) as caller:
            call = caller.place(part.dials, (self._stage.pbx.host, self._stage.pbx.sip_port))
            self._calls.append((call, part.ani, name))
            self._note(name, "dialled", f"dials {part.dials}", dnis=part.dials)
            await self._perform(call, scripted, name)
        if self._stage.audio is not None:
            call.heard.save(self._stage.audio / f"{len(self._calls):03}-{_file_name(name)}.wav")

    async def _perform(self, call: Call, scripted: ScriptedCaller, name: str) -> None:
        offset_s = call.started_at - self._began_at

        def note(at_s: float, kind: LineKind, text: str, fields: dict[str, Any]) -> None:
            self._add(Line(offset_s + at_s, name, kind, text, fields))

        performer = Performer(call, self._stage.book, scripted.part, note)
        try:
            await self._connect(call, scripted.part.dials, name)
            await performer.perform(scripted.steps)
        except StepFailed as fault:
            self._fault(name, str(fault))
        end = await performer.see_out()
        note(end.at_s, "ended", ending_in_words(end), {"by": end.by, "status": end.status, "cause": end.cause})

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
        self._entries.append(entry)
        call_id, event = str(entry.get("call_id", "")), str(entry.get("event", ""))
        if event == "call_arrived":
            self._call_names[call_id] = self._who_called(str(entry.get("ani", "")))
        name = self._call_names.get(call_id, "")
        if event == "node_entered":
            self._note(name, "node", f"enters node {entry.get('flow')}/{entry.get('node')}", **_without_name(entry))
        elif entry.get("level") in ("error", "critical"):
            self._note(name, "fault", f"the service logs an error: {event}", **_without_name(entry))

    def _who_called(self, ani: str) -> str:
        """The caller of a call that has arrived: the oldest with this number that has none yet."""
        taken = set(self._call_names.values())
        fitting = [name for _, number, name in self._calls if number == ani and name not in taken]
        return fitting[0] if fitting else ani

    # Expectations

    async def _check(self, expectation: PathExpected | NoChannelsLeft | NoErrorsLogged) -> None:
        if isinstance(expectation, PathExpected):
            await self._check_path(expectation)
        elif isinstance(expectation, NoChannelsLeft):
            try:
                await self._stage.pbx.wait_for_no_channels(expectation.within_s)
            except LabError as fault:
                self._fault("", str(fault))
        else:
            errors = [str(entry["event"]) for entry in self._entries if entry.get("level") in ("error", "critical")]
            if errors:
                self._fault(
                    "", f"expected no errors in the service's log, there are {len(errors)}: {', '.join(errors[:5])}"
                )

    async def _check_path(self, expected: PathExpected) -> None:
        wanted = len(self._calls) if expected.calls is None else expected.calls

        def taken() -> list[Entry]:
            fitting = sum(1 for path in self._paths().values() if _follows(path, expected.path))
            return self._entries if fitting == wanted else []

        try:
            await self._stage.journal.wait_until(taken, expected.within_s)
        except TimeoutError:
            taken_by = "; ".join(f"{name or 'a call'}: {_in_words(path)}" for name, path in self._named_paths())
            self._fault(
                "",
                f"expected {wanted} call(s) on the path {_in_words(expected.path)}, taken was {taken_by or 'none'}",
            )

    def _paths(self) -> dict[str, list[tuple[str, str]]]:
        """The nodes each call has entered, by call_id."""
        paths: dict[str, list[tuple[str, str]]] = {}
        for entry in self._entries:
            if entry.get("event") == "node_entered":
                paths.setdefault(str(entry["call_id"]), []).append((str(entry["flow"]), str(entry["node"])))
        return paths

    def _named_paths(self) -> list[tuple[str, list[str]]]:
        return [
            (self._call_names.get(call, ""), [node for _, node in path]) for call, path in self._paths().items()
        ]

    # Lines

    def _phone_says(self, extension: str, text: str) -> None:
        self._note(f"phone {extension}", "phone", text)

    def _fault(self, who: str, text: str) -> None:
        self._faults.append(f"{who}: {text}" if who else text)
        self._note(who, "fault", f"FAIL  {text}")

    def _note(self, who: str, kind: LineKind, text: str, **fields: Any) -> None:
        self._add(Line(time.monotonic() - self._began_at, who, kind, text, fields))

    def _add(self, line: Line) -> None:
        self._lines.append(line)
        self._show(line)

    def _sum_up(self, seconds: float) -> None:
        calls = f"{len(self._calls)} call(s) in {seconds:.1f} s"
        if self._faults:
            self._note(
                "",
                "failed",
                f"FAIL  {self._scenario.title}: {len(self._faults)} fault(s), {calls}",
                faults=self._faults,
            )
        else:
            self._note("", "passed", f"PASS  {self._scenario.title}: {calls}")


def _follows(path: Sequence[tuple[str, str]], expected: Sequence[str]) -> bool:
    """Whether a path is the one expected; nodes are written `menu` or `support/menu`."""
    if len(path) != len(expected):
        return False
    return all(wanted in (node, f"{flow}/{node}") for (flow, node), wanted in zip(path, expected, strict=True))


def _in_words(path: Sequence[str]) -> str:
    return " > ".join(path) or "nothing"


def _without_name(entry: Entry) -> dict[str, Any]:
    """The fields of a journal line that do not clash with those of a line of the time line."""
    return {name: value for name, value in entry.items() if name not in ("at_s", "who", "kind", "text")}


def _file_name(name: str) -> str:
    return (
        "".join(character if character.isalnum() else "-" for character in name).strip("-").lower()[:40] or "caller"
    )
