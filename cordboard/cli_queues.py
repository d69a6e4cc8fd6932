"""The commands about queues and agents: `queue show | why | callbacks`, `agent list | set`.

Registered by `cli`. Each reads its arguments, calls one function and prints what it returns. All but `agent set`
and `queue callbacks --done` only read. Exit codes: 0 good, 1 faults in the files or a name nobody knows, 2 wrong
usage, 3 no database.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import click
import typer

from cordboard.acd.model import Presence
from cordboard.cli_faults import clear_words
from cordboard.cli_options import ConfigOption, JsonOption
from cordboard.telephony.ports import DeviceState

if TYPE_CHECKING:
    from cordboard.bootstrap.floor_files import FloorFiles
    from cordboard.bootstrap.floor_reports import QueueWatch
    from cordboard.store.acd_values import AgentView

WATCH_S = 2.0

queue_app = typer.Typer(no_args_is_help=True, help="Who waits, who serves, and why a call went where it went.")
agent_app = typer.Typer(no_args_is_help=True, help="Agents: who is there, and what they do.")


@queue_app.command("show")
def queue_show(
    config: ConfigOption,
    queue: Annotated[str, typer.Argument(help="One queue; all without it.")] = "",
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Queues in the layout of Asterisk's command of this name: figures of today, members, callers."""
    from cordboard.bootstrap.floor_reports import QueueWatch

    with clear_words():
        files = _files(config)
        queues = QueueWatch(files, queue)
        _show(queues, files.zone, as_json)
        while watch:
            time.sleep(WATCH_S)
            if not as_json:
                click.clear()
            _show(queues, files.zone, as_json)


@queue_app.command("why")
def queue_why(
    config: ConfigOption,
    call_id: Annotated[
        str, typer.Argument(help="The call's id, as in the log and in `queue show`, or its beginning.")
    ],
    as_json: JsonOption = False,
) -> None:
    """A call's way through the queues in plain words: when it entered, each offer, why, and how it ended."""
    from cordboard.bootstrap.floor_reports import read_why

    with clear_words():
        files = _files(config)
        try:
            story = read_why(files, call_id.strip().upper())
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from fault
    if as_json:
        _print_json({"at": round(line.at, 3), "kind": line.kind, "text": line.text} for line in story)
        return
    zone = ZoneInfo(files.zone)
    for line in story:
        typer.echo(f"{_clock(line.at, zone)}  {line.text}")


@queue_app.command("callbacks")
def queue_callbacks(
    config: ConfigOption,
    queue: Annotated[str, typer.Argument(help="One queue; all without it.")] = "",
    as_json: JsonOption = False,
    done: Annotated[
        str, typer.Option("--done", metavar="ID", help="Cross one off: somebody has called, or need not.")
    ] = "",
) -> None:
    """Callers who were promised a call back: for people to call, or, where the queue dials, how far that is."""
    from cordboard.bootstrap.callback_list import callback_json, callback_list, cross_off, read_callbacks

    with clear_words():
        files = _files(config)
        if done:
            cross_off(files, done.strip().upper())
        waiting = read_callbacks(files, queue)
    if as_json:
        _print_json(map(callback_json, waiting))
    else:
        typer.echo(callback_list(waiting, files.zone))


@agent_app.command("list")
def agent_list(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Every agent: presence, what they do, device and whether it can be reached, queues."""
    from cordboard.bootstrap.floor_reports import read_agents
    from cordboard.bootstrap.trace_report import as_table

    with clear_words():
        files = _files(config)
        views = read_agents(files)
    agents = [(view, files.plan.agents[view.name]) for view in views]
    if as_json:
        _print_json(
            {
                "agent": view.name, "full_name": view.full_name, "device": agent.device, "queues": agent.queues,
                "presence": view.presence, "presence_reason": view.presence_reason, "activity": view.activity,
                "device_state": view.device, "forced_by": view.forced_by, "calls_today": view.calls_today,
            }
            for view, agent in agents
        )  # fmt: skip
        return
    lines = [
        (view.name, view.full_name, _presence(view), view.activity, agent.device, PHONES[view.device],
         " ".join(agent.queues))
        for view, agent in agents
    ]  # fmt: skip
    typer.echo(as_table([AGENT_COLUMNS, *lines]))


@agent_app.command("set")
def agent_set(
    config: ConfigOption,
    agent: Annotated[str, typer.Argument(help="The agent's name in agents.yaml.")],
    presence: Annotated[Presence, typer.Argument(help="What the agent is to be.")],
    reason: Annotated[str, typer.Option(help="For a pause: one of pause_reasons.")] = "",
) -> None:
    """Make an agent available, paused or logged out, past the limits of pauses; the agent is shown that it was not
    them. A talk goes on; offers change at once.
    """
    from cordboard.bootstrap.agent_presence import set_agent_presence
    from cordboard.bootstrap.floor_reports import read_agents

    if reason and presence is not Presence.PAUSED:
        raise typer.BadParameter("a reason goes with `paused` only", param_hint="--reason")
    with clear_words():
        files = _files(config)
        name = files.agent(agent).name
        try:
            set_agent_presence(files, name, presence, reason)
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from fault
        view = next(view for view in read_agents(files) if view.name == name)
    typer.echo(f"{name} is {_presence(view)}")
    if view.presence is Presence.AVAILABLE and view.activity == "unreachable":
        device = files.plan.agents[name].device
        typer.echo(f"The phone {device} is not registered: until it is, {name} gets no calls.", err=True)


def _files(config: Path) -> FloorFiles:
    """The files; where they have faults what the service runs, and a word about it."""
    from cordboard.bootstrap.floor_files import read_floor_files

    files = read_floor_files(config)
    for fault in files.faults:
        typer.echo(f"cordboard: {fault}", err=True)
    if files.faults:
        typer.echo(
            "cordboard: until that is mended these are the queues and agents the service took up last", err=True
        )
    return files


def _show(queues: QueueWatch, zone: str, as_json: bool) -> None:
    from cordboard.bootstrap.queue_report import queue_json, queue_report

    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = queues.look(midnight)
    if as_json:
        _print_json(queue_json(one) for one in found)
    else:
        typer.echo("\n\n".join(map(queue_report, found)) or "There are no queues: write them into queues.yaml.")


def _print_json(lines: Iterator[dict[str, object]]) -> None:
    for line in lines:
        typer.echo(json.dumps(line))


def _presence(view: AgentView) -> str:
    return f"{view.presence} ({view.presence_reason})" if view.presence_reason else str(view.presence)


AGENT_COLUMNS = ("agent", "name", "presence", "does", "device", "phone", "queues")
PHONES = {
    DeviceState.IDLE: "registered",
    DeviceState.IN_USE: "in_use",
    DeviceState.BUSY: "in_use",
    DeviceState.RINGING: "rings",
    DeviceState.UNAVAILABLE: "not_registered",
    DeviceState.UNKNOWN: "unknown",
}


def _clock(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S.%f}"[:-3]
