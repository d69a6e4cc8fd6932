"""Workers of one machine for tests of the service: real flows, a real store, and calls on scripted phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from cordboard.flows.flow import Flow
from cordboard.service.callers import Callers
from cordboard.service.house import House, Houses
from cordboard.service.messages import Messages
from cordboard.service.metrics import Metrics
from cordboard.service.outside_caps import OutsideCaps
from cordboard.service.reception import Reception
from cordboard.service.shared import ErrandRunner
from cordboard.service.tracing import TraceSink
from cordboard.settings import Numbers, Settings
from cordboard.store.flow_runs import FlowRuns
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from tests.doubles.acd_kit import Machine, Process, machine
from tests.doubles.scripted_phone import ScriptedPhone


class Workers:
    """Several workers on one database, as they run on one machine."""

    def __init__(self, machine: Machine, *flows: Flow) -> None:
        self.machine = machine
        self._stores: list[FlowRuns] = []
        self.houses = Houses(House({flow.name: flow for flow in flows}, Numbers(default=flows[0].name)))
        self.messages = Messages(Settings(), machine.folder / "voicemail")
        self.runs = self._new_store(machine.start("test"))

    def new(
        self,
        *,
        errands: ErrandRunner | None = None,
        trace: TraceSink | None = None,
        caps: OutsideCaps | None = None,
    ) -> Reception:
        """A worker that has just been started."""
        process = self.machine.start(f"worker-{len(self._stores)}")
        callers = Callers(process.floor)
        runs = self._new_store(process)
        return Reception(
            self.houses,
            runs,
            Metrics(),
            self.messages,
            process.room,
            callers,
            errands=errands,
            trace=trace,
            caps=caps,
        )

    async def rows(self) -> int:
        """How many calls have a row, once every worker's writes are done."""
        return [await store.count() for store in (*self._stores, self.runs)][-1]

    def _new_store(self, process: Process) -> FlowRuns:
        self._stores.append(FlowRuns(process.thread))
        return self._stores[-1]


@asynccontextmanager
async def workers_for(folder: Path, *flows: Flow) -> AsyncIterator[Workers]:
    """Workers with these flows."""
    async with machine(folder) as made:
        yield Workers(made, *flows)


def names(phone: ScriptedPhone) -> list[str]:
    """What was asked of the phone, prompts by name."""
    return [
        "+".join(prompt.name for prompt in verb.prompts)
        if isinstance(verb, v.Play | v.Gather)
        else type(verb).__name__
        for verb in phone.performed
    ]


def back(
    phone: ScriptedPhone, *script: o.Outcome | o.HandedOver, returned: o.Outcome | None = None
) -> ScriptedPhone:
    """The same call as it reaches its next worker."""
    arrival = replace(phone.arrival, checkpoint=phone.checkpoints[-1], returned=returned)
    return ScriptedPhone(arrival, script)
