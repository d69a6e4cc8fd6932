"""The screen-pop as the page shows it: each customer who has the number as a record, the best first.

`crm.screen_pop` decides what is shown and makes it harmless; here it is only laid out. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.screen_pop import PopField, ScreenPop, Status


@dataclass(frozen=True, slots=True)
class RecordField:
    """One line of a customer's record."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """One customer: the title is shown large. Fields without a value are left out."""

    title: str
    fields: tuple[RecordField, ...]


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """title: what to call this caller; notice: one sentence on the look-up, or ""; records: the customers who have
    the number, as many as fit on a screen; matches: how many there are.
    """

    status: Status
    title: str
    notice: str
    records: tuple[Record, ...]
    matches: int


def customer_card(crm: CrmSettings | None, pop: ScreenPop) -> CustomerCard:
    """The part of a screen-pop that is about customers."""
    records = _records(pop, crm.title_field) if crm is not None and pop.matches else ()
    return CustomerCard(pop.status, pop.title, pop.notice, records, pop.matches)


def _records(pop: ScreenPop, title_field: str) -> tuple[Record, ...]:
    others = tuple(_record(fields, title_field, pop.number) for fields in pop.others)
    return (Record(pop.title, _lines(pop.fields)), *others)


def _record(fields: Iterable[PopField], title_field: str, otherwise: str) -> Record:
    title = next((field.value for field in fields if field.name == title_field), "")
    return Record(title or otherwise, _lines(field for field in fields if field.name != title_field))


def _lines(fields: Iterable[PopField]) -> tuple[RecordField, ...]:
    return tuple(RecordField(field.label, field.value) for field in fields if field.value)
