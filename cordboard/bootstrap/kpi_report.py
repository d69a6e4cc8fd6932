"""The key figures of queues as a table for the terminal, each with the formula that gave it. Text only.

Used by `cordboard kpi`. The figures themselves are made by `acd.kpis`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cordboard.acd.kpis import Kpis, Spread
from cordboard.acd.service_level import formula_in_words

_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    formula: str


def kpi_report(period: str, all_kpis: Sequence[Kpis]) -> str:
    """One table a queue, the period above all."""
    tables = [f"{kpis.queue.name}\n{_table(list(figures(kpis)))}" for kpis in all_kpis]
    return "\n\n".join([period, *tables])


def figures(kpis: Kpis) -> Iterator[Figure]:
    """Every figure of a queue, in reading order."""
    queue = kpis.queue
    formula = formula_in_words(queue.service_level_formula, queue.service_level_s, queue.short_abandon_s)
    yield Figure("offered", str(kpis.offered), "calls that entered the queue")
    yield Figure("answered", str(kpis.answered), "joined with an agent")
    yield Figure("abandoned", str(kpis.abandoned), f"the caller left first{_after(kpis.patience)}")
    yield Figure("max wait", str(kpis.max_wait), "sent on by the flow, nobody came in time")
    yield Figure("lost", str(kpis.lost), "the switch or the machine went down under the call")
    yield Figure("waiting", str(kpis.waiting), "still there")
    yield Figure("abandonment", _percent(kpis.abandonment), "abandoned / offered")
    yield Figure("service level", _percent(kpis.service_level), f"{queue.service_level_formula}: {formula}")
    yield Figure("ASA", _mean(kpis.wait), f"waits of answered calls / answered{_p90(kpis.wait)}")
    yield Figure("AHT", _mean(kpis.handle), f"(talk with hold + wrap-up) / talks ended{_p90(kpis.handle)}")
    yield Figure("talk", _mean(kpis.talk), f"talk with hold / talks ended{_p90(kpis.talk)}")
    yield Figure("wrap-up", _mean(kpis.wrap_up), f"wrap-up / wrap-ups ended{_p90(kpis.wrap_up)}")
    yield Figure("longest wait", _seconds(kpis.longest_wait_s), "of all callers who are not waiting any more")
    yield Figure("RONA", str(kpis.rona), f"offers that agents did not take{_causes(kpis)}")


def _table(lines: Sequence[Figure]) -> str:
    names = max(len(line.name) for line in lines)
    values = max(len(line.value) for line in lines)
    return "\n".join(f"  {line.name:{names}}  {line.value:>{values}}  {line.formula}" for line in lines)


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share * 100:.1f} %"


def _seconds(length_s: float | None) -> str:
    return _NOTHING if length_s is None else f"{length_s:.1f} s"


def _mean(spread: Spread | None) -> str:
    return _seconds(spread.mean_s if spread else None)


def _p90(spread: Spread | None) -> str:
    """Never an average without it."""
    return f"; p90 {_seconds(spread.p90_s)}, longest {_seconds(spread.longest_s)}" if spread else ""


def _after(spread: Spread | None) -> str:
    return f", after {_seconds(spread.mean_s)} on average{_p90(spread)}" if spread else ""


def _causes(kpis: Kpis) -> str:
    causes = ", ".join(f"{end} {count}" for end, count in kpis.rona_by_cause.items())
    return f": {causes}" if causes else ""
