"""The fake FreeSWITCH itself: its calls, its dialplan's loop, and both kinds of event socket.

The loop does what `esl_apps/dialplan` says: a worker, then what a worker has asked for, then the next worker. What
is not there is sound: files last as long as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Mapping, Sequence
from itertools import count

from tests.doubles.fake_freeswitch import api, applications, blocks
from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Gone
from tests.doubles.fake_freeswitch.connection import Connection

_DEVICES = re.compile(r"\[[^\]]*\]([^,|]+)([,|]?)")
_CAUSES = {
    "busy": "USER_BUSY",
    "rejects": "CALL_REJECTED",
    "rings": "ALLOTTED_TIMEOUT",
    "declines": "ALLOTTED_TIMEOUT",  # picks up, and does not press 1
    "absent": "USER_NOT_REGISTERED",
}


class FakeFreeswitch:
    """workers: ports that are dialled in turn. phones: what a device does: "busy", "rejects", "rings", "declines",
    "absent", or "answers 0.6" (and talks so long); a device that is not named is absent.
    """

    def __init__(
        self, workers: Sequence[int] = (), phones: Mapping[str, str] | None = None, *, secret: str = "s3cret"
    ) -> None:
        self._workers = list(workers)
        self._phones = dict(phones or {})
        self._turns = count()
        self._secret = secret
        self._channels: dict[str, Channel] = {}
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moves: dict[str, asyncio.TimerHandle] = {}
        self._listener: asyncio.Server | None = None
        self.contexts = {"operators", "cordboard", "cordboard-call"}
        self.patience_s = 1.0
        self.port = 0

    async def __aenter__(self) -> FakeFreeswitch:
        self._listener = await asyncio.start_server(self._serve_inbound, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for move in self._moves.values():
            move.cancel()
        for connection in list(self._connections):
            connection.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what tests use --

    def call(self, dnis: str = "5000", ani: str = "442079460123", name: str = "Ada", **variables: str) -> Channel:
        """A caller dials in."""
        channel = Channel(self._tell, dnis, ani, name)
        channel.variables |= {"cordboard_dnis": dnis} | variables
        self._channels[channel.leg_id] = channel
        self._run(self._live(channel))
        return channel

    def add_worker(self, port: int) -> None:
        """One more to dial."""
        self._workers.append(port)

    async def socket(self, channel: Channel, port: int) -> Connection | None:
        """Give a channel to a worker until it lets go of it; None if nobody listens. Raises Gone."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return None
        connection = Connection(reader, writer, self, channel)
        self._connections.add(connection)
        self._run(connection.serve())
        await self._control(channel, connection)
        return connection

    # -- what connections use --

    def api(self, command: str) -> str:
        """What an API command is answered with."""
        return api.answer(self, command)

    def start_job(self, command: str, job_id: str) -> None:
        """The same in the background: its answer is an event."""
        self._run(self._work(command, job_id))

    def channel(self, leg_id: str) -> Channel | None:
        """A channel that lives."""
        channel = self._channels.get(leg_id)
        return None if channel is None or channel.cause else channel

    def move_later(self, leg_id: str, after_s: float, extension: str) -> None:
        """Send a channel elsewhere when the time is over."""
        self.move_not(leg_id)
        self._moves[leg_id] = asyncio.get_running_loop().call_later(after_s, self._move, leg_id, extension)

    def move_not(self, leg_id: str) -> int:
        """Do not; how many such moves there were."""
        move = self._moves.pop(leg_id, None)
        if move is not None:
            move.cancel()
        return int(move is not None)

    # -- inside --

    def _move(self, leg_id: str, extension: str) -> None:
        self._moves.pop(leg_id, None)
        if channel := self.channel(leg_id):
            channel.send_to(extension)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, channel: Channel | None, event: bytes, name: str) -> None:
        for connection in list(self._connections):
            connection.hear(event, name, channel.leg_id if channel else "")

    async def _work(self, command: str, job_id: str) -> None:
        word, _, argument = command.partition(" ")
        told = [("Job-UUID", job_id), ("Job-Command", word), ("Job-Command-Arg", argument)]
        headers = [*blocks.core("BACKGROUND_JOB"), *told]
        self._tell(None, blocks.event(headers, self.api(command).encode()), "BACKGROUND_JOB")

    async def _serve_inbound(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, self, secret=self._secret)
        self._connections.add(connection)
        await connection.serve()
        self._connections.discard(connection)

    # -- one call --

    async def _live(self, channel: Channel) -> None:
        try:
            with contextlib.suppress(Gone):
                await self._loop(channel)
        finally:
            self._channels.pop(channel.leg_id, None)
            self.move_not(channel.leg_id)
            channel.ended.set()

    async def _loop(self, channel: Channel) -> None:
        values = channel.variables
        missed_since = time.monotonic()
        while not channel.cause:
            channel.moved = ""
            values["cordboard_held"] = "true"
            port = self._workers[next(self._turns) % len(self._workers)]
            if await self.socket(channel, port) is not None:
                missed_since = time.monotonic()
            self.move_not(channel.leg_id)
            values["cordboard_held"] = ""
            channel.moved = ""
            if values.get("cordboard_done") or time.monotonic() - missed_since > self.patience_s:
                await self._stand(channel, self._last_place(channel))
            following, values["cordboard_next"] = values.get("cordboard_next"), ""
            if following == "dial":
                await self._dial(channel)
            elif following == "voicemail":
                await self._stand(channel, "voicemail")
            await asyncio.sleep(FRAME_S)

    @staticmethod
    def _last_place(channel: Channel) -> str:
        if channel.variables.get("cordboard_done") == "away":
            return channel.variables.get("cordboard_to") or channel.variables["cordboard_dial"]
        return "safe"

    @staticmethod
    async def _stand(channel: Channel, place: str) -> None:
        """Somewhere no worker has part in, until the caller leaves."""
        channel.place = place
        while True:
            await channel.frame()

    async def _dial(self, channel: Channel) -> None:
        channel.place = "dial"
        found = _DEVICES.findall(channel.variables["cordboard_dial"].partition("}")[2])
        acts = [self._phones.get(device, "absent") for device, _ in found]
        talk = next((act for act in acts if act.startswith("answers")), "")
        values = channel.variables
        values["cordboard_picked_up"] = "1" if talk or "declines" in acts else ""
        causes = [_CAUSES[act] for act in acts if act in _CAUSES]
        values["originate_causes"] = "|:".join(f"{number};{cause}" for number, cause in enumerate(causes))
        values["originate_disposition"] = "SUCCESS" if talk else causes[-1]
        until = time.monotonic() + (float(talk.split()[1]) if talk else 0.1)
        values["cordboard_joined"] = str(time.time_ns() // 1000) if talk else ""
        while time.monotonic() < until:
            await channel.frame()
        values |= {"cordboard_left": str(time.time_ns() // 1000), "cordboard_returned": "dial"}
        channel.place = ""

    async def _control(self, channel: Channel, connection: Connection) -> None:
        """Run what a worker orders, until it lets go, the channel is sent elsewhere, or the caller leaves."""
        try:
            await connection.is_connected.wait()
            await channel.frame()
            channel.tell("CHANNEL_PARK")
            while not connection.closed.is_set():
                await self._next_order(channel, connection)
            self._end_socket(channel)
        except Gone:
            self._end_socket(channel)
            if channel.cause:
                self._end_call(channel, connection)
                raise

    async def _next_order(self, channel: Channel, connection: Connection) -> None:
        if connection.orders.empty():
            channel.key()
            await channel.frame()
            return
        application, argument, event_uuid = connection.orders.get_nowait()
        channel.executed.append(f"{application} {argument}".strip())
        channel.variables |= {"current_application": application, "current_application_data": argument}
        about = [("Application", application)] + ([("Application-Data", argument)] if argument else [])
        own = [("Application-UUID", event_uuid)]
        channel.tell("CHANNEL_EXECUTE", [*about, *own])
        is_known = await self._run_until_cut(channel, connection, application, argument)
        said = channel.variables.get("current_application_response") or "_none_"
        if is_known:
            channel.tell("CHANNEL_EXECUTE_COMPLETE", [*about, ("Application-Response", said), *own])
        else:
            channel.hang_up("DESTINATION_OUT_OF_ORDER")
        if channel.cause or channel.moved:
            raise Gone

    @staticmethod
    async def _run_until_cut(channel: Channel, connection: Connection, application: str, argument: str) -> bool:
        """Run it; when the worker's socket ends, with `socket_resume`, it is cut."""
        running = asyncio.ensure_future(applications.run(channel, application, argument))
        ended = asyncio.ensure_future(connection.closed.wait())
        try:
            await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done() and channel.variables.get("socket_resume") == "true":
                running.cancel()
            with contextlib.suppress(Gone, asyncio.CancelledError):
                return await running
            return True
        finally:
            ended.cancel()
            running.cancel()

    @staticmethod
    def _end_socket(channel: Channel) -> None:
        channel.tell("CHANNEL_UNPARK")
        about = [("Application", "socket"), ("Application-Data", "127.0.0.1 async full")]
        last = (
            channel.variables.get("current_application_response") or "_none_"
        )  # of what ran in it, as a real one has
        channel.tell(
            "CHANNEL_EXECUTE_COMPLETE", [*about, ("Application-Response", last), ("Application-UUID", "socket")]
        )

    @staticmethod
    def _end_call(channel: Channel, connection: Connection) -> None:
        channel.tell("CHANNEL_STATE")
        channel.tell("CHANNEL_STATE")
        channel.tell("CHANNEL_HANGUP_COMPLETE", first=[("Hangup-Cause", channel.cause)])
        connection.end_call()
