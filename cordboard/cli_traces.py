"""The commands about what calls did: `trace` and `replay`.

Registered by `cli`. Each reads its arguments, calls one function and prints what it returns. Exit codes: 0 good, 1
a replay that differs, or a call nobody knows, 2 wrong usage, 3 no database.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cordboard.cli_faults import clear_words
from cordboard.cli_options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from cordboard.bootstrap.call_traces import CallTrace
    from cordboard.store.traces import TracedCall


def trace(
    config: ConfigOption,
    call_id: Annotated[str, typer.Argument(help="The call's id, as in the log, or its beginning.")] = "",
    last: Annotated[int, typer.Option("--last", min=0, max=10_000, help="List so many calls, the last first.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """What a call did: each node, what was asked, what came of it, where it went and what it changed."""
    from cordboard.bootstrap.call_traces import read_last_calls, read_trace
    from cordboard.bootstrap.floor_files import read_floor_files

    if bool(call_id) == bool(last):
        raise typer.BadParameter("write a call's id, or --last 10 for a list")
    with clear_words():
        files = read_floor_files(config)
        if last:
            _print_calls(read_last_calls(files, last), files.zone, as_json)
        else:
            _print_trace(read_trace(files, call_id), files.zone, as_json)


def replay(
    config: ConfigOption,
    call_id: Annotated[str, typer.Argument(help="The call's id, as in the log, or its beginning.")] = "",
    revision: Annotated[
        str, typer.Option(help="Another revision of the flow, or `draft`: would the call go the same way now?")
    ] = "",
    as_json: JsonOption = False,
    ledger: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False,
            help="Instead of a call, go through the ledger: today's figures and the whole queue_log anew, into a "
            "folder. `kpi --rebuild` does it for other periods.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Go through a recorded call again: does the engine make the same of it, and if not, where does it differ?"""
    if bool(call_id) == bool(ledger):
        raise typer.BadParameter("write a call's id, or --ledger and a folder")
    if ledger is not None:
        _replay_ledger(config, ledger)
    else:
        _replay_call(config, call_id, revision, as_json)


def _replay_ledger(config: Path, folder: Path) -> None:
    from cordboard.acd.report_period import period_of
    from cordboard.bootstrap.floor_files import read_floor_files
    from cordboard.cli_kpi import show_rebuilt

    with clear_words():
        files = read_floor_files(config)
        show_rebuilt(files, period_of("", "", datetime.now(ZoneInfo(files.zone))), folder)


def _replay_call(config: Path, call_id: str, revision: str, as_json: bool) -> None:
    from cordboard.bootstrap.call_traces import read_trace
    from cordboard.bootstrap.floor_files import read_floor_files
    from cordboard.bootstrap.replaying import flows_for
    from cordboard.bootstrap.trace_report import difference_words
    from cordboard.flows.replay import first_difference

    with clear_words():
        files = read_floor_files(config)
        found = read_trace(files, call_id)
        flow_of = flows_for(config, files.state, found, revision)
    difference = first_difference(found.traced.call, found.steps, flow_of, is_exact=not revision)
    if as_json:
        said = {} if difference is None else {"step": difference.number, "reason": difference.reason,
                "recorded": difference.recorded, "replayed": difference.replayed}  # fmt: skip
        typer.echo(json.dumps({"call_id": found.traced.call.call_id, "identical": difference is None, **said}))
    elif difference is None:
        typer.echo(f"{'The same way' if revision else 'Identical'}: {len(found.steps)} steps.")
    else:
        typer.echo(difference_words(difference, found.steps))
    raise typer.Exit(0 if difference is None else 1)


def _print_calls(calls: list[TracedCall], zone: str, as_json: bool) -> None:
    from cordboard.bootstrap.trace_report import as_table

    if as_json:
        for one in calls:
            typer.echo(json.dumps(_call_json(one)))
        return
    rows = [
        [one.call.call_id, f"{one.call.started_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}", one.call.dnis,
         one.call.ani, one.flow, one.revision, one.result or "live"]
        for one in calls
    ]  # fmt: skip
    head = ["CALL", "BEGAN", "DIALLED", "CALLER", "FLOW", "REVISION", "RESULT"]
    typer.echo(as_table([head, *rows]) if rows else "There is no trace of any call.")


def _call_json(one: TracedCall) -> dict[str, Any]:
    call = one.call
    return {
        "call_id": call.call_id, "started_at": call.started_at.isoformat(), "dnis": call.dnis, "ani": call.ani,
        "flow": one.flow, "revision": one.revision, "result": one.result,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }  # fmt: skip


def _print_trace(found: CallTrace, zone: str, as_json: bool) -> None:
    from cordboard.bootstrap.trace_report import HEAD, as_table, step_json, trace_lines

    steps, traced = found.steps, found.traced
    if as_json:
        for step in steps:
            typer.echo(json.dumps(step_json(step, steps[0].at)))
        return
    began = f"{traced.call.started_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    caller = traced.call.ani or "a withheld number"
    typer.echo(f"{traced.call.call_id}: {caller} dialled {traced.call.dnis} at {began}, flow {traced.flow} "
               f"{traced.revision}, {traced.result or 'not over yet'}\n")  # fmt: skip
    typer.echo(as_table([HEAD, *(line.cells() for line in trace_lines(steps, traced.result))]))
