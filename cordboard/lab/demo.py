"""`cordboard demo`: a real switch, the real service, real calls, and what every caller heard, line by line.

Three acts: callers who go different ways through the flows, a caller whose worker is killed meanwhile, and a queue
with two agents at their phones and desks. It ends by itself with a summary. Called by `commands`.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import LabError
from cordboard.lab.agents import extension_of
from cordboard.lab.demo_figures import Figures, print_figures, read_figures
from cordboard.lab.image import Log
from cordboard.lab.journal import Entry
from cordboard.lab.pbx_config import PHONE_SECRET
from cordboard.lab.player import Result, play
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stage import Stage
from cordboard.lab.stages import SWITCH_NAMES, stage_on
from cordboard.lab.timeline import Line, Show, as_text
from cordboard.telephony.capabilities import SwitchName

CONFIGURATION = Path(__file__).parents[2] / "ivr_flows"
WORKERS = 2
KILL_AFTER_NODE = "greeting"
PICTURE_COLUMNS, PICTURE_LINES = 116, 24


@dataclass(frozen=True)
class Act:
    """A scenario of the demo. kills_worker: whether the worker is killed while the caller hears the greeting."""

    file: str
    kills_worker: bool = False


ACTS = (Act("calls.yaml"), Act("worker_killed.yaml", kills_worker=True), Act("queue.yaml"))

Conclude = Callable[[Sequence[Result], Figures], None]


async def run_demo(
    show: Show, log: Log, conclude: Conclude, *, switch: SwitchName = "asterisk", keep: bool = False
) -> list[Result]:
    """Play all acts on one stage, and hand what came of them to `conclude`; `keep` leaves it up until Ctrl-C.

    Raises LabError where it cannot run here: there may be no such switch.
    """
    if not CONFIGURATION.is_dir():
        raise LabError("the demo plays the flows of a checkout of the project; there is no ivr_flows/ here")
    async with stage_on(switch)(CONFIGURATION, workers=WORKERS, log=log) as stage:
        name, boot_s = SWITCH_NAMES[switch], stage.pbx.boot_s
        log(f"{name} answered {boot_s:.1f} s after its start; {WORKERS} workers are ready")
        _welcome(stage, log)
        results = [await _play(act, stage, show) for act in ACTS]
        conclude(results, await read_figures(stage))
        if keep:
            _invite(stage, log)
            await asyncio.Event().wait()
        return results


def _welcome(stage: Stage, log: Log) -> None:
    """Where to look while the calls go on."""
    log(f"The desk: {stage.desk_url}/   The live queue page: {stage.desk_url}/queues")
    for agent, password in stage.passwords.items():
        log(f"  log in as {agent} with the password {password}")


def _invite(stage: Stage, log: Log) -> None:
    """What can be done with a stage that stays up."""
    sip = f"{stage.pbx.host}:{stage.pbx.sip_port}"
    log(f"Call 5000, 5001, or 5002 for the queue, at sip:{sip} from 127.0.0.2.")
    for agent in stage.configuration.plan.agents:
        extension = extension_of(agent, stage.configuration.plan)
        log(f"  the phone of {agent} registers there as {extension} with the password {PHONE_SECRET}")
    log("Ctrl-C ends it.")


async def _play(act: Act, stage: Stage, show: Show) -> Result:
    document = read_yaml(CONFIGURATION / "scenarios" / "demo" / act.file)
    notices: list[Line] = []

    def tell(line: Line) -> None:
        notices.append(line)
        show(line)

    killer = _Killer(stage, tell)
    if act.kills_worker:
        stage.journal.listeners.append(killer.look)
    try:
        result = await play(parse_scenario(document, stage.book), stage.scenario_stage(), show)
        return replace(result, lines=(*result.lines, *notices))
    finally:
        if act.kills_worker:
            stage.journal.listeners.remove(killer.look)


class _Killer:
    """Kills the worker that plays a greeting, once."""

    def __init__(self, stage: Stage, show: Show) -> None:
        self._stage = stage
        self._show = show
        self._began = time.monotonic()
        self._struck_at: float | None = None

    def look(self, entry: Entry) -> None:
        """Called with each line of the service's log."""
        if entry["event"] == "node_entered" and entry["node"] == KILL_AFTER_NODE and self._struck_at is None:
            self._struck_at = time.monotonic()
            asyncio.get_running_loop().call_later(0.9, self._strike, entry["worker"])
        elif entry["event"] == "call_resumed" and entry["how"] == "restarted" and self._struck_at is not None:
            took_ms = 1000 * (time.monotonic() - self._struck_at)
            self._tell(f"worker {entry['worker']} goes on at node {entry['node']} after {took_ms:.0f} ms")

    def _strike(self, worker: int) -> None:
        pid = self._stage.worker_pids()[worker]
        self._struck_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        self._tell(f"kill -9 {pid}: worker {worker} is dead")

    def _tell(self, text: str) -> None:
        self._show(Line(time.monotonic() - self._began, "the service", "notice", text))


def draw(results: Sequence[Result], figures: Figures, seconds: float, picture: Path) -> None:
    """Write an SVG picture of the run, as a terminal shows it: how it began, the last act, the summary."""
    console = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO(), highlight=False)
    first, last = (sorted(result.lines, key=lambda line: line.at_s) for result in (results[0], results[-1]))
    for line in (*first[:PICTURE_LINES], None, *last):
        console.print(as_text(line) if line else "          ...", overflow="ellipsis", no_wrap=True)
    print_summary(results, figures, seconds, console)
    drawing = console.export_svg(title="make demo")
    picture.write_text(re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL))  # fonts come from the viewer


def print_summary(
    results: Sequence[Result], figures: Figures, seconds: float, console: Console | None = None
) -> None:
    """The tables at the end."""
    table = Table(title="What was heard", title_justify="left")
    for column, side in (
        ("scenario", "left"),
        ("calls", "right"),
        ("prompts heard", "right"),
        ("seconds", "right"),
    ):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    table.add_column("result")
    for result in results:
        heard = sum(line.kind == "heard" for line in result.lines)
        verdict = "[bold green]as expected" if result.passed else f"[bold red]{len(result.faults)} faults"
        table.add_row(result.title, str(result.calls), str(heard), f"{result.seconds:.1f}", verdict)
    out = console or Console()
    out.print(table)
    print_figures(figures, out)
    calls = sum(result.calls for result in results)
    out.print(f"{calls} real calls in {seconds:.0f} s, judged by what the callers heard.")
