"""A fault in a file an admin wrote: where it is, what it is, what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]

PAGE = "docs/findings.md"
"""The page that tells each code's meaning and cure, made from `codes`."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault. line and column count from 1; code is stable ("unknown-key"), for tools and documentation.

    severity:   an error refuses the configuration; a warning is shown and lets it pass.
    end_column: behind the last character of what is meant, in the same line; 0 where it cannot be told.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    end_column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        text = self.headline
        return f"{text}\n    {self.hint}" if self.hint else text

    @property
    def headline(self) -> str:
        """The finding in one line, which editors and terminals can jump from."""
        kind = "" if self.is_error else "warning: "
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message} [{self.code}]"

    @property
    def is_error(self) -> bool:
        """Whether the configuration cannot be used as it is."""
        return self.severity == "error"

    @property
    def url(self) -> str:
        """Where the code is explained, within the project."""
        return f"{PAGE}#{self.code}"

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON-ready dictionary. end_column: null where it cannot be told."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end_column": self.end_column or None,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "url": self.url,
        }


def split(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Errors and warnings, each in file order and once."""
    ordered = sorted(set(findings))
    return [one for one in ordered if one.is_error], [one for one in ordered if not one.is_error]
