"""A fault in a file an admin wrote: where it is, what it is, what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault. line and column count from 1; code is stable ("unknown-key"), for tools and documentation."""

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.message} [{self.code}]"
        return f"{text}\n    {self.hint}" if self.hint else text

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON-ready dictionary."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }
