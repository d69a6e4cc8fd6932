"""`cordboard kpi`: key figures by queue, agent, interval or reason, as a table, JSON or CSV; and all of it anew.

Registered by `cli`. Reads its arguments, calls one function and prints what it returns; the database is only read.
Exit codes: 0 good, 1 faults in the files, a name nobody knows, or a queue_log that is not that of the ledger, 2
wrong usage, 3 no database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cordboard.cli_faults import clear_words
from cordboard.cli_options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from cordboard.acd.report_period import Period
    from cordboard.bootstrap.floor_files import FloorFiles


class KpiBy(StrEnum):
    """What one line of the report is about."""

    QUEUE = "queue"
    AGENT = "agent"
    INTERVAL = "interval"
    REASON = "reason"


def kpi(
    config: ConfigOption,
    queue: Annotated[str, typer.Option("--queue", "-q", help="One queue; all without it.")] = "",
    since: Annotated[str, typer.Option(help="2026-11-23, 2026-11-23T09:30, or 09:30; midnight without it.")] = "",
    until: Annotated[str, typer.Option(help="The same; now without it.")] = "",
    by: Annotated[KpiBy, typer.Option(help="What each line is about.")] = KpiBy.QUEUE,
    interval: Annotated[
        float, typer.Option(min=1, max=44_640, metavar="MINUTES", help="How long each is, with --by interval.")
    ] = 30.0,
    tags: Annotated[bool, typer.Option("--tags", help="Tags and survey scores that flows noted, instead.")] = False,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with the names of the columns.")] = False,
    rebuild: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False,
            help="Compute everything anew from the ledger into a folder, and compare what the service wrote.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Key figures from the ledger, each with its formula: of today, or of the calls that entered in a period."""
    from cordboard.acd.report_period import period_of
    from cordboard.bootstrap.floor_files import read_floor_files

    _check(queue=queue, tags=tags, as_json=as_json, as_csv=as_csv)
    with clear_words():
        files = read_floor_files(config)
        try:
            period = period_of(since, until, datetime.now(ZoneInfo(files.zone)))
            if rebuild is not None:
                show_rebuilt(files, period, rebuild)
            elif tags:
                _show_tags(files, period, as_json)
            else:
                _show(files, queue, period, by, interval * 60, as_json, as_csv)
        except ValueError as fault:
            raise typer.BadParameter(str(fault)) from fault


def _check(*, queue: str, tags: bool, as_json: bool, as_csv: bool) -> None:
    """Refuse options that do not go together."""
    if tags and queue:
        raise typer.BadParameter("tags are noted by flows, for no queue", param_hint="--queue")
    if as_csv and (as_json or tags):
        raise typer.BadParameter("goes neither with --json nor with --tags", param_hint="--csv")


def _show(
    files: FloorFiles, queue: str, period: Period, by: KpiBy, interval_s: float, as_json: bool, as_csv: bool
) -> None:
    from cordboard.acd.kpi_csv import kpi_csv
    from cordboard.bootstrap.floor_reports import read_kpi_report
    from cordboard.bootstrap.kpi_report import kpi_report

    found = read_kpi_report(files, queue, period, by.value, interval_s)
    if as_json:
        _print_json({**period.as_json(), **one.as_json()} for one in found)
    elif as_csv:
        typer.echo(kpi_csv(one.as_json() for one in found), nl=False)
    else:
        typer.echo(kpi_report(str(period), found, ZoneInfo(files.zone)))


def _show_tags(files: FloorFiles, period: Period, as_json: bool) -> None:
    from cordboard.bootstrap.tag_report import read_call_tags, tag_report

    found = read_call_tags(files, period)
    if as_json:
        _print_json({**period.as_json(), **line} for line in found.as_json())
    else:
        typer.echo(tag_report(str(period), found))


def show_rebuilt(files: FloorFiles, period: Period, folder: Path) -> None:
    """Compute everything anew into the folder and say what came of it; for `replay --ledger`, too."""
    from cordboard.bootstrap.rebuilding import rebuild

    rebuilt = rebuild(files, period, folder)
    for line in rebuilt.lines:
        typer.echo(line)
    if not rebuilt.is_same:
        raise typer.Exit(1)


def _print_json(lines: Iterable[dict[str, object]]) -> None:
    for line in lines:
        typer.echo(json.dumps(line))
