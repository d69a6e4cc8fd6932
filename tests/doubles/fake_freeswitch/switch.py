"""The fake FreeSWITCH itself: its legs, its dialplan, and both kinds of event socket."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from tests.doubles.fake_freeswitch import api, applications, blocks, life, phones
from tests.doubles.fake_freeswitch.bridge import Bridge
from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Order, Profile
from tests.doubles.fake_freeswitch.connection import Connection
from tests.doubles.fake_freeswitch.dialling import Target
from tests.doubles.fake_freeswitch.dialplan import Dialplan
from tests.doubles.fake_freeswitch.workers import WorkersLoop
from tests.doubles.fake_freeswitch.xml_dialplan import XmlDialplan

SPEAK_S = 24.0  # for so long the `socket` application waits for a worker's first word


class FakeFreeswitch:
    """workers: ports that the dialplan's loop dials in turn. dialplan: in place of that loop. phones: what a device
    does, as in `dialling`; one that is not named is absent. hosts: real addresses, by those in the dialplan.
    allows: whether who dials in is let in. pace: how much faster than others its clock goes.
    """

    def __init__(
        self,
        workers: Sequence[int] = (),
        phones: Mapping[str, str] | None = None,
        *,
        secret: str = "s3cret",
        dialplan: Dialplan | XmlDialplan | None = None,
        hosts: Mapping[str, str] | None = None,
        allows: bool = True,
        speak_s: float = SPEAK_S,
        pace: float = 1.0,
    ) -> None:
        self._workers = list(workers)
        self._phones = dict(phones or {})
        self._loop = None if dialplan else WorkersLoop(self, self._workers, self._phones)
        self._hosts = hosts or {}
        self._secret = secret
        self._allows = allows
        self._channels: dict[str, Channel] = {}
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moves: dict[str, asyncio.TimerHandle] = {}
        self._counted: dict[str, list[Channel]] = {}
        self._listener: asyncio.Server | None = None
        self.dialplan: Dialplan | XmlDialplan = dialplan or Dialplan({})
        self.contexts = {"operators", "cordboard", "cordboard-call"}
        self.speak_s = speak_s
        self.pace = pace
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
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._connections):
            await connection.aclose()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what tests use --

    def call(
        self,
        dnis: str = "5000",
        ani: str = "442079460123",
        name: str = "Ada",
        *,
        leg_id: str = "",
        channel_name: str = "",
        context: str = "",
        **variables: str,
    ) -> Channel:
        """A caller dials in."""
        channel = Channel(self, Profile(dnis, ani, name, channel_name=channel_name), leg_id)
        self._channels[channel.leg_id] = channel
        if self._loop is not None:
            channel.variables |= {"socket_resume": "true", "cordboard_dnis": dnis} | variables
            self.run(self._loop.live(channel))
        else:
            channel.variables |= variables
            channel.send_to(dnis, context)
            self.begin(channel)
        return channel

    def add_worker(self, port: int) -> None:
        """One more to dial."""
        self._workers.append(port)

    def legs(self) -> list[Channel]:
        """All that live, the oldest first."""
        return list(self._channels.values())

    # -- what connections and API commands use --

    async def api(self, command: str) -> str:
        """What an API command is answered with, when it has ended."""
        return await api.perform(self, command)

    def answer(self, command: str) -> str:
        """What an API command that ends at once is answered with."""
        return api.answer(self, command)

    def start_job(self, command: str, job_id: str) -> None:
        """The same in the background: its answer is an event."""
        self.run(self._work(command, job_id))

    def channel(self, leg_id: str) -> Channel | None:
        """A channel that lives."""
        channel = self._channels.get(leg_id)
        return None if channel is None or channel.cause else channel

    def move_later(self, leg_id: str, after_s: float, extension: str, context: str = "") -> None:
        """Send a channel elsewhere when the time is over."""
        self.move_not(leg_id)
        loop = asyncio.get_running_loop()
        self._moves[leg_id] = loop.call_later(after_s, self._move, leg_id, extension, context)

    def move_not(self, leg_id: str) -> int:
        """Do not; how many such moves there were."""
        move = self._moves.pop(leg_id, None)
        if move is not None:
            move.cancel()
        return int(move is not None)

    def count(self, channel: Channel, what: str, most: int) -> bool:
        """Whether this one may be among those that are counted; it is until it ends."""
        among = self._counted[what] = [one for one in self._counted.get(what, []) if not one.cause]
        if len(among) >= most:
            return False
        among.append(channel)
        return True

    # -- what legs use --

    async def frame(self, late_s: float = 0.0) -> float:
        """The time that one frame takes, less what was late; how late it is now."""
        loop = asyncio.get_running_loop()
        until = loop.time() + FRAME_S / self.pace - late_s
        await asyncio.sleep(max(0.0, until - loop.time()))
        return max(0.0, loop.time() - until)

    def tell(self, channel: Channel | None, event: bytes, name: str) -> None:
        """Something has happened: to all who asked for it."""
        for connection in list(self._connections):
            connection.hear(event, name, channel.leg_id if channel else "")

    async def execute(self, channel: Channel, order: Order) -> None:
        """Run an application that was ordered. Raises Gone."""
        channel.executed.append(f"{order.application} {order.argument}".strip())
        await applications.execute(self, channel, order)

    async def connect(self, channel: Channel, host: str) -> Connection | None:
        """Dial a worker for a channel; None if nobody listens there."""
        address, _, port = self._hosts.get(host, host).rpartition(":")
        try:
            reader, writer = await asyncio.open_connection(address, int(port))
        except OSError:
            return None
        connection = Connection(reader, writer, self, channel)
        self._connections.add(connection)
        self.run(self._serve(connection))
        return connection

    def part(self, device: str) -> str:
        """What a phone does."""
        return self._phones.get(device, "absent")

    def new_leg(self, target: Target, origin: Channel | None) -> Channel:
        """A leg to a phone."""
        number = target.variables.get("origination_caller_id_number", "0000000000")
        who = Profile(target.device, number, number, "outbound", target.device, "src/switch_ivr_originate.c")
        leg = Channel(self, who, target.variables.get("origination_uuid", ""))
        leg.variables |= target.variables
        leg.other_leg_id = origin.leg_id if origin else ""
        self._channels[leg.leg_id] = leg
        return leg

    def begin(self, channel: Channel) -> None:
        """A leg goes on by itself."""
        self.run(life.live(self, channel))

    def ring(self, leg: Channel, part: str) -> None:
        """A phone rings."""
        self.run(phones.play(leg, part, self.pace))

    def talk(self, leg: Channel, bridge: Bridge) -> None:
        """A leg that was dialled by another one talks with it."""
        self.run(life.talk(self, leg, bridge))

    async def end(self, leg: Channel) -> None:
        """A leg that never lived ends."""
        await life.end(self, leg)

    def forget(self, channel: Channel) -> None:
        """It has ended, and its sockets with it."""
        self._channels.pop(channel.leg_id, None)
        for connection in list(self._connections):
            if connection.channel is channel:
                connection.end_call()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside all else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- inside --

    def _move(self, leg_id: str, extension: str, context: str) -> None:
        self._moves.pop(leg_id, None)
        if channel := self.channel(leg_id):
            channel.send_to(extension, context)

    async def _work(self, command: str, job_id: str) -> None:
        word, _, argument = command.partition(" ")
        told = [("Job-UUID", job_id), ("Job-Command", word), ("Job-Command-Arg", argument)]
        said = await self.api(command)
        headers = [*blocks.core("BACKGROUND_JOB"), *told]
        self.tell(None, blocks.event(headers, said.encode()), "BACKGROUND_JOB")

    async def _serve_inbound(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, self, secret=self._secret)
        self._connections.add(connection)
        if not self._allows:
            connection.refuse()
        await self._serve(connection)

    async def _serve(self, connection: Connection) -> None:
        await connection.serve()
        self._connections.discard(connection)
        channel = connection.channel
        if channel is not None and (connection.resumes or channel.variables.get("socket_resume") == "true"):
            channel.cut()
