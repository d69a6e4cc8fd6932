"""Finds the files of flow tests, and reads all of them before the first is played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError
from cordboard.simulation.flow_tests import FlowTest, load_tests
from cordboard.simulation.premises import Premises

FOLDER = "tests"
"""Of the configuration directory: where its tests are."""
SETTINGS_FILE = "cordboard.yaml"
"""What makes a directory a configuration."""

_HINT = "write `flow:` and `tests:` into a file there; `s` of `cordboard simulate` writes one too"


def files_of(path: Path) -> list[Path]:
    """The files of tests that a path stands for: itself, or those of a configuration or of any other folder."""
    if not path.is_dir():
        return [path]
    is_configuration = (path / SETTINGS_FILE).is_file()
    return sorted((path / FOLDER if is_configuration else path).rglob("*.yaml"))


def load_all(paths: Sequence[Path], premises: Premises) -> list[FlowTest]:
    """All tests of the files that the paths stand for. Raises ConfigurationError with every fault of them."""
    findings: list[Finding] = []
    tests: list[FlowTest] = []
    for path in paths:
        files = files_of(path)
        if not files:
            findings.append(Finding(str(path), 1, 1, "no-tests", "there are no flow tests", _HINT))
        for file in files:
            try:
                tests += load_tests(file, premises)
            except ConfigurationError as fault:
                findings += fault.findings
    if findings:
        raise ConfigurationError(sorted(findings))
    return tests
