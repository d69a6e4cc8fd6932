"""Counts in a file: what flow tests covered, written by `cordboard test` and laid over pictures.

JSON, by flow, node and way: `{"support": {"main": {"keys.1": 3, "": 1}}}`; the way "" is a call that ended there.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError
from cordboard.pictures.chart import Counts


def read_counts(path: Path) -> dict[str, Counts]:
    """The counts of each flow in a file. Raises ConfigurationError if it is no such file."""
    try:
        written = orjson.loads(path.read_bytes())
        return {
            flow: {(node, way): int(count) for node, ways in nodes.items() for way, count in ways.items()}
            for flow, nodes in written.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as fault:
        hint = "`cordboard test --coverage FILE` writes one"
        raise ConfigurationError(
            [Finding(str(path), 1, 1, "unreadable-file", "this is no file of counts", hint)]
        ) from fault
