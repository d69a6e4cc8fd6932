"""Makes the files of a configuration live: copies them, checks them, keeps every flow's revision.

Used by the supervisor, which tells its processes afterwards. What is refused changes nothing, and is told in the
log, in `<state>/last_refusal.json` (for the desk and `cordboard flow list`; gone with the next good load) and to
whoever asked for it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.bootstrap.kept_files import KeptFiles
from cordboard.bootstrap.prompt_faults import report_faults
from cordboard.bootstrap.requests import FOLDER, Answer
from cordboard.bootstrap.revisions import Cause, Revisions
from cordboard.bootstrap.whole_files import make_folder, read_json, write_json
from cordboard.errors import ConfigurationError, CordboardError, StoreUnavailable

log = structlog.get_logger()


class PromptsUnplayable(CordboardError):
    """A new configuration has prompts that cannot be played, while all that is running can."""


@dataclass(frozen=True, slots=True)
class Published:
    """What is live now, and what that changed: revisions before and after, by flow."""

    configuration: Configuration
    changed: dict[str, tuple[str, str]]


class Publisher:
    """The files of one configuration directory. first: as loaded at the start; only its places count."""

    def __init__(self, first: Configuration) -> None:
        self._first = first
        self._kept = KeptFiles(first.directory, first.state)
        self._revisions = Revisions(first.state)
        self._unplayable: int | None = None  # how many prompts of what is running; None: nothing is

    @property
    def active(self) -> Path:
        """Where processes read what is live."""
        return self._kept.active

    def is_current(self) -> bool:
        """Whether the files are what is live already, and nothing was refused since. Raises OSError."""
        return not refusal_file(self._first.state).exists() and self._kept.is_current()

    async def take(self, cause: Cause) -> Published:
        """Make the files as they are now those that are live.

        Raises ConfigurationError, PromptsUnplayable or OSError; then those before stay.
        """
        make_folder(self._first.state / FOLDER)
        with self._kept.candidate(cause.flows) as files:
            configuration = load_configuration(self._first.directory, files)
            if (crm := configuration.open_crm()) is not None:  # its secrets can be read
                await crm.connector.close()
            unplayable = report_faults(await self._first.library.prepare(configuration.prompts()))
            if unplayable and self._unplayable == 0:
                raise PromptsUnplayable(f"{unplayable} prompts cannot be played")
            self._revisions.keep(configuration.house.flows, files / "flows", cause)
        self._unplayable = unplayable
        for warning in configuration.warnings:
            log.warning("configuration_warning", **warning.as_json())
        return Published(configuration, self._note_live(configuration, cause))

    def _note_live(self, configuration: Configuration, cause: Cause) -> dict[str, tuple[str, str]]:
        """Note what is live now. A full disk does not undo that."""
        try:
            changed = self._revisions.go_live(configuration.house.flows, cause)
            refusal_file(self._first.state).unlink(missing_ok=True)
        except OSError as fault:
            log.error("revisions_not_noted", reason=str(fault))
            return {}
        for flow, (before, now) in changed.items():
            log.info("flow_published", flow=flow, revision=now, before=before, by=cause.by)
        return changed

    async def try_take(self, cause: Cause) -> tuple[Published | None, Answer]:
        """The same while a service runs: None if it is refused, which is told everywhere. Never raises."""
        try:
            published = await self.take(cause)
        except ConfigurationError as fault:
            findings = tuple(finding.as_json() for finding in fault.findings)
            answer = self._refused(cause, findings, "")
            for finding in findings:
                log.error("configuration_refused", **finding)
            return None, answer
        except (CordboardError, OSError) as fault:
            answer = self._refused(cause, (), str(fault))
            log.error("configuration_refused", message=str(fault))
            return None, answer
        except Exception as fault:  # a fault of ours: what runs goes on, and the log says where it is
            message = f"{type(fault).__name__}: {fault}"
            log.error("configuration_refused", message=message, exc_info=fault)
            return None, self._refused(cause, (), message)
        return published, Answer(True, published.changed)

    def _refused(self, cause: Cause, findings: tuple[dict[str, Any], ...], message: str) -> Answer:
        refusal = {"at": time.time(), "by": cause.by, "message": message, "findings": findings}
        try:
            write_json(refusal_file(self._first.state), refusal)
        except OSError as fault:
            log.error("refusal_not_noted", reason=str(fault))
        return Answer(False, findings=findings, message=message)

    async def drop_old_revisions(self) -> None:
        """Forget what nobody can need any more."""
        from cordboard.store.reader import StoreReader  # the service starts 0.3 s earlier without it
        from cordboard.store.traces import revisions_in_use

        reader = StoreReader(self._first.database)
        try:
            in_use = await reader.ask(revisions_in_use)
            dropped = await asyncio.to_thread(self._revisions.drop_old, in_use, time.time())
        except (StoreUnavailable, OSError) as fault:  # the next time may do better
            log.info("revisions_not_dropped", reason=str(fault))
        else:
            if dropped:
                log.info("revisions_dropped", count=dropped)
        finally:
            reader.close()


def refusal_file(state: Path) -> Path:
    """Where the last refusal is told, for as long as nothing good was loaded since."""
    return state / "last_refusal.json"


def last_refusal(state: Path) -> dict[str, Any] | None:
    """What was refused and has not been mended: `at` (seconds since 1970), `by`, `message`, `findings`."""
    refusal = read_json(refusal_file(state))
    return refusal if isinstance(refusal, dict) else None
