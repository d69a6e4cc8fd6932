"""Reads the rows of a CSV file as spreadsheets write them, however broken the file is somewhere.

Used by `csv_import`. UTF-8, UTF-16 with a byte order mark, else Windows-1252; commas, semicolons or tabs between
cells. Each record is read on its own: one that is broken (a quote that is never closed) costs its own line and no
other, where a reader of the whole file would swallow all that follows. Cells are text, whatever a spreadsheet would
make of them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 200 << 20  # a million customers with long notes
RECORD_MAX_LINES = 200  # a cell may hold line ends; more of them are a quote that somebody forgot
CELL_MAX_CHARACTERS = 10_000

_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods, .xls
_DELIMITERS = ",;\t"


class UnreadableTable(ValueError):
    """No table at all. The words say why; hint: what to do about it, "" if that is plain."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Row:
    """A record. line: where it begins, from 1; fault: why it could not be read, "" if it could."""

    line: int
    cells: tuple[str, ...] = field(default=(), repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """header: the names in the first row; rows: all others that are not blank."""

    header: tuple[str, ...]
    rows: Iterator[Row]


def read_table(path: Path) -> Table:
    """The table in a file. Raises UnreadableTable."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as fault:
        raise UnreadableTable(f"there is no file {path}") from fault
    except OSError as fault:
        raise UnreadableTable(f"the file cannot be read: {fault.strerror}") from fault
    if len(data) > MAX_BYTES:
        raise UnreadableTable(f"the file has more than {MAX_BYTES} bytes; split it")
    return parse_table(data)


def parse_table(data: bytes) -> Table:
    """The table in the bytes of a file. Raises UnreadableTable."""
    lines = list(io.StringIO(_decoded(data), newline=""))
    delimiter = _delimiter_of(lines[0]) if lines else ","
    csv.field_size_limit(MAX_BYTES)  # a limit of the library's own would be hit in the middle of a record
    header, at = _next_record(lines, 0, delimiter)
    if header is None:
        raise UnreadableTable("the file is empty; its first line names the columns")
    if header.fault:
        raise UnreadableTable(f"the first line cannot be read: {header.fault}")
    names = tuple(name.strip() for name in header.cells)
    return Table(names, _rows(lines, at, delimiter, len(names)))


def _decoded(data: bytes) -> str:
    if data.startswith(_SPREADSHEETS):
        raise UnreadableTable("this is a spreadsheet's own format; save the table as CSV")
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter_of(header: str) -> str:
    """The one that stands most often in the first line, outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _rows(lines: list[str], at: int, delimiter: str, width: int) -> Iterator[Row]:
    while True:
        row, behind = _next_record(lines, at, delimiter)
        if row is None:
            return
        row = _checked(row, width)
        yield row
        # A broken record of several lines may be a quote that swallowed good ones: they are read once more.
        at = row.line if row.fault else behind


def _next_record(lines: list[str], at: int, delimiter: str) -> tuple[Row | None, int]:
    """The next record that is not blank, and where the one behind it begins; None at the end."""
    while at < len(lines):
        reader = csv.reader(lines[at : at + RECORD_MAX_LINES], delimiter=delimiter, strict=True)
        try:
            cells = tuple(next(reader))
        except csv.Error:
            return Row(at + 1, fault="its quotes do not pair; a quote within a cell is written twice"), at + 1
        if any(cell.strip() for cell in cells):
            return Row(at + 1, cells), at + reader.line_num
        at += reader.line_num
    return None, at


def _checked(row: Row, width: int) -> Row:
    """The row, or what is wrong with it."""
    cells = row.cells
    if row.fault:
        return row
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        return Row(row.line, fault=f"{len(cells)} cells where the first line has {width}")
    if any(len(cell) > CELL_MAX_CHARACTERS for cell in cells):
        return Row(row.line, fault=f"a cell has more than {CELL_MAX_CHARACTERS} characters")
    if any("\ufffd" in cell for cell in cells):
        return Row(row.line, fault="a character that cannot be read; save the file as UTF-8")
    return Row(row.line, cells[:width])
