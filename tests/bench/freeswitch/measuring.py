"""The whole measurement on FreeSWITCH, once: what an event socket costs, and the queues."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from cordboard.lab.ports import find_free_ports
from tests.bench.figures import percentile
from tests.bench.freeswitch.callcenter import measure_callcenter
from tests.bench.freeswitch.figures import RATES, TITLES, FreeswitchFigures, SocketCell
from tests.bench.freeswitch.loads import Load, open_load
from tests.bench.processes import cpu_s
from tests.bench.programs import Program, speaking_program

BURST_S = 8.0
WARM_UP_CALLS = 40
SETTLE_S = 1.0  # what a program still has to write or free after a burst


async def measure_freeswitch(rounds: int, samples: int, waiting: Sequence[int]) -> FreeswitchFigures:
    """About six minutes with four rounds and twenty samples. Raises LabError."""
    began, load_before = time.monotonic(), os.getloadavg()[0]
    async with open_load() as load:
        figures = FreeswitchFigures(load.version, load.is_live, load=load_before)
        await measure_sockets(load, figures, rounds)
    if figures.is_live and waiting:
        figures.queues = await measure_callcenter(samples, waiting)
    figures.took_s = time.monotonic() - began
    return figures


async def measure_sockets(load: Load, figures: FreeswitchFigures, rounds: int) -> None:
    """All programs at all rates, `rounds` times in turn, all programs up the whole time."""
    async with _programs() as programs:
        for _, port in programs.values():
            await load.place(port, RATES[0], WARM_UP_CALLS)
        for number in range(rounds):
            for rate in RATES:
                for name in _turned(list(programs), number):
                    cell = await _measure(load, *programs[name], rate)
                    figures.cells.setdefault((name, rate), []).append(cell)
                    print(f"  round {number + 1}, {rate:3}/s, {name:11} {_line(cell)}", flush=True)


@contextlib.asynccontextmanager
async def _programs() -> AsyncIterator[Mapping[str, tuple[Program, int]]]:
    """All programs with the ports they listen on."""
    first = find_free_ports(len(TITLES))
    async with contextlib.AsyncExitStack() as stack:
        running = {}
        for port, name in enumerate(TITLES, first):
            program = speaking_program("tests.bench.freeswitch.socket_programs", name, str(port))
            running[name] = await stack.enter_async_context(program), port
        yield running


async def _measure(load: Load, program: Program, port: int, rate: int) -> SocketCell:
    calls = round(rate * BURST_S)
    groups = (program.pids, (load.pid,))
    before = [cpu_s(pids) for pids in groups]
    burst = await load.place(port, rate, calls)
    await asyncio.sleep(SETTLE_S)
    python, switch = (cpu_s(pids) - began for pids, began in zip(groups, before, strict=True))
    return SocketCell(
        cpu_ms=python / calls * 1000,
        switch_cpu_ms=switch / calls * 1000,
        p50_ms=percentile(burst.took_ms, 0.5),
        calls=calls,
        failures=burst.failures,
        late_ms=burst.late_ms,
    )


def _turned(names: list[str], by: int) -> list[str]:
    """The same names, another one first."""
    by %= len(names)
    return names[by:] + names[:by]


def _line(cell: SocketCell) -> str:
    failed = sum(cell.failures.values())
    cpu = f"{cell.cpu_ms:.2f} ms of CPU a call, FreeSWITCH {cell.switch_cpu_ms:.1f} ms"
    return f"{cpu}, took {cell.p50_ms:.0f} ms{f', {failed} FAILED' if failed else ''}"
