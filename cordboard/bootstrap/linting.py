"""What is wrong with configurations and flow files, for `cordboard lint`: everything that can be found, at once.

A directory is checked as a whole. A flow file is checked with the directory it lies in, if that is a configuration;
else by itself, and what it names outside of itself is not judged then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cordboard.bootstrap.configuration import load_configuration, read_surroundings
from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.loader import load_flow

Loaded = tuple[tuple[Finding, ...], str]  # warnings, and what was loaded, in words

_SETTINGS, _FLOWS, _ONE_FLOW = "cordboard.yaml", "flows", "1 flow"
_BESIDE = frozenset(["cordboard.yaml", "numbers.yaml", "queues.yaml", "agents.yaml", "crm.yaml"])
_OF_NEIGHBOURS = frozenset(["unknown-flow", "not-callable"])  # only the other files could tell


@dataclass(frozen=True, slots=True)
class Linted:
    """What came of one path. parts: what was looked at, in words; None if something kept it from loading."""

    path: Path
    findings: tuple[Finding, ...]
    parts: str | None = None


def lint(paths: Iterable[Path]) -> list[Linted]:
    """Each path's findings, in the order given. Never raises for what is written in them."""
    return [_directory(path) if path.is_dir() else _file(path) for path in paths]


def _directory(path: Path) -> Linted:
    return _collected(path, lambda: _load_all(path))


def _file(path: Path) -> Linted:
    """A flow file, or another file of a configuration. What is in its own `flows`, or beside them, may be named
    anywhere else in it, so all of it is read.
    """
    home = next((parent for parent in path.absolute().parents if (parent / _SETTINGS).is_file()), None)
    if home is not None and path.absolute().parent == home and path.name in _BESIDE:
        return _part_of(home, path, "")
    if home is None or path.absolute().parent != home / _FLOWS:
        return _collected(path, lambda: _load_alone(path, home), ignoring=_OF_NEIGHBOURS)
    return _part_of(home, path, _ONE_FLOW)


def _part_of(home: Path, path: Path, parts: str) -> Linted:
    """What there is to say of one file of a configuration."""
    here = str(path.absolute())
    own = tuple(replace(one, file=str(path)) for one in _directory(home).findings if one.file == here)
    return Linted(path, own, _parts_unless_faulty(own, parts))


def _load_all(path: Path) -> Loaded:
    configuration = load_configuration(path, need_secrets=False)
    try:
        configuration.check_outside_world()
    except ConfigurationError as fault:
        raise ConfigurationError(fault.findings, configuration.warnings) from fault
    house = configuration.house
    parts = (_counted(house.flows, "flow"), _counted(house.numbers.numbers, "number"))
    return configuration.warnings, ", ".join(parts)


def _counted(what: Collection[str], name: str) -> str:
    return f"{len(what)} {name}" if len(what) == 1 else f"{len(what)} {name}s"


def _load_alone(path: Path, home: Path | None) -> Loaded:
    flow = load_flow(read_yaml(path), read_surroundings(home) if home else None)
    return flow.warnings, _ONE_FLOW


def _collected(path: Path, load: Callable[[], Loaded], ignoring: frozenset[str] = frozenset()) -> Linted:
    """What loading had to say. ignoring: codes that do not count here."""
    try:
        findings, parts = load()
    except ConfigurationError as refused:
        findings = tuple(one for one in (*refused.findings, *refused.warnings) if one.code not in ignoring)
        parts = _ONE_FLOW
    return Linted(path, findings, _parts_unless_faulty(findings, parts))


def _parts_unless_faulty(findings: Sequence[Finding], parts: str) -> str | None:
    return None if any(one.is_error for one in findings) else parts
