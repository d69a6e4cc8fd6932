"""A real app_queue with members who do what a script says, and who tells that they ring.

Members are Local channels: their dialplan rings for ever and says so in a user event, and the manager link sends
them on to answer, or to be busy. Each script has queues of its own, so that all can be played at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from cordboard.lab.ami import LabAmi, list_items
from cordboard.lab.pbx import LabPbx
from tests.doubles.queue_scripts import Script

RING_S = 2  # of a script in which a ring comes to its end; app_queue counts in whole seconds
PATIENCE_S = 20.0  # for a ring that is to come; app_queue looks once a second
NOT_IN_USE = "1"
NOTHING_S = 2.5  # two of its looks, in which nobody may be rung

DIALPLAN = """\
exten => _9X!,1,NoOp()

[callers]
exten => _X!,1,Set(__SCRIPT_CALL=${EXTEN})
 same => n,Answer()
 same => n,Queue(${EXTEN:0:3})
 same => n,Hangup()

[members]
exten => _[a-g],1,Ringing()
 same => n,UserEvent(Rung,Member: ${EXTEN},Half: ${CHANNEL},Call: ${SCRIPT_CALL})
 same => n,Wait(600)
exten => _[a-g]X!,1,Goto(${EXTEN:0:1},1)
exten => answer,1,Answer()
 same => n,Wait(600)
exten => busy,1,Busy()
"""


@dataclass
class Playing:
    """One script on one app_queue. number: of the script, two digits; its queues are that and 1 or 2."""

    ami: LabAmi
    number: int
    script: Script
    events: asyncio.Queue[Mapping[str, str]] = field(default_factory=asyncio.Queue)
    halves: dict[tuple[str, str], str] = field(default_factory=dict)  # call and member to the channel that rings
    talks: dict[str, str] = field(default_factory=dict)  # call to member
    served: dict[tuple[str, str], int] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)  # as the script names them to the number dialled
    last: str = ""  # who talked

    async def does(self, step: str, rung: str) -> str:
        """Whom it rings because of this step, in the order of names. rung: how many to wait for, by an example."""
        what, *arguments = step.split()
        await getattr(self, what)(*arguments)
        if what == "end" and not rung:
            await self._wait_for_state(arguments[0], self.last, Status=NOT_IN_USE)
        return await self._rung(len(rung.split("|")[0]))

    async def call(self, call: str, queue: str = "first") -> None:
        number = f"{self.number}{2 if queue == 'second' else 1}{int(call):02}"
        self.calls[call] = number
        await self.ami.send(
            "Originate",
            Channel=f"Local/{number}@callers/n",
            ChannelId=f"call-{number}",
            Application="Wait",
            Data="600",
            Async="true",
        )

    async def answer(self, call: str, member: str = "") -> None:
        member, half = self._ringing(call, member)
        self.talks[call] = member
        await self._send_to(half, "answer")
        await self._wait_for_state(call, member, InCall="1")

    async def busy(self, call: str, member: str = "") -> None:
        member, half = self._ringing(call, member)
        del self.halves[call, member]
        await self._send_to(half, "busy")

    async def end(self, call: str) -> None:
        member = self.last = self.talks.pop(call)
        if self.script.strategy == "leastrecent":
            await asyncio.sleep(1.1)  # it knows when a talk ended by the second
        calls = self.served[self._queue(call), member] = self.served.get((self._queue(call), member), 0) + 1
        await self.ami.send("Hangup", Channel=self.halves.pop((call, member)))
        await self._wait_for_state(call, member, CallsTaken=str(calls))

    async def silent(self, call: str) -> None:
        """The next ring tells that this one has come to its end."""
        for one in [one for one in self.halves if one[0] == call]:
            del self.halves[one]

    async def leave(self, call: str) -> None:
        for one in [one for one in self.halves if one[0] == call]:
            del self.halves[one]
        await self.ami.send("Hangup", Channel=f"call-{self.calls[call]}")
        for member in self.script.members:
            await self._wait_for_state(call, member, Status=NOT_IN_USE)

    async def pause(self, member: str) -> None:
        await self.ami.send("QueuePause", Interface=self._interface(member), Paused="true")

    async def unpause(self, member: str) -> None:
        await self.ami.send("QueuePause", Interface=self._interface(member), Paused="false")

    async def wait(self) -> None:
        await asyncio.sleep(NOTHING_S)

    def _interface(self, member: str) -> str:
        return f"Local/{member}@{members_of(self.number)}/n"

    def _ringing(self, call: str, member: str) -> tuple[str, str]:
        """Who rings for a call, and the channel; the one who does, if it is not said."""
        found = {who: half for (whose, who), half in self.halves.items() if whose == call and member in ("", who)}
        (one,) = found.items()
        return one

    async def _rung(self, count: int) -> str:
        """The members that ring now, when there are so many; those that were not to ring, if there are any."""
        rung: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(rung) < count or not self.events.empty():
                event = await self.events.get()
                call = str(int(event["Call"][3:]))
                self.halves[call, event["Member"]] = event["Half"]
                rung.append(event["Member"])
        return "".join(sorted(rung))

    async def _send_to(self, half: str, place: str) -> None:
        await self.ami.send("Redirect", Channel=half, Context=members_of(self.number), Exten=place, Priority="1")

    def _queue(self, call: str) -> str:
        return self.calls[call][:3]

    async def _wait_for_state(self, call: str, member: str, **told: str) -> None:
        """Wait until the call's queue knows; it hears of a device some milliseconds after."""
        asked = {"Queue": self._queue(call), "Member": self._interface(member)}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                rows = list_items(await self.ami.send("QueueStatus", **asked))
                if any(told.items() <= row.items() for row in rows if row["Event"] == "QueueMember"):
                    return
                await asyncio.sleep(0.02)


def members_of(number: int) -> str:
    """The dialplan context of a script's members."""
    return f"members{number}"


def queues_conf(scripts: Mapping[int, Script]) -> str:
    """The queues of all scripts, as a part of queues.conf."""
    return "\n".join(_queue(number, script, which) for number, script in scripts.items() for which in (1, 2))


def _queue(number: int, script: Script, which: int) -> str:
    is_silent = any(step.does.startswith("silent") for step in script.steps)
    members = [
        f"member => Local/{name}@{members_of(number)}/n,{penalty}" for name, penalty in script.members.items()
    ]
    if which == 2 and script.second is None:
        return ""
    return "\n".join(
        (
            f"[{number}{which}]",
            f"strategy = {script.strategy}",
            f"timeout = {RING_S if is_silent else 60}",
            "retry = 1",
            "ringinuse = no",
            f"autofill = {'yes' if script.autofill else 'no'}",
            f"weight = {script.second or 0 if which == 2 else 0}",
            f"penaltymemberslimit = {script.limit}",
            *members,
        )
    )


def dialplan(scripts: Mapping[int, Script]) -> str:
    """The callers' and the members' part of the dialplan."""
    contexts = (f"[{members_of(number)}]\ninclude => members\n" for number in scripts)
    return DIALPLAN + "\n" + "\n".join(contexts)


@contextlib.asynccontextmanager
async def app_queues(scripts: Mapping[int, Script]) -> AsyncIterator[dict[int, Playing]]:
    """An Asterisk with the queues of these scripts. The numbers have two digits."""
    files = {"queues.d/scripts.conf": queues_conf(scripts)}
    async with LabPbx(extra_files=files, extra_dialplan=dialplan(scripts)) as pbx:
        playing = {number: Playing(pbx.ami, number, script) for number, script in scripts.items()}
        await pbx.ami.send("Events", EventMask="user")
        async with pbx.ami.listen("UserEvent") as events:
            sorting = asyncio.create_task(_sort(events, playing))
            try:
                yield playing
            finally:
                sorting.cancel()
                await asyncio.gather(sorting, return_exceptions=True)


async def _sort(events: asyncio.Queue[dict[str, str]], playing: Mapping[int, Playing]) -> None:
    """Each ring to the script whose caller it is for."""
    while True:
        event = await events.get()
        if event.get("UserEvent") == "Rung":
            playing[int(event["Call"][:2])].events.put_nowait(event)
