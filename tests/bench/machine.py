"""Facts about the machine and the versions a run was made with."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

from cordboard.lab.pbx import LabPbx
from tests.bench.report import Machine

LIBRARIES = ("uvloop", "panoramisk", "structlog", "orjson")
ESL_LIBRARIES = ("uvloop", "greenswitch", "gevent")
STORE_LIBRARIES = ("sqlalchemy", "psycopg")
FLOW_LIBRARIES = ("pydantic", "cel-expr-python", "PyYAML")


async def this_machine(pbx: LabPbx) -> Machine:
    """This machine, and the Asterisk that runs on it now."""
    found = re.search(r"Asterisk (\S+)", await pbx.command("core show version"))
    asterisk = found[1] if found else "of unknown version"
    return _machine(f"Asterisk {asterisk}, ", LIBRARIES)


def freeswitch_machine(switch: str) -> Machine:
    """This machine, with what speaks to FreeSWITCH."""
    return _machine(f"{switch}, ", ESL_LIBRARIES)


def bare_machine() -> Machine:
    """This machine, with what the flow engine uses."""
    return _machine("", FLOW_LIBRARIES)


def store_machine() -> Machine:
    """This machine, with the engines of the store."""
    return _machine(f"SQLite {sqlite3.sqlite_version}, ", STORE_LIBRARIES)


def _machine(switch: str, names: tuple[str, ...]) -> Machine:
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        cpu=_cpu_model(),
        versions=f"{switch}Python {platform.python_version()}, {libraries}",
    )


def _cpu_model() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()
