"""Which file of a folder holds which flow, also while some of them are faulty."""

from __future__ import annotations

import re
from pathlib import Path

from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError

_NAME = re.compile(r"""^flow:[ \t]*["']?([a-z][a-z0-9_-]{0,31})["']?[ \t]*(?:#.*)?$""", re.MULTILINE)


def flow_files(folder: Path) -> dict[str, Path]:
    """The file of each flow, by the name it gives it; of two with one name the first. Raises OSError."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        if name := written_name(path.read_text("utf-8", "replace")) or _read_name(path):
            found.setdefault(name, path)
    return found


def written_name(text: str) -> str:
    """The name of the flow in a text; "" if no line says it."""
    match = _NAME.search(text)
    return match[1] if match else ""


def _read_name(path: Path) -> str:
    """The same of a file that is written as no admin writes: all of it in braces, say."""
    try:
        data = read_yaml(path).data
    except ConfigurationError:
        return ""
    return str(data.get("flow", "")) if isinstance(data, dict) else ""
