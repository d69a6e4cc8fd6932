"""Fills the embedded directory from a CSV file: rows that are fine go in, all others are listed, with the reason.

Called by the command line. Customers are added, or replaced by their id, in one transaction; look-ups go on
meanwhile. No message holds what stands in a cell: reports of imports end up in mails and logs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cordboard.config.findings import Finding
from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.csv_columns import Columns, find_columns
from cordboard.crm.csv_table import Row, UnreadableTable, read_table
from cordboard.crm.customer import Value, WrongValue, read_value
from cordboard.crm.customers_db import CustomersDb, StoredCustomer
from cordboard.crm.phone_numbers import WORDS, read_number
from cordboard.errors import ConfigurationError

ID_MAX_CHARACTERS = 200

_BETWEEN_NUMBERS = re.compile(r"[;|\n]|,(?![0-9]+[Ee])")  # a comma may be decimal: 4,42079E+11
_IN_POWERS_OF_TEN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[Ee][+]?[0-9]+")  # 4.42079E+11
_ROUNDED = "; the spreadsheet has rounded it: format the column as text"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """imported: customers added or replaced; faults: rows that were not; notes: what may not have been meant."""

    imported: int
    faults: tuple[Finding, ...]
    notes: tuple[str, ...]


class _BrokenRow(ValueError):
    """A row that is not imported. The words say why, without values."""


@dataclass(slots=True)
class _Reader:
    """Makes customers of rows. seen: the line of each id."""

    settings: CrmSettings
    header: tuple[str, ...]
    columns: Columns
    imported_at: float
    seen: dict[str, int] = field(default_factory=dict)

    def read(self, row: Row) -> StoredCustomer:
        """The customer in a row. Raises _BrokenRow."""
        if row.fault:
            raise _BrokenRow(row.fault)
        customer_id = self._id_in(row)
        customer = StoredCustomer(
            customer_id, dict(self._fields_in(row)), self._updated_in(row), tuple(self._numbers_in(row))
        )
        if not customer.numbers:
            raise _BrokenRow("no phone number; nobody could find this customer")
        self.seen[customer_id] = row.line
        return customer

    def _id_in(self, row: Row) -> str:
        customer_id = row.cells[self.columns.id].strip()
        if not customer_id or len(customer_id) > ID_MAX_CHARACTERS:
            raise _BrokenRow(f"`{self.header[self.columns.id]}` is empty or too long")
        if customer_id in self.seen:
            raise _BrokenRow(f"the same `{self.header[self.columns.id]}` as in line {self.seen[customer_id]}")
        return customer_id

    def _fields_in(self, row: Row) -> Iterator[tuple[str, Value]]:
        for name, place in self.columns.fields.items():
            try:
                yield name, read_value(self.header[place], self.settings.customer[name], row.cells[place])
            except WrongValue as fault:
                raise _BrokenRow(str(fault)) from fault

    def _numbers_in(self, row: Row) -> list[str]:
        """All numbers of the customer, each once, in the order of the columns."""
        found: dict[str, None] = {}
        for place in self.columns.numbers:
            for text in filter(str.strip, _BETWEEN_NUMBERS.split(row.cells[place])):
                read = read_number(text, self.settings.country)
                if read.why:
                    rounded = _ROUNDED if _IN_POWERS_OF_TEN.fullmatch(text.strip()) else ""
                    raise _BrokenRow(f"`{self.header[place]}`: {WORDS[read.why]}{rounded}")
                found[read.e164] = None
        return list(found)

    def _updated_in(self, row: Row) -> float:
        """When the record was changed last; now, if the file does not say."""
        place = self.columns.updated
        written = row.cells[place].strip() if place is not None else ""
        if not written:
            return self.imported_at
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            wanted = "no date; write for instance 2026-11-23 or 2026-11-23T14:30"
            raise _BrokenRow(f"`{self.header[place or 0]}` is {wanted}") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def import_csv(
    path: Path, settings: CrmSettings, db: CustomersDb, imported_at: float | None = None
) -> ImportReport:
    """Import a file. imported_at: seconds since 1970, now if left out.

    Raises ConfigurationError if the file holds no table of customers, CrmError if `db` cannot be written.
    """
    try:
        table = read_table(path)
        columns = find_columns(table.header, settings)
    except UnreadableTable as fault:
        raise ConfigurationError([Finding(str(path), 1, 1, "no-customers", str(fault), fault.hint)]) from fault
    reader = _Reader(settings, table.header, columns, time.time() if imported_at is None else imported_at)
    good: list[StoredCustomer] = []
    faults: list[Finding] = []
    for row in table.rows:
        try:
            good.append(reader.read(row))
        except _BrokenRow as broken:
            faults.append(Finding(str(path), row.line, 1, "broken-row", str(broken)))
    db.put_all(good)
    return ImportReport(len(good), tuple(faults), tuple(_notes(columns, settings)))


def _notes(columns: Columns, settings: CrmSettings) -> Iterator[str]:
    missing = [name for name in settings.customer if name not in columns.fields]
    if missing:
        yield f"no column for {', '.join(missing)}: left empty"
    if columns.unused:
        yield f"columns that crm.yaml has no field for: {', '.join(columns.unused)}"
