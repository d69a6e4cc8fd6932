"""How large a program a regular expression stands for, about, in the engine's instructions. Pure.

RE2 is linear in the text for any pattern, but its program grows with every repetition that is counted, one within
the other: ((x{30}){30}){30} is 27,000 characters, and \\pL alone is several hundred ranges of bytes.
"""

from __future__ import annotations

import re

_CLASS_OF_LETTERS = 700  # \pL and its like, as bytes of UTF-8
_CLASS = 12
_ATOM = re.compile(
    r"""
      (?P<letters> \\[pP](?:\{[^}]*\}|.) )
    | (?P<class>   \[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\] | \\[dDwWsS] | \. )
    | (?P<count>   \{(?P<least>\d+)(?P<range>,(?P<most>\d*))?\} )
    | (?P<open>    \((?:\?(?:P?<\w+>|[A-Za-z-]*:?))? )
    | (?P<close>   \) )
    | (?P<other>   \\?. )
    """,
    re.VERBOSE | re.DOTALL,
)


def regex_size(pattern: str) -> int:
    """About how many instructions; never much less than there are."""
    groups, last = [0], 0
    for found in _ATOM.finditer(pattern):
        match found.lastgroup:
            case "open":
                groups.append(0)
                last = 0
            case "close":
                last = groups.pop() + 2 if len(groups) > 1 else 1
                groups[-1] += last
            case "count" | "least" | "range" | "most":
                most = max(int(found["least"]), int(found["most"] or 0)) + bool(found["range"])
                groups[-1] += last * max(most - 1, 0)
                last *= max(most, 1)
            case kind:
                last = _size_of_atom(kind, found[0])
                groups[-1] += last
    return sum(groups)


def _size_of_atom(kind: str | None, atom: str) -> int:
    if kind == "letters":
        return _CLASS_OF_LETTERS
    if kind == "class":
        return _CLASS + _CLASS_OF_LETTERS * len(re.findall(r"\\[pP]", atom))
    return len(atom.encode())
