"""The measurements, one function each: durations and CPU, commands a call, memory a call."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from cordboard.errors import LabError
from cordboard.lab.ami import Message
from tests.bench.figures import RATES, VARIANTS, Cell, Commands, Figures, Memory, percentile
from tests.bench.generator import Burst
from tests.bench.processes import cpu_s, resident_kb
from tests.bench.programs import Program
from tests.bench.site import Site

WARM_UP_CALLS = 100
BURST_S = 5.0
COUNTED_CALLS = 20
HELD_CALLS = 500
HOLD_RATE = 100
HOLD_S = 30.0  # until all of them are held, or gone again
SETTLE_S = 1.0  # what a program still has to write or free after a burst
_WAITS = "GET OPTION"  # the command in which held calls are
_COMMAND = re.compile(r"EXEC \w+|[A-Z]+(?: [A-Z]+\b)*")


async def measure_bursts(site: Site, figures: Figures, rounds: int) -> None:
    """Durations and CPU: all variants at all rates, `rounds` times in turn, all programs up the whole time."""
    async with contextlib.AsyncExitStack() as stack:
        running = {one.name: await stack.enter_async_context(site.program(one.name)) for one in VARIANTS}
        for name in running:
            await site.caller.place(Burst(name, RATES[-1], WARM_UP_CALLS))
        for number in range(rounds):
            for rate in RATES:
                for name in _turned(list(running), number):
                    cell = await _measure(site, name, running[name], rate)
                    figures.cells.setdefault((name, rate), []).append(cell)
                    print(f"  round {number + 1}, {rate:3}/s, {name:10} {_line(cell)}", flush=True)
        for name in running:
            figures.commands[name] = await _count_commands(site, name)


async def measure_memory(site: Site, figures: Figures, rounds: int) -> None:
    """Memory a live call: a fresh program each time, so that nothing is reused from earlier calls."""
    for _ in range(rounds):
        for variant in VARIANTS[1:]:
            async with site.program(variant.name) as program:
                memory = await _hold(site, variant.name, program)
            figures.memory.setdefault(variant.name, []).append(memory)
            print(f"  memory, {variant.name:10} {memory.kb_a_call:.1f} kB a call", flush=True)


async def _measure(site: Site, name: str, program: Program, rate: int) -> Cell:
    asterisk = await asyncio.to_thread(site.pbx.pid)
    groups = (program.pids, (asterisk,), program.overseers)
    before = [cpu_s(pids) for pids in groups]
    result = await site.caller.place(Burst(name, rate, round(rate * BURST_S)))
    await asyncio.sleep(SETTLE_S)
    python, pbx, overseers = (cpu_s(pids) - began for pids, began in zip(groups, before, strict=True))
    calls = round(rate * BURST_S)
    return Cell(
        p50_ms=percentile(result.durations_ms, 0.50),
        p99_ms=percentile(result.durations_ms, 0.99),
        python_cpu_s=python / calls,
        asterisk_cpu_s=pbx / calls,
        overseer_cpu_s=overseers / calls,
        calls=calls,
        failures=result.failures,
        late_ms=result.late_ms,
    )


async def _count_commands(site: Site, name: str) -> Commands:
    """Every AGI command and dialplan step of some calls, as Asterisk reports them."""
    async with _listening(site, "agi,dialplan", "AGIExecStart", "Newexten") as events:
        await site.caller.place(Burst(name, COUNTED_CALLS, COUNTED_CALLS))
        await site.pbx.ami.send("Ping")  # its answer comes behind all events
        heard = [events.get_nowait() for _ in range(events.qsize())]
    ours = [event for event in heard if event.get("Channel", "").startswith(f"Local/{name}@")]
    agi = Counter(_name_of(event["Command"]) for event in ours if event["Event"] == "AGIExecStart")
    steps = sum(event["Event"] == "Newexten" and event["Channel"].endswith(";2") for event in ours)
    return Commands(_a_call(agi), steps / COUNTED_CALLS)


async def _hold(site: Site, name: str, program: Program) -> Memory:
    """Resident memory before and while HELD_CALLS calls wait for a key."""
    await site.caller.place(Burst(name, COUNTED_CALLS, COUNTED_CALLS))
    await asyncio.sleep(SETTLE_S)
    idle_kb = resident_kb(program.pids)
    async with _listening(site, "agi", "AGIExecStart") as events:
        await site.caller.place(Burst(f"hold-{name}", HOLD_RATE, HELD_CALLS, wait_for_end=False))
        await _until_held(events)
    await asyncio.sleep(SETTLE_S)
    loaded_kb = resident_kb(program.pids)
    await site.pbx.ami.send("Hangup", Channel=f"/^Local\\/hold-{name}@.*;1$/")
    await site.pbx.wait_for_no_channels(HOLD_S)
    return Memory(idle_kb, loaded_kb, HELD_CALLS)


async def _until_held(events: asyncio.Queue[Message]) -> None:
    held = 0
    try:
        async with asyncio.timeout(HOLD_S):
            while held < HELD_CALLS:
                held += (await events.get()).get("Command", "").startswith(_WAITS)
    except TimeoutError as error:
        raise LabError(f"only {held} of {HELD_CALLS} calls were held after {HOLD_S:.0f} s") from error


@contextlib.asynccontextmanager
async def _listening(site: Site, classes: str, *names: str) -> AsyncIterator[asyncio.Queue[Message]]:
    """The queue of some AMI events; Asterisk sends them only meanwhile, because they cost it."""
    async with site.pbx.ami.listen(*names) as events:
        await site.pbx.ami.send("Events", EventMask=classes)
        try:
            yield events
        finally:
            await site.pbx.ami.send("Events", EventMask="off")


def _name_of(command: str) -> str:
    """ "STREAM FILE" of `STREAM FILE "/x" ""`, "EXEC MSet" of `EXEC MSet "A=1"`."""
    found = _COMMAND.match(command)
    return found[0] if found else command


def _a_call(counts: Mapping[str, int]) -> dict[str, float]:
    return {name: count / COUNTED_CALLS for name, count in counts.items()}


def _turned(names: list[str], by: int) -> list[str]:
    """The same names, another one first."""
    by %= len(names)
    return names[by:] + names[:by]


def _line(cell: Cell) -> str:
    failures = f", {sum(cell.failures.values())} FAILED" if cell.failures else ""
    return (
        f"p50 {cell.p50_ms:6.1f} ms, p99 {cell.p99_ms:6.1f} ms, "
        f"Python {cell.python_cpu_s * 1000:.2f} s and Asterisk {cell.asterisk_cpu_s * 1000:.2f} s "
        f"of CPU per 1,000 calls{failures}"
    )
