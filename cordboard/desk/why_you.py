"""Why this agent got the call, as told to the agent. Pure; called for every offer on a page.

Matching writes its reason once, about the agent by name, for whoever asks later: "alice was the only free agent of
sales; alice has spanish 4, asked for 3". The agent reads it as "you", and without times that are nothing.
"""

from __future__ import annotations

import re

_NO_TIME = re.compile(r" \((?:for )?0 s\)")
_YOU = {"was": "were", "has": "have", "is": "are"}
_BETWEEN = "; "


def why_you(reason: str, agent: str) -> str:
    """ "alice was the only free agent of sales (for 0 s)" is "You were the only free agent of sales"."""
    told = _BETWEEN.join(_as_you(clause, agent) for clause in _NO_TIME.sub("", reason).split(_BETWEEN))
    return told[:1].upper() + told[1:] if told.startswith("you ") else told


def _as_you(clause: str, agent: str) -> str:
    name, _, rest = clause.partition(" ")
    verb, _, what = rest.partition(" ")
    return f"you {_YOU[verb]} {what}" if name == agent and verb in _YOU else clause
