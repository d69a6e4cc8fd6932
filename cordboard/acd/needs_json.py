"""What callers need as JSON, for the store: `needs_as_json` and back; `asks_as_json` for what makes callers alike.

    {"require": {"spanish": 3}, "relax": [{"after_s": 30, "lower": {"spanish": 1}}], "agent": "ann", "agent_s": 20}

The words are those of queues.yaml; what is empty is left out, and who needs nothing is "". Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cordboard.acd.model import Needs, RelaxStep


def needs_as_json(needs: Needs) -> str:
    """The whole of it."""
    return _text(_needs(needs))


def asks_as_json(needs: Needs) -> str:
    """Only what decides who may have the call now: the skills required, for whom it is kept, and from whom, and the
    switch it is on where there are several. Callers of one queue with the same text are alike.
    """
    about = {
        "require": dict(sorted(needs.require)),
        "agent": needs.agent,
        "exclude": sorted(needs.exclude),
        "refused": dict.fromkeys(sorted(agent for agent, _ in needs.refused), 0.0),
        "switch": needs.switch,
    }
    return _text({key: value for key, value in about.items() if value})


@lru_cache(maxsize=4096)  # few kinds of callers, read at every match
def needs_from_json(text: str) -> Needs:
    """The needs again, from either."""
    if not text:
        return Needs()
    about = json.loads(text)
    return Needs(
        require=_pairs(about.get("require")),
        prefer=_pairs(about.get("prefer")),
        relax=tuple(_step_from(step) for step in about.get("relax", ())),
        agent=about.get("agent", ""),
        agent_s=about.get("agent_s", 0.0),
        exclude=tuple(about.get("exclude", ())),
        refused=_pairs(about.get("refused")),
        switch=about.get("switch", ""),
    )


def _needs(needs: Needs) -> dict[str, Any]:
    about = {
        "require": dict(needs.require),
        "prefer": dict(needs.prefer),
        "relax": [_step(step) for step in needs.relax],
        "agent": needs.agent,
        "agent_s": needs.agent_s,
        "exclude": list(needs.exclude),
        "refused": dict(needs.refused),
        "switch": needs.switch,
    }
    return {key: value for key, value in about.items() if value}


def _step(step: RelaxStep) -> dict[str, Any]:
    about = {
        "drop": list(step.drop),
        "lower": dict(step.lower),
        "swap": dict(step.swap),
        "require": dict(step.require),
    }
    return {"after_s": step.after_s} | {key: value for key, value in about.items() if value}


def _step_from(about: Mapping[str, Any]) -> RelaxStep:
    return RelaxStep(
        after_s=about["after_s"],
        drop=tuple(about.get("drop", ())),
        lower=_pairs(about.get("lower")),
        swap=_pairs(about.get("swap")),
        require=_pairs(about.get("require")),
    )


def _pairs(mapping: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple((mapping or {}).items())


def _text(about: Mapping[str, Any]) -> str:
    return json.dumps(about, separators=(",", ":")) if about else ""
