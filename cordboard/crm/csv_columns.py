"""Which column of a CSV file is what: the id, the numbers, each field of crm.yaml. Pure; used by `csv_import`.

Names are compared without capitals, and with a blank or dash for an underscore: `Customer Since` is customer_since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cordboard.config.validation import closest
from cordboard.crm.crm_file import CrmSettings, Directory
from cordboard.crm.csv_table import UnreadableTable

_IDS = ("id", "customer_id", "customer_no", "customer_number")
_NUMBERS = re.compile(r"(?:phone|mobile|telephone|tel|cell|landline|number)s?(?:_number|_?[0-9]+)?")
_UPDATED = ("updated", "updated_at", "modified", "last_modified")


@dataclass(frozen=True, slots=True)
class Columns:
    """Places in a row, from 0. fields: by name, those that have a column; unused: names of all other columns."""

    id: int
    numbers: tuple[int, ...]
    updated: int | None
    fields: dict[str, int]
    unused: tuple[str, ...]


def find_columns(header: Sequence[str], settings: CrmSettings) -> Columns:
    """The columns of a header. Raises UnreadableTable if one is missing that a customer cannot be without."""
    places = _places(header)
    written = settings.connector.directory or Directory()
    fields = dict(_field_columns(places, settings, written))
    if settings.title_field not in fields:
        raise _missing(
            settings.title_field, "the title of a customer", places, f"columns: {{{settings.title_field}: COLUMN}}"
        )
    customer_id = _one_of(places, (written.id,) if written.id else _IDS)
    if customer_id is None:
        raise _missing(written.id or "id", "what tells customers apart", places, "id: COLUMN")
    numbers = tuple(_number_columns(places, settings, written))
    if not numbers:
        raise _missing("phone", "the numbers", places, "numbers: [COLUMN]")
    updated = _one_of(places, (written.updated,) if written.updated else _UPDATED)
    used = {customer_id, updated, *numbers, *fields.values()}
    unused = tuple(name for place, name in enumerate(header) if place not in used and name)
    return Columns(customer_id, numbers, updated, fields, unused)


def _places(header: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        if name and places.setdefault(_plain(name), place) != place:
            raise UnreadableTable(f"two columns are called `{name}`")
    return places


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _one_of(places: dict[str, int], names: Sequence[str]) -> int | None:
    return next((places[_plain(name)] for name in names if _plain(name) in places), None)


def _field_columns(places: dict[str, int], settings: CrmSettings, written: Directory) -> Iterator[tuple[str, int]]:
    for name in settings.customer:
        column = written.columns.get(name)
        place = places.get(_plain(column or name))
        if place is not None:
            yield name, place
        elif column is not None:
            raise _missing(column, f"the field {name}", places, f"columns: {{{name}: COLUMN}}")


def _number_columns(places: dict[str, int], settings: CrmSettings, written: Directory) -> Iterator[int]:
    """Those of crm.yaml; without any, all that are called like numbers and are no field."""
    for column in written.numbers:
        if _plain(column) not in places:
            raise _missing(column, "the numbers", places, "numbers: [COLUMN]")
        yield places[_plain(column)]
    if not written.numbers:
        yield from (
            place for name, place in places.items() if _NUMBERS.fullmatch(name) and name not in settings.customer
        )


def _missing(column: str, what: str, places: dict[str, int], key: str) -> UnreadableTable:
    """The refusal of a table without a column. key: what tells in crm.yaml which column it is."""
    near = closest(_plain(column), places) or f"there are: {', '.join(places) or 'none'}"
    hint = f"say in crm.yaml which one it is: `connector: {{directory: {{{key}}}}}`"
    return UnreadableTable(f"there is no column `{column}` for {what}; {near}", hint)
