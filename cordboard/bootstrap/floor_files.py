"""What the commands about queues and agents look at: the files that concern them, and the database.

Flows are left unread: a fault in one of them is no reason not to see who waits. Nor is one in the queues or the
agents: the service goes on with what it took up last, and that is read then. The database is opened for reading
only and never made; the service goes on undisturbed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Agent, FloorPlan, Queue
from cordboard.bootstrap.database_address import database_of
from cordboard.bootstrap.kept_files import kept_in
from cordboard.config.findings import Finding
from cordboard.config.validation import closest
from cordboard.errors import ConfigurationError, CordboardError, StoreUnavailable
from cordboard.settings import Settings, load_settings
from cordboard.store.address import Address, is_made
from cordboard.store.cures import told
from cordboard.store.database import open_for_reading

_T = TypeVar("_T")


class NotKnown(CordboardError):
    """There is no such queue, agent or call; the message says what there is."""


@dataclass(frozen=True, slots=True)
class FloorFiles:
    """plan: queues and agents; zone: for times that people read; state: the folder of the service's own files;
    database: where queues and ledger are.

    directory: the configuration's, as it was given. faults: of its files, for which `plan` is the one that the
    service has taken up last; none where it is the files'.
    """

    plan: FloorPlan
    zone: str
    state: Path
    directory: Path
    database: Address
    faults: tuple[Finding, ...] = ()

    def queue(self, name: str) -> Queue:
        """A queue of the plan. Raises NotKnown."""
        return known("queue", name, self.plan.queues)

    def agent(self, name: str) -> Agent:
        """An agent of the plan. Raises NotKnown."""
        return known("agent", name, self.plan.agents)


def read_floor_files(directory: Path, environment: Mapping[str, str] = os.environ) -> FloorFiles:
    """The files of a configuration. Raises ConfigurationError with every fault in them, if the settings have any or
    no service has ever taken up queues and agents.
    """
    findings: list[Finding] = []
    settings = _collected(findings, lambda: load_settings(directory, environment)[0])
    plan = _collected(findings, lambda: load_floor_plan(directory))
    if settings is not None and plan is None:
        plan = _taken_up_last(_state(directory, settings))
    if settings is None or plan is None:
        raise ConfigurationError(findings)
    database = database_of(settings, directory)
    state = _state(directory, settings)
    return FloorFiles(plan, settings.zone, state, directory, database, tuple(findings))


def _taken_up_last(state: Path) -> FloorPlan | None:
    """Queues and agents as the service has them, None if it has none. An earlier release may have read them
    otherwise.
    """
    active = kept_in(state)
    return _collected([], lambda: load_floor_plan(active)) if active.is_dir() else None


@contextmanager
def reading(files: FloorFiles) -> Iterator[Connection]:
    """A connection that sees one moment of the database. Raises StoreUnavailable, also for what is done with it."""
    database = files.database
    if not is_made(database):
        raise StoreUnavailable(no_database(files))
    engine = open_for_reading(database)
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as fault:
        raise StoreUnavailable(f"the database {database} cannot be read: {_in_words(database, fault)}") from fault
    finally:
        engine.dispose()


def no_database(files: FloorFiles) -> str:
    """What to say where the service has never run."""
    hint = f"it is made when the service starts: cordboard run -c {shlex.quote(str(files.directory))}"
    return f"there is no database {files.database} yet; {hint}"


def _state(directory: Path, settings: Settings) -> Path:
    return Path(os.path.normpath(directory.absolute() / settings.state))


def _collected(findings: list[Finding], load: Callable[[], _T]) -> _T | None:
    """What `load` returns; its faults go on the list instead of ending everything."""
    try:
        return load()
    except ConfigurationError as error:
        findings += error.findings
        return None


def known(what: str, name: str, there: Mapping[str, _T]) -> _T:
    """The one of that name. what: "queue", say. Raises NotKnown."""
    if name in there:
        return there[name]
    raise NotKnown(f"there is no {what} `{name}`; {closest(name, there) or _listed(there)}")


def _listed(known: Mapping[str, object]) -> str:
    return f"known: {', '.join(known) or 'none'}"


def _in_words(database: Address, fault: SQLAlchemyError) -> str:
    words = told(database, fault)
    if words.startswith(("no such table", "no such column")):
        return "it is of an earlier release, and is brought up to date when the service starts"
    return words
