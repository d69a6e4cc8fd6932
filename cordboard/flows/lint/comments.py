"""Lines that YAML takes for comments although they were meant: `commented-key`.

`#: operator` on a line of its own, among the keys of a menu, is a comment: the key # must stand in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject

_HASH_KEY = re.compile(r"^(?P<inset>[ ]+)#[ ]?:[ ]+(?P<value>\S+)", re.MULTILINE)


def commented_keys(subject: Subject) -> Iterator[Finding]:
    """Each line of that form that names a node."""
    text = subject.document.text
    if "#" not in text:
        return
    for found in _HASH_KEY.finditer(text):
        if found["value"] in subject.options:
            line = text.count("\n", 0, found.start()) + 1
            hint = f'write "#": {found["value"]}'
            at_file = subject.at((), "commented-key", "this line is a comment, not the key #", hint)
            yield replace(at_file, line=line, column=len(found["inset"]) + 1, end_column=0)
