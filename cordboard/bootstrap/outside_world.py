"""Web services and scripts of a configuration: opened for a worker, shown to flows, looked at by lint.

Called by `worker` at start and at a reload, and by `configuration`. The settings say what there is; how it is asked
and run is for `service.errands`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordboard.config.findings import Finding
from cordboard.config.kinds import KINDS
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.surroundings import ScriptShape
from cordboard.scripts_section import FOLDER, Script
from cordboard.service.script_pool import ScriptPool
from cordboard.service.scripts import faults_of
from cordboard.service.web_services import unreadable_files
from cordboard.settings import Settings

_FILE = "cordboard.yaml"


def shown_to_flows(settings: Settings) -> dict[str, Any]:
    """What flows may ask and run, for their `Surroundings`."""
    return {
        "http_services": {name: service.timeout_s for name, service in settings.http.items()},
        "scripts": {name: _shape(script) for name, script in settings.scripts.items()},
    }


def _shape(script: Script) -> ScriptShape:
    return ScriptShape(
        params={name: KINDS[word] for name, word in script.params.items()},
        returns={name: KINDS[word] for name, word in script.returns.items()},
        secrets=frozenset(script.secrets),
        timeout_s=script.timeout_s,
    )


def outside_faults(settings: Settings, directory: Path) -> list[Finding]:
    """Secrets that cannot be read and scripts that cannot be imported. Starts processes, so not within a loop."""
    return [*unreadable_files(settings.http, directory), *_unusable_scripts(settings, directory)]


def _unusable_scripts(settings: Settings, directory: Path) -> list[Finding]:
    if not settings.scripts:
        return []
    faults = asyncio.run(_import_all(settings, directory))
    return [_unusable(directory, name, settings.scripts[name].entry, words) for name, words in faults.items()]


async def _import_all(settings: Settings, directory: Path) -> Mapping[str, str]:
    pool = ScriptPool(directory / FOLDER, 1, settings.script_pool.memory_mb)
    try:
        return await faults_of(settings.scripts, pool)
    finally:
        await pool.aclose()


def _unusable(directory: Path, name: str, entry: str, words: str) -> Finding:
    try:
        place = read_yaml(directory / _FILE, shown_as=_FILE).place(("scripts", name, "entry"))
    except ConfigurationError:  # changed meanwhile
        place = 1, 1
    module = entry.partition(":")[0].replace(".", "/")
    hint = f"put it into {FOLDER}/{module}.py of the configuration, or install the package beside the service"
    return Finding(_FILE, *place, "script-unusable", f"`{entry}` cannot be imported: {words}", hint)
