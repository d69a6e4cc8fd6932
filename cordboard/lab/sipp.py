"""Load: many calls at a given rate, placed by Debian's SIPp.

Benchmarks and load tests call `place_calls`. It measures calls that came and went; what callers heard is for the
lab's own caller to tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.packages import ensure_packages, find_program
from cordboard.lab.phone_calls import Pbx
from cordboard.lab.ports import find_free_ports

CALLER_HOST = "127.0.0.2"  # an address of the lab's trunk
LIVE_CALLS = 2000  # SIPp waits with new calls beyond this
MEDIA_PORTS = range(20000, 32000)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of it. call_s: mean duration of a call, answer_s: mean time from INVITE to 200."""

    calls: int
    successful: int
    failed: int
    elapsed_s: float
    call_s: float
    answer_s: float
    errors: str


async def place_calls(
    pbx: Pbx,
    number: str,
    scenario: str,
    *,
    calls: int,
    rate_per_s: float,
    deadline_s: float,
    host: str = CALLER_HOST,
    live_calls: int = LIVE_CALLS,
) -> LoadResult:
    """Place `calls` calls to a number. scenario: SIPp's XML (see `sipp_scenarios`).

    A call that fails is counted, not raised. Raises LabError if SIPp cannot run or is not done in time; its
    calls then stay with the PBX until that ends them (SIPp 3.6 hangs none up, whichever way it is told to end).
    """
    await asyncio.to_thread(ensure_packages, ["sip-tester"])
    run_dir = await asyncio.to_thread(cleanup.make_run_dir, "sipp")
    try:
        (run_dir / "scenario.xml").write_text(scenario)
        arguments = sipp_arguments(
            run_dir, pbx, number, calls=calls, rate_per_s=rate_per_s, host=host, live_calls=live_calls
        )
        began = time.monotonic()
        output = await _run(arguments, run_dir, deadline_s)
        return _result(run_dir, output, time.monotonic() - began)
    finally:
        await asyncio.to_thread(cleanup.remove_run_dir, run_dir)


def sipp_arguments(
    run_dir: Path, pbx: Pbx, number: str, *, calls: int, rate_per_s: float, host: str, live_calls: int
) -> list[str]:
    """SIPp's command line without the program."""
    options = {
        "-sf": "scenario.xml",
        "-s": number,
        "-i": host,
        "-mi": host,
        "-p": find_free_ports(host=host),
        "-mp": find_free_ports(4, host=host, among=MEDIA_PORTS),
        "-ci": host,  # where it takes remote keys: all addresses by default
        "-cp": find_free_ports(host=host),
        "-m": calls,
        "-r": f"{rate_per_s:g}",
        "-l": live_calls,
        "-stf": run_dir / "statistics.csv",
        "-error_file": run_dir / "errors.log",
    }
    flags = ["-nostdin", "-trace_stat", "-trace_err"]
    return [f"{pbx.host}:{pbx.sip_port}", *(str(part) for option in options.items() for part in option), *flags]


def read_statistics(text: str) -> dict[str, str]:
    """The last line of SIPp's statistics file, by column. Raises LabError if there is none."""
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    if not rows:
        raise LabError("SIPp wrote no statistics")
    return rows[-1]


def seconds(text: str) -> float:
    """SIPp's times, "00:00:02:125000", in seconds."""
    hours, minutes, whole, millionths = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{millionths}")


async def _run(arguments: Sequence[str], run_dir: Path, deadline_s: float) -> str:
    """Run SIPp to its end. Returns what it wrote."""
    process = await asyncio.create_subprocess_exec(
        find_program("sipp") or "sipp",
        *arguments,
        env=cleanup.environment() | {"TERM": "dumb"},
        cwd=run_dir,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    forget = cleanup.on_exit(lambda: _kill(process))
    try:
        async with asyncio.timeout(deadline_s):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise LabError(f"SIPp was not done after {deadline_s} s") from error
    finally:
        _kill(process)
        await process.wait()
        forget()
    return output.decode(errors="replace")


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def _result(run_dir: Path, output: str, elapsed_s: float) -> LoadResult:
    statistics_file, errors_file = run_dir / "statistics.csv", run_dir / "errors.log"
    if not statistics_file.exists():
        raise LabError("SIPp did not run:\n" + "\n".join(output.strip().splitlines()[-5:]))
    row = read_statistics(statistics_file.read_text())
    return LoadResult(
        calls=int(row["TotalCallCreated"]),
        successful=int(row["SuccessfulCall(C)"]),
        failed=int(row["FailedCall(C)"]),
        elapsed_s=elapsed_s,
        call_s=seconds(row["CallLength(C)"]),
        answer_s=seconds(row["ResponseTime1(C)"]),
        errors=errors_file.read_text(errors="replace") if errors_file.exists() else "",
    )
