"""Why this agent got the call, as told to the agent. Pure; called for every offer on a page.

Matching writes its reason once, about the agent by name, for whoever asks later. The agent reads it as "you", and
without times that are nothing.
"""

from __future__ import annotations

import re

_NO_TIME = re.compile(r" \((?:for )?0 s\)")
_YOU = {"was": "were", "has": "have"}


def why_you(reason: str, agent: str) -> str:
    """ "alice was the only free agent of sales (for 0 s)" is "You were the only free agent of sales"."""
    told = _NO_TIME.sub("", reason)
    name, _, rest = told.partition(" ")
    verb, _, what = rest.partition(" ")
    if name != agent or verb not in _YOU:
        return told
    return f"You {_YOU[verb]} {what}"
