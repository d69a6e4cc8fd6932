"""Key figures as CSV: one line of names, then one line for each queue, agent, interval or reason. Pure.

The columns of one kind of report are the same on every day: what did not occur is 0 or empty. Times are in seconds,
shares go from 0 to 1, the decimal sign is a point.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cordboard.acd.model import OfferEnd
from cordboard.acd.service_level import FORMULAS

_SPREADS = ("wait", "patience", "ring", "talk", "wrap_up", "handle", "length")
_SPREAD_FIELDS = ("count", "mean_s", "p50_s", "p90_s", "longest_s")
_LEFT_OUT = ("rona_by_cause",)  # among offer_ends already


def kpi_csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """The lines, which `as_json` made, all of one kind; "" if there are none."""
    flat = [dict(_flat(line)) for line in lines]
    if not flat:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, flat[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(line: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in line.items():
        if name in _SPREADS:
            yield from ((f"{name}_{part}", value[part] if value else "") for part in _SPREAD_FIELDS)
        elif name == "service_levels":
            yield from ((f"service_level_{formula}", _cell(value[formula])) for formula in FORMULAS)
        elif name == "offer_ends":
            yield from ((f"offers_{end.value}", value.get(end.value, 0)) for end in OfferEnd)
        elif name == "paused_s":
            yield name, round(sum(value.values()), 3)
        elif name not in _LEFT_OUT:
            yield name, _cell(value)


def _cell(value: object) -> object:
    return "" if value is None else value
