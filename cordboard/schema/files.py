"""Writes the schemas into a folder, and tells which file of a configuration has which.

    # yaml-language-server: $schema=../.schemas/flow.schema.json

is the line that editors look for in a file. The path is relative, so that it holds in a copied directory too.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from cordboard.schema.catalog import NAMES, schema

FOLDER = ".schemas"
"""Where a configuration directory has its schemas."""

_BY_FOLDER = {"flows": "flow", "scenarios": "scenario", "tests": "tests"}


def file_of(name: str) -> str:
    """The file of a schema, "flow.schema.json"."""
    return f"{name}.schema.json"


def text_of(name: str) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema that can be made here; those of a test bed that is not installed are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in NAMES:
        try:
            text = text_of(name)
        except ModuleNotFoundError as missing:
            if (missing.name or "").startswith("cordboard"):
                raise
            continue
        path = folder / file_of(name)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def schema_for(file: PurePosixPath) -> str | None:
    """The schema of a file of a configuration directory, by its path there; None if it has none."""
    if file.suffix != ".yaml":
        return None
    if file.parts[:2] == ("scenarios", "sim"):
        return "day"
    name = _BY_FOLDER.get(file.parts[0]) if len(file.parts) > 1 else file.stem
    return name if name in NAMES else None


def modeline(file: PurePosixPath) -> str:
    """The line that tells editors the schema; "" for a file without one."""
    name = schema_for(file)
    up = "../" * (len(file.parts) - 1)
    return f"# yaml-language-server: $schema={up}{FOLDER}/{file_of(name)}" if name else ""


def with_modeline(file: PurePosixPath, text: str) -> str:
    """The text of a file with that line at its top, once."""
    line = modeline(file)
    return text if not line or text.startswith(line) else f"{line}\n{text}"
