"""What can be said of a call on the command line of `cordboard simulate`, as what a call is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cordboard.config.document import Document
from cordboard.config.scalars import plain_value
from cordboard.config.validation import validate
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.simulation.given import Given, local_time
from cordboard.simulation.premises import Premises


class BadOption(ValueError):
    """An option that means nothing. option: its name; the text says what to write."""

    def __init__(self, option: str, message: str) -> None:
        self.option = option
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The options as they were written; None where one was left out."""

    at: str | None = None
    ani: str | None = None
    name: str | None = None
    dnis: str | None = None
    crm: str | None = None
    given: Path | None = None


def given_by(options: CallOptions, premises: Premises, now: datetime) -> Given:
    """What the call is given; it begins now if nothing is said.

    Raises BadOption, and ConfigurationError for faults in the file with more answers.
    """
    written: dict[str, Any] = {"at": _time(options.at, now) if options.at else now.strftime("%Y-%m-%d %H:%M")}
    for key, value in (("ani", options.ani), ("name", options.name), ("dnis", options.dnis)):
        if value is not None:
            written[key] = value
    if options.crm is not None:
        written["crm"] = _customer(options.crm, premises)
    try:
        spoken = Given.model_validate(written)
    except ValidationError as fault:
        raise BadOption("--crm", "write none, error, slow, or fields: tier=gold,name=Ada") from fault
    return spoken.over(_read(options.given)) if options.given else spoken


def _time(text: str, now: datetime) -> str:
    """A moment; of a time of day alone, that of today, and of a date alone, its noon."""
    for written in (text, f"{now:%Y-%m-%d} {text}", f"{text} 12:00"):
        try:
            local_time(written)
        except ValueError:
            continue
        return written
    raise BadOption("--at", f'`{text}` is no time; write for instance "2026-12-24 17:30", 2026-12-24 or 17:30')


def _customer(text: str, premises: Premises) -> str | dict[str, Any]:
    if "=" not in text:
        return text
    pairs = [pair.partition("=") for pair in text.split(",")]
    kinds = premises.around.customer_fields or {}
    if not kinds and premises.around.is_known:
        raise BadOption("--crm", "there is no crm.yaml, so nobody knows any customer")
    for name, _, _ in pairs:
        if kinds and name.strip() not in kinds:
            raise BadOption("--crm", f"there is no field `{name.strip()}`; crm.yaml has {', '.join(kinds)}")
    return {name.strip(): _value(value.strip(), kinds.get(name.strip(), "")) for name, _, value in pairs}


def _value(text: str, kind: str) -> Any:
    return text if kind == "string" else plain_value(text)


def _read(path: Path) -> Given:
    """The answers of a file: what stands under `given:` in a test, or such a mapping by itself."""
    document = read_yaml(path)
    given, findings = validate(Given, document, _where(document))
    if given is None:
        raise ConfigurationError(sorted(findings))
    return given


def _where(document: Document) -> tuple[str, ...]:
    return ("given",) if isinstance(document.data, dict) and "given" in document.data else ()
