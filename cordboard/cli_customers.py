"""`cordboard customers`: fills the embedded directory, and asks the CRM as a call would."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cordboard.cli_options import ConfigOption, JsonOption
from cordboard.crm.crm_file import CrmSettings, load_crm
from cordboard.crm.csv_import import import_csv
from cordboard.crm.customers_db import FILE, CustomersDb
from cordboard.crm.phone_numbers import WORDS, read_number
from cordboard.errors import CordboardError, CrmError
from cordboard.redaction import clean
from cordboard.settings import load_settings

customers_app = typer.Typer(no_args_is_help=True, help="Who callers are: the customer directory and the CRM.")


class NoCrm(CordboardError):
    """The configuration has no CRM, or not the one a command is for."""


@customers_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line names the columns.", dir_okay=False)],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Add customers from a CSV file, or replace them by their id. Rows with faults are listed and left out.

    With --json there is an object for each of these rows, and one with the counts at the end.
    """
    settings = _crm_of(config)
    with _Directory(settings, config) as db:
        report = import_csv(file, settings, db)
    for finding in report.faults:
        typer.echo(json.dumps(finding.as_json()) if as_json else str(finding))
    if as_json:
        counts = {"imported": report.imported, "left_out": len(report.faults), "notes": report.notes}
        typer.echo(json.dumps({"file": str(file), **counts}))
    else:
        for note in report.notes:
            typer.echo(f"{file}: {note}")
        imported, left_out = _counted(report.imported, "customer"), _counted(len(report.faults), "row")
        typer.echo(f"{file}: {imported} imported, {left_out} left out")
    raise typer.Exit(1 if report.faults else 0)


@customers_app.command()
def find(
    number: Annotated[str, typer.Argument(help="As a caller's trunk would send it: +442079460123, 02079460123.")],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Ask the CRM about a number, exactly as a call would."""
    settings = _crm_of(config)
    read = read_number(number, settings.country)
    if read.why:
        raise typer.BadParameter(WORDS[read.why])
    status, customer = asyncio.run(_found(settings, config, read.e164))
    if as_json:
        typer.echo(json.dumps({"number": read.e164, "status": status, "customer": customer}))
    else:
        typer.echo(f"{read.e164}: {status}")
        for name in filter(customer.__contains__, (*settings.customer, "matches")):
            typer.echo(f"  {name}: {clean(str(customer[name]))}")


@customers_app.command()
def count(config: ConfigOption, as_json: JsonOption = False) -> None:
    """How many customers the embedded directory has."""
    with _Directory(_crm_of(config), config) as db:
        customers, numbers = db.count()
    if as_json:
        typer.echo(json.dumps({"customers": customers, "numbers": numbers}))
    else:
        typer.echo(f"{_counted(customers, 'customer')} with {_counted(numbers, 'number')}")


class _Directory:
    """The embedded directory's file for the length of a command. Raises NoCrm if crm.yaml has another connector."""

    def __init__(self, settings: CrmSettings, config: Path) -> None:
        if settings.connector.directory is None:
            raise NoCrm("crm.yaml asks a CRM over HTTP; only `connector: directory` has customers of its own")
        self._db = CustomersDb(_state_of(config) / FILE)

    def __enter__(self) -> CustomersDb:
        return self._db

    def __exit__(self, *_fault: object) -> None:
        self._db.close()


async def _found(settings: CrmSettings, config: Path, number: str) -> tuple[str, dict[str, Any]]:
    """The status and the customer. Raises NoCrm if the CRM does not answer; nothing is logged."""
    from cordboard.crm.connectors.opening import open_connector  # its HTTP client takes half of a command's start
    from cordboard.crm.lookups import looked_up, note_of

    connector = open_connector(settings, config, _state_of(config))
    try:
        customers = await connector.find(number, settings.patience_s)
    except CrmError as fault:
        raise NoCrm(f"{_place_of(settings)}{fault}") from fault
    finally:
        await connector.close()
    status, customer = note_of(looked_up(list(customers)))
    return status, dict(customer)


def _place_of(settings: CrmSettings) -> str:
    """Who was asked over HTTP, as the beginning of a sentence."""
    return f"{settings.connector.http.host}, " if settings.connector.http else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _crm_of(config: Path) -> CrmSettings:
    settings = load_crm(config)
    if settings is None:
        raise NoCrm(f"{config} has no crm.yaml; docs/crm.md shows one to begin with")
    return settings


def _state_of(config: Path) -> Path:
    """The service's own folder, absolute."""
    settings, _ = load_settings(config)
    return (config / settings.state).absolute()
