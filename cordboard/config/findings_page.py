"""`docs/findings.md`: every code with its meaning, an example and its cure, made from `codes`.

`python -m cordboard.config.findings_page` writes it anew; a test checks that it is current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent

from cordboard.config.code import Code
from cordboard.config.codes import CHAPTERS, CODES
from cordboard.config.findings import PAGE

_HEAD = """# Findings

What `cordboard lint` says about a configuration, and what to do. An **error** refuses it: a running service keeps
the configuration it has. A **warning** is shown, and the configuration is used; `cordboard lint --strict` counts it
too. `cordboard lint --explain CODE` shows an entry of this page in the terminal.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_chapter(title, codes) for title, codes in CHAPTERS.items())])


def explained(code: str) -> str:
    """One entry, for a terminal. Raises KeyError."""
    told = CODES[code]
    parts = (f"{code} ({told.severity})", told.meaning, _inset(told.wrong), told.cure, _inset(told.right))
    return "\n\n".join(part for part in parts if part)


def _inset(example: str) -> str:
    return indent(example, "    ")


def _chapter(title: str, codes: Mapping[str, Code]) -> str:
    lines = [line for name in sorted(codes) for line in _entry(name, codes[name])]
    return "\n".join([f"## {title}", "", *lines])


def _entry(name: str, code: Code) -> Iterator[str]:
    yield from (f"### {name}", "", f"*{code.severity}* · {code.meaning}", "")
    if code.wrong:
        yield from ("```yaml", code.wrong, "```", "")
    yield from (f"**Cure.** {code.cure}", "")
    if code.right:
        yield from ("```yaml", code.right, "```", "")


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
