"""What every code of a finding means, with an example and its cure: the one place where codes are told.

Findings refer to it by page (`docs/findings.md#code`), lint takes from it how severe a code is, and
`cordboard lint --explain CODE` shows it in a terminal. `findings_page` writes the page from it; a test finds codes
that are used in the source and not told here, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.config.code import Code
from cordboard.config.codes_of_files import FILES
from cordboard.config.codes_of_flows import EXPRESSIONS, FLOWS, LINT
from cordboard.config.codes_of_settings import AROUND, TESTS

CHAPTERS: Mapping[str, Mapping[str, Code]] = {
    "Reading a file": FILES,
    "Writing a flow": FLOWS,
    "Expressions": EXPRESSIONS,
    "A flow as a whole": LINT,
    "Settings, queues, agents and customers": AROUND,
    "Flow tests and scenarios": TESTS,
}
"""All codes, by the chapter of the page."""

CODES: Mapping[str, Code] = {name: code for chapter in CHAPTERS.values() for name, code in chapter.items()}
"""All codes, by name."""
