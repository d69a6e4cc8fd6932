"""What there is to tell about one code of a finding. All codes are in the tables that `codes` puts together."""

from __future__ import annotations

from dataclasses import dataclass

from cordboard.config.findings import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """meaning: what is wrong, and what would come of it; wrong: an example of it, as YAML, or "" where there is
    nothing to show; cure: what to do; right: the example put right, or "".
    """

    meaning: str
    cure: str
    wrong: str = ""
    right: str = ""
    severity: Severity = "error"


def warning(meaning: str, cure: str, wrong: str = "", right: str = "") -> Code:
    """A code that is shown and refuses nothing."""
    return Code(meaning, cure, wrong, right, "warning")
