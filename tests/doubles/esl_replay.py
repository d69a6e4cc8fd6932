"""Plays a recorded connection to the real server or link, as FreeSWITCH, and notes what came of it.

The commands that the recorded client sent are given to the session or the link, so that every answer and event
meets the command it belongs to, under the id it was recorded with. Commands which ours never send (`myevents`,
`getvar`, an argument of two lines) are left out together with their answers; what they caused is played.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from unittest import mock

from cordboard.errors import SwitchError
from esl_apps import link, session
from esl_apps.events import EslEvent, Executed
from esl_apps.hub import EslHub
from esl_apps.link import EslLink
from esl_apps.server import EslServer
from esl_apps.session import CallerGone, EslSession, Execution
from tests.doubles.esl_peer import OK, EslPeer, event, listening
from tests.doubles.esl_recordings import Step, recording

MARK = "CUSTOM"  # an event that nobody else sends; when it has come, everything before it has
EXECUTE = re.compile(
    rb"sendmsg\ncall-command: execute\nexecute-app-name: ([^\n]*)\n"
    rb"(?:execute-app-arg: ([^\n]*)\n)?(?:Event-UUID: ([^\n]*)\n)?\n"
)
_API = re.compile(rb"(api|bgapi) ([^\n]*)\n(?:Job-UUID: [^\n]*\n)?\n")
DRAIN_S = 10.0


@dataclass
class Outcome:
    """What came of a connection.

    ran: applications that ended, with what FreeSWITCH said of them; cut: begun, and no end was seen; gone: how the
    caller left; heard: events by name; answers: of `api`, how many; jobs: of `bgapi`; end: "open" as far as it was
    recorded, "lost", or the fault that ended it.
    """

    ran: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    gone: str = ""
    heard: dict[str, int] = field(default_factory=dict)
    digits: str = ""
    answers: int = 0
    jobs: list[str] = field(default_factory=list)
    end: str = "open"


class _Steps:
    """The steps of a connection, of which those are left out that answer what we do not send."""

    def __init__(self, steps: list[Step], is_ours: Callable[[Step], bool]) -> None:
        self._unanswered: collections.deque[bool] = collections.deque()
        self._steps = steps
        self._is_ours = is_ours

    def __iter__(self) -> Iterator[Step]:
        for step in self._steps:
            if step.kind == "command":
                ours = self._is_ours(step)
                self._unanswered.append(ours)
                if ours:
                    yield step
            elif step.message is None or not step.message.is_reply or self._unanswered.popleft():
                yield step

    def forget_answer(self) -> None:
        """The last command was not sent after all."""
        self._unanswered[-1] = False


async def replay_call(name: str, connection: str, hub: EslHub) -> Outcome:
    """A connection that FreeSWITCH made. hub: one that runs."""
    steps = recording(name).steps(connection)
    begun: asyncio.Future[EslSession] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def serve(one: EslSession) -> None:
        begun.set_result(one)
        await over.wait()

    server = EslServer(serve, "127.0.0.1", 0, hub=hub)
    await server.start()
    try:
        async with await EslPeer.dial(server.port) as peer:
            await peer.begin(steps[1].raw)
            return await _Call(peer, await begun).play(steps[2:])
    finally:
        over.set()
        await server.aclose()


class _Call:
    def __init__(self, peer: EslPeer, one: EslSession) -> None:
        self._peer = peer
        self._session = one
        self._marks = 0
        self._marked = asyncio.Event()
        self._outcome = Outcome()
        self._executions: list[Execution] = []
        self._asking: list[asyncio.Task[str]] = []
        one.on_event(self._hear)
        one.on_digit(lambda key, at: self._note_digit(key))

    async def play(self, steps: list[Step]) -> Outcome:
        ours = _Steps(steps, lambda step: bool(EXECUTE.fullmatch(step.raw) or step.raw.startswith(b"api ")))
        for step in ours:
            if step.kind == "command":
                await self._settle()
                if not await self._command(step.raw):
                    ours.forget_answer()
            elif step.kind == "message":
                self._peer.send(step.raw)
            else:
                await self._settle()
                await self._close(step.raw)
        await self._settle()
        return await self._conclude()

    async def _command(self, raw: bytes) -> bool:
        """Send it as ours; False if a session does not send it any more."""
        execute = EXECUTE.fullmatch(raw)
        if execute is None:
            self._asking.append(asyncio.ensure_future(self._session.api(raw[4:-2].decode())))
        else:
            application, argument, event_uuid = [(part or b"").decode() for part in execute.groups()]
            with mock.patch.object(session, "new_event_uuid", lambda: event_uuid or "none"):
                self._executions.append(self._session.begin(application, argument))
            if self._executions[-1].done.done():
                return False
        assert await self._peer.command() != ""
        return True

    async def _settle(self) -> None:
        """Until everything that was sent has been taken."""
        if not self._session.is_open:
            return
        self._marked.clear()
        self._peer.send(event(MARK, self._session.leg_id, Event_Subclass="mark"))
        waiting = asyncio.ensure_future(self._marked.wait())
        ends: list[asyncio.Future[object]] = [waiting, self._session.lost]  # type: ignore[list-item]
        done, _ = await asyncio.wait(ends, timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
        assert done, "not taken"
        waiting.cancel()

    async def _close(self, who: bytes) -> None:
        if who == b"fs":
            self._peer.close()
        else:
            self._session.close()
            while await self._peer.command():
                self._peer.send(OK)
                self._peer.close()
        async with asyncio.timeout(DRAIN_S):
            await asyncio.shield(self._session.lost)
        self._outcome.end = "lost" if self._session._fault is None else str(self._session._fault)

    async def _conclude(self) -> Outcome:
        outcome = self._outcome
        if self._session.lost.done():
            outcome.end = "lost" if self._session._fault is None else str(self._session._fault)
        if self._session.is_gone:
            outcome.gone = self._session.gone.result().value
        for execution in self._executions:
            if execution.done.done() and execution.done.exception() is None:
                outcome.ran.append(_ran(execution.done.result()))
            else:
                outcome.cut.append(execution.application)
        self._session.close()
        for asked in self._asking:
            with contextlib.suppress(SwitchError, CallerGone):
                await asked
                outcome.answers += 1
        return outcome

    def _hear(self, heard: EslEvent) -> None:
        if heard.name == MARK:
            self._marked.set()
        else:
            self._outcome.heard[heard.name] = self._outcome.heard.get(heard.name, 0) + 1

    def _note_digit(self, key: str) -> None:
        self._outcome.digits += key


def _ran(executed: Executed) -> str:
    said = executed.response
    return executed.application if said == "_none_" else f"{executed.application}={said}"


async def replay_link(name: str, connection: str, hub: EslHub) -> Outcome:
    """A connection which the recorded client made to FreeSWITCH."""
    steps = recording(name).steps(connection)
    player = _Link(steps)
    async with listening(player.serve) as port:
        one = EslLink("127.0.0.1", port, "ClueCon", hub=hub, ping_s=60.0)
        for kind in player.kinds():
            one.on_event(kind, player.hear)
        one.on_event(f"{MARK} mark", player.note_mark)
        one.start()
        try:
            return await player.play(one)
        finally:
            await one.aclose()


class _Link:
    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self._peer: asyncio.Future[EslPeer] = asyncio.get_running_loop().create_future()
        self._played = asyncio.Event()
        self._marked = asyncio.Event()
        self._outcome = Outcome()
        self._asking: list[asyncio.Task[str]] = []
        self._jobs: list[asyncio.Task[str]] = []

    def kinds(self) -> set[str]:
        """The events that were recorded."""
        found = [step.message.event for step in self._steps if step.message]
        names = {one["Event-Name"] for one in found if one} - {"BACKGROUND_JOB"}
        custom = {f"CUSTOM {one['Event-Subclass']}" for one in found if one.get("Event-Name") == "CUSTOM"}
        return (names - {"CUSTOM"}) | custom

    def hear(self, heard: EslEvent) -> None:
        self._outcome.heard[heard.name] = self._outcome.heard.get(heard.name, 0) + 1

    def note_mark(self, heard: EslEvent) -> None:
        self._marked.set()

    async def serve(self, peer: EslPeer) -> None:
        if self._peer.done():
            return  # it comes again, as it should, and is not wanted
        self._peer.set_result(peer)
        await self._played.wait()

    async def play(self, one: EslLink) -> Outcome:
        async with asyncio.timeout(DRAIN_S):
            peer = await self._peer
        steps = self._steps
        greeting, login = steps[0], steps[2] if len(steps) > 2 else steps[1]
        peer.send(greeting.raw)
        if greeting.message and greeting.message.kind == "auth/request":
            assert (await peer.command()).startswith("auth ")
            peer.send(login.raw)
        if b"+OK accepted" not in login.raw:
            return await self._refused(peer, steps[3:])
        assert (await peer.command()).startswith("event plain")
        peer.send(OK)
        await one.wait_connected(DRAIN_S)
        await self._follow(one, peer, steps[3:])
        return await self._conclude(one)

    async def _refused(self, peer: EslPeer, steps: list[Step]) -> Outcome:
        for step in steps:
            if step.kind == "message":
                peer.send(step.raw)
        await peer.wait_closed()
        self._played.set()
        self._outcome.end = "refused"
        return self._outcome

    async def _follow(self, one: EslLink, peer: EslPeer, steps: list[Step]) -> None:
        for step in _Steps(steps, lambda step: _API.fullmatch(step.raw) is not None):
            if step.kind == "command":
                await self._settle(one, peer)
                if one.is_connected:
                    await self._command(one, peer, step.raw, steps)
            elif step.kind == "message":
                peer.send(step.raw)
            else:
                await self._settle(one, peer)
                peer.close()
                self._outcome.end = "lost"
        if self._outcome.end == "open":
            await self._settle(one, peer)

    async def _command(self, one: EslLink, peer: EslPeer, raw: bytes, steps: list[Step]) -> None:
        found = _API.fullmatch(raw)
        assert found is not None
        kind, command = found[1].decode(), found[2].decode()
        if kind == "api":
            self._asking.append(asyncio.ensure_future(one.api(command, longest_s=DRAIN_S)))
        else:
            job_id = _job_id_after(raw, steps)
            with mock.patch.object(link, "new_job_id", lambda: job_id):
                self._jobs.append(asyncio.ensure_future(one.bgapi(command, longest_s=DRAIN_S)))
                await asyncio.sleep(0)  # so that it takes the id
        assert await peer.command() != ""

    async def _settle(self, one: EslLink, peer: EslPeer) -> None:
        self._marked.clear()
        peer.send(event("CUSTOM", "", Event_Subclass="mark"))
        waits = [asyncio.ensure_future(self._marked.wait()), asyncio.ensure_future(_disconnected(one))]
        done, left = await asyncio.wait(waits, timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
        assert done, "not taken"
        for wait in left:
            wait.cancel()

    async def _conclude(self, one: EslLink) -> Outcome:
        outcome = self._outcome
        if not one.is_connected:
            outcome.end = "lost"
        for asked in self._asking:
            with contextlib.suppress(SwitchError):
                await asked
                outcome.answers += 1
        for job in self._jobs:
            await asyncio.wait([job], timeout=0)
            outcome.jobs.append(_words_of(job) if job.done() else "none")
            job.cancel()
        self._played.set()
        return outcome


async def _disconnected(one: EslLink) -> None:
    assert one._lost is not None
    await asyncio.shield(one._lost)


def _words_of(job: asyncio.Task[str]) -> str:
    """What a job said, its ids left out."""
    fault = job.exception()
    return type(fault).__name__ if fault else re.sub(r" [0-9a-f-]{36}$", "", job.result())


def _job_id_after(raw: bytes, steps: list[Step]) -> str:
    """The id which FreeSWITCH gave a job, or was given."""
    at = next(index for index, step in enumerate(steps) if step.raw == raw)
    for step in steps[at:]:
        if step.message and "Job-UUID" in step.message.headers:
            return step.message.headers["Job-UUID"]
    raise AssertionError(raw)
