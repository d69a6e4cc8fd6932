"""Computes everything anew that comes from the ledger, and compares it with what the service has written meanwhile.

Used by `cordboard kpi --rebuild DIR` and `cordboard replay --ledger DIR`. The database is only read; the service
goes on. What it makes is the same to the last digit however often it is made, save for the numbers of callers who
have been erased since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from cordboard.acd.kpi_csv import kpi_csv
from cordboard.acd.report_period import Period
from cordboard.bootstrap.floor_files import FloorFiles, reading
from cordboard.bootstrap.floor_reports import question
from cordboard.bootstrap.whole_files import make_folder, write_whole
from cordboard.settings import load_settings
from cordboard.store.kpi_reads import BYS, INTERVALS_MAX, read_kpi_lines
from cordboard.store.moments import now
from cordboard.store.queue_log_rows import all_log_lines

QUEUE_LOG = "queue_log"
HALF_HOUR_S, DAY_S = 1_800.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """lines: what was made, in words; is_same: the service's own queue_log says the same."""

    lines: Sequence[str]
    is_same: bool


def rebuild(files: FloorFiles, period: Period, folder: Path) -> Rebuilt:
    """Write the figures of the period by queue, agent, interval and reason, and the whole queue_log, into a folder.

    Raises StoreUnavailable, OSError, ConfigurationError.
    """
    make_folder(folder)
    section = load_settings(files.directory)[0].queue_log
    written = [*_kept_files(files.state / section.file)]
    with reading(files) as connection:
        made = [_write_figures(connection, files, period, folder, by) for by in BYS]
        log_lines = list(all_log_lines(connection, section.numbers))
    write_whole(folder / QUEUE_LOG, "".join(f"{line}\n" for line in log_lines))
    told = f"{folder / QUEUE_LOG}: {len(log_lines)} lines"
    if not section.write:
        return Rebuilt([*made, told], is_same=True)
    verdict, is_same = compare(log_lines, [line for path in written for line in path.read_text().splitlines()])
    return Rebuilt([*made, told, f"{files.state / section.file}: {verdict}"], is_same)


def compare(rebuilt: Sequence[str], written: Sequence[str]) -> tuple[str, bool]:
    """Whether the service's lines are those of the ledger, in words. Its oldest may have been put away for good,
    and its newest not be written yet.
    """
    if not written:
        return "nothing is written yet", True
    begins = rebuilt.index(written[0]) if written[0] in rebuilt else 0
    for number, (ours, theirs) in enumerate(zip(rebuilt[begins:], written, strict=False), start=1):
        if ours != theirs:
            return f"line {number} is `{theirs}`; by the ledger it is `{ours}`", False
    extra = len(written) - len(rebuilt[begins:])
    if extra > 0:
        return f"it has {extra} lines more than the ledger", False
    return f"its {len(written)} lines are those of the ledger", True


def _write_figures(connection: Connection, files: FloorFiles, period: Period, folder: Path, by: str) -> str:
    wall = now().wall
    found = read_kpi_lines(connection, files.plan, question("", period, by, _interval_s(period, wall)), wall)
    path = folder / f"kpi_by_{by}.csv"
    write_whole(path, kpi_csv(one.as_json() for one in found))
    return f"{path}: {len(found)} lines"


def _interval_s(period: Period, wall: float) -> float:
    """Half hours; days, where these would be too many."""
    until = period.until.timestamp() if period.until else wall
    return HALF_HOUR_S if until - period.since.timestamp() <= INTERVALS_MAX * HALF_HOUR_S else DAY_S


def _kept_files(path: Path) -> Sequence[Path]:
    """The file and those put away before it, the oldest first."""
    aged = [one for one in path.parent.glob(f"{path.name}.*") if one.suffix[1:].isdigit()]
    older = sorted(aged, key=lambda one: -int(one.suffix[1:]))
    return [*older, *([path] if path.exists() else [])]
