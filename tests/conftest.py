"""Before the first test: the programs that tests need, installed once and not by two test processes at a time, and
the order of the files.
"""

from __future__ import annotations

import contextlib

import pytest

from cordboard.errors import LabError
from cordboard.lab.packages import ensure_packages
from tests.doubles.databases import database as database
from tests.doubles.databases import postgres as postgres
from tests.longest_first import place

PROGRAMS = ("espeak-ng", "sox", "baresip-core", "sip-tester", "chromium", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Where we may not install, the tests that need a program say so themselves."""
    if not hasattr(config, "workerinput"):
        with contextlib.suppress(LabError):
            ensure_packages(PROGRAMS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest begin first; within a file all stays as it is."""
    items.sort(key=lambda item: place(item.path))
