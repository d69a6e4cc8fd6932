"""Carries out the flows' `RunScript`s: typed values, or why there are none, within the deadline.

One for each worker, called by `errands`. Nothing here raises for what a script does: what breaks is a
`ScriptFailed` and one line in the log, without anything it was given or returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from cordboard.config.kinds import KINDS, KindWord
from cordboard.scripts_section import FOLDER, Script, ScriptPoolSection
from cordboard.service.foreign_values import Value, WrongValue, take_value
from cordboard.service.metrics import Metrics
from cordboard.service.script_pool import ScriptBroken, ScriptPool
from cordboard.telephony.outcomes import ScriptEnded, ScriptFailed
from cordboard.telephony.verbs import RunScript

log = structlog.get_logger()


class Scripts:
    """The scripts of one worker."""

    def __init__(
        self, scripts: Mapping[str, Script], pool: ScriptPoolSection, directory: Path, metrics: Metrics
    ) -> None:
        """directory: that of the configuration."""
        self._folder = directory / FOLDER
        self._metrics = metrics
        self._scripts = dict(scripts)
        self._pool = self._new_pool(pool)
        self._retired: list[ScriptPool] = []
        self._warming: asyncio.Task[None] | None = None

    def warm(self) -> None:
        """Have everything imported by one process, so that the first caller need not wait for it."""
        if self._scripts:
            self._warming = asyncio.create_task(self._warm(self._pool))

    def use(self, scripts: Mapping[str, Script], section: ScriptPoolSection) -> None:
        """Run these from now on, from what is on the disk now."""
        self._stop_warming()
        self._pool.retire()
        self._retired = [pool for pool in (*self._retired, self._pool) if not pool.is_empty]
        self._scripts = dict(scripts)
        self._pool = self._new_pool(section)
        self.warm()

    async def aclose(self) -> None:
        """End all processes."""
        self._stop_warming()
        for pool in (*self._retired, self._pool):
            await pool.aclose()

    async def run(self, call_id: str, verb: RunScript) -> ScriptEnded | ScriptFailed:
        """What the script returned, by the verb's deadline."""
        outcome = await self._run(verb)
        has_failed = isinstance(outcome, ScriptFailed)
        self._metrics.scripts.labels(verb.script, "failed" if has_failed else "returned").inc()
        if isinstance(outcome, ScriptFailed):
            log.warning("script_failed", call_id=call_id, script=verb.script, reason=outcome.reason)
        return outcome

    async def _run(self, verb: RunScript) -> ScriptEnded | ScriptFailed:
        script = self._scripts.get(verb.script)
        if script is None:
            return ScriptFailed("there is no such script in the settings any more")
        arguments = {**dict(verb.arguments), **dict(verb.secrets)}
        try:
            returned = await self._pool.call(
                verb.script, script.entry, arguments, verb.timeout_s, is_silent=bool(verb.secrets)
            )
            return ScriptEnded(_typed(returned, script.returns))
        except (ScriptBroken, WrongValue) as fault:
            return ScriptFailed(str(fault))

    def _stop_warming(self) -> None:
        if self._warming is not None:
            self._warming.cancel()

    async def _warm(self, pool: ScriptPool) -> None:
        for name, fault in (await faults_of(self._scripts, pool)).items():
            log.error("script_unusable", script=name, reason=fault)

    def _new_pool(self, section: ScriptPoolSection) -> ScriptPool:
        return ScriptPool(self._folder, section.processes, section.memory_mb)


async def faults_of(scripts: Mapping[str, Script], pool: ScriptPool) -> dict[str, str]:
    """Why scripts cannot be imported, by name; those that can are left out."""
    faults = {name: await pool.fault_of(name, script.entry) for name, script in scripts.items()}
    return {name: fault for name, fault in faults.items() if fault}


def _typed(returned: Any, wanted: Mapping[str, KindWord]) -> dict[str, Value]:
    """The declared values, all of them and nothing else. Raises WrongValue."""
    if returned is None and not wanted:
        return {}
    if not isinstance(returned, dict):
        raise WrongValue("it returned no mapping of plain values")
    for name in wanted:
        if returned.get(name) is None:
            raise WrongValue(f"it returned no `{name}`")
    if len(returned) > len(wanted):
        raise WrongValue("it returned more than the settings declare")
    return {name: take_value(name, KINDS[word], returned[name]) for name, word in wanted.items()}
