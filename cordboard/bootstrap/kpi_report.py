"""Key figures as text for the terminal: each figure of a queue with its formula; agents, intervals and reasons as
tables. Text only.

Used by `cordboard kpi`. The figures themselves are made by `acd.kpis` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cordboard.acd.agent_kpis import AgentKpis
from cordboard.acd.kpis import Kpis
from cordboard.acd.model import LeftBecause
from cordboard.acd.reasons import ReasonCount
from cordboard.acd.service_level import formula_in_words
from cordboard.acd.spread import Spread
from cordboard.store.kpi_reads import IntervalKpis, KpiLine

_NOTHING = "-"

# In reading order. Those that did not occur are left out, but for the first three.
_LEFT: Mapping[LeftBecause, tuple[str, str]] = {
    LeftBecause.ABANDONED: ("abandoned", "the caller left first"),
    LeftBecause.MAX_WAIT: ("max wait", "sent on by the flow, nobody came in time"),
    LeftBecause.LOST: ("lost", "the switch or the machine went down under the call"),
    LeftBecause.EXIT_KEY: ("exit key", "the caller pressed a key to leave, or stepped out and did not come back"),
    LeftBecause.EMPTY: ("empty", "nobody was there to serve the queue"),
    LeftBecause.CLOSED: ("closed", "the queue closed"),
    LeftBecause.OVERFLOW: ("overflow", "moved on by the queue's rules"),
    LeftBecause.CALLBACK: ("callback", "hung up and kept the place, called back or not"),
    LeftBecause.CUT_OFF: ("cut off", "dropped, and did not come back in time"),
}
_ALWAYS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    formula: str


def kpi_report(period: str, found: Sequence[KpiLine], zone: tzinfo) -> str:
    """The figures, all of one kind, with the period above them. zone: for times that people read."""
    match found:
        case [AgentKpis(), *_]:
            table = _table(_AGENT_HEAD, [_agent(one) for one in found if isinstance(one, AgentKpis)])
            body = f"{table}\n\n{_AGENT_FORMULAS}"
        case [IntervalKpis(), *_]:
            table = _table(_INTERVAL_HEAD, [_interval(one, zone) for one in found if isinstance(one, IntervalKpis)])
            body = f"{table}\n\n{_INTERVAL_FORMULAS}"
        case [ReasonCount(), *_]:
            body = _table(_REASON_HEAD, [_reason(one) for one in found if isinstance(one, ReasonCount)])
        case []:
            body = "nothing"
        case _:
            return "\n\n".join([period, *(_queue(one) for one in found if isinstance(one, Kpis))])
    return f"{period}\n\n{body}"


def _queue(kpis: Kpis) -> str:
    return f"{kpis.queue.name}\n{_lines(list(figures(kpis)))}"


def figures(kpis: Kpis) -> Iterator[Figure]:
    """Every figure of a queue, in reading order."""
    yield Figure("offered", str(kpis.offered), "calls that entered the queue")
    yield Figure("answered", str(kpis.answered), "joined with an agent")
    yield from _left(kpis)
    yield Figure("waiting", str(kpis.waiting), "still there")
    yield from _shares(kpis)
    yield Figure("ASA", _mean(kpis.wait), f"waits of answered calls / answered{_spread(kpis.wait)}")
    yield Figure("AHT", _mean(kpis.handle), f"(talk with hold + wrap-up) / talks ended{_spread(kpis.handle)}")
    yield Figure("talk", _mean(kpis.talk), f"talk with hold / talks ended{_spread(kpis.talk)}")
    yield Figure("wrap-up", _mean(kpis.wrap_up), f"wrap-up / wrap-ups ended{_spread(kpis.wrap_up)}")
    yield Figure("longest wait", _seconds(kpis.longest_wait_s), "of all callers who are not waiting any more")
    yield Figure("RONA", str(kpis.rona), f"offers that agents did not take{_causes(kpis)}")
    yield from _rates(kpis)


def _left(kpis: Kpis) -> Iterator[Figure]:
    for place, (because, (name, words)) in enumerate(_LEFT.items()):
        if place < _ALWAYS or kpis.left[because]:
            after = _after(kpis.patience) if because is LeftBecause.ABANDONED else ""
            yield Figure(name, str(kpis.left[because]), words + after)


def _shares(kpis: Kpis) -> Iterator[Figure]:
    queue = kpis.queue
    formula = formula_in_words(queue.service_level_formula, queue.service_level_s, queue.short_abandon_s)
    yield Figure("abandonment", _percent(kpis.abandonment), f"abandoned / offered{_without_short(kpis)}")
    yield Figure("service level", _percent(kpis.service_level), f"{queue.service_level_formula}: {formula}")


def _rates(kpis: Kpis) -> Iterator[Figure]:
    if kpis.rona:
        yield Figure("RONA rate", _percent(kpis.rona_rate), "not taken / (not taken + served)")
    if kpis.transfers:
        share = _percent(kpis.transfer_rate)
        yield Figure("transfers", str(kpis.transfers), f"talks that the agent passed on; {share} of talks ended")
    if (found := kpis.estimates) is not None:
        kept = f"{_percent(found.kept)} of {found.count} waited no longer than the figure that is told"
        words = f"the error of half of the estimated waits is smaller; {kept}"
        yield Figure("estimates", _seconds(found.error_s), words)
    if kpis.callbacks.requested:
        ends = "".join(f", {end} {count}" for end, count in sorted(kpis.callbacks.ended.items()))
        yield Figure("callbacks", str(kpis.callbacks.requested), f"promised: open {kpis.callbacks.open}{ends}")
    if kpis.refused:
        why = ", ".join(f"{because} {count}" for because, count in sorted(kpis.refused.items()))
        yield Figure("refused", str(sum(kpis.refused.values())), f"came and got no place: {why}")


def _without_short(kpis: Kpis) -> str:
    """Where it makes a difference."""
    if not kpis.counts.abandoned_short:
        return ""
    share = _percent(kpis.abandonment_excl_short)
    return f"; without those within {kpis.queue.short_abandon_s:g} s: {share}"


_AGENT_HEAD = (
    "agent", "offers", "answered", "RONA", "AHT", "p90", "occupancy", "logged in", "busy", "free", "paused",
)  # fmt: skip
_AGENT_FORMULAS = """\
RONA: offers not taken; AHT: (talk with hold + wrap-up) / talks ended, and its p90; occupancy: busy / (busy + free)
busy: in talks and wrap-ups; free: available and not busy; paused: and not busy; logged in: available or paused"""


def _agent(one: AgentKpis) -> Sequence[str]:
    time = one.time
    lengths = (time.logged_in_s, time.busy_s, time.free_s, sum(time.paused_s.values()))
    p90 = _seconds(one.handle.p90_s if one.handle else None)
    counts = (str(one.offers), str(one.answered), str(one.rona))
    return (one.agent, *counts, _mean(one.handle), p90, _percent(time.occupancy), *map(_clock, lengths))


_INTERVAL_HEAD = ("from", "queue", "offered", "answered", "abandoned", "other", "SL", "ASA", "p90", "AHT")
_INTERVAL_FORMULAS = """\
of the calls that entered in the interval; other: left otherwise; SL: by the queue's formula, which --by queue has
ASA: waits of answered calls / answered, and its p90; AHT: (talk with hold + wrap-up) / talks ended"""


def _interval(one: IntervalKpis, zone: tzinfo) -> Sequence[str]:
    found = one.kpis
    other = sum(found.left.values()) - found.abandoned
    counts = (found.offered, found.answered, found.abandoned, other)
    p90 = _seconds(found.wait.p90_s if found.wait else None)
    begins = f"{datetime.fromtimestamp(one.since, zone):%Y-%m-%d %H:%M}"
    figures = (_percent(found.service_level), _mean(found.wait), p90, _mean(found.handle))
    return (begins, found.queue.name, *map(str, counts), *figures)


_REASON_HEAD = ("queue", "what", "reason", "count", "mean", "p50", "p90", "longest")


def _reason(one: ReasonCount) -> Sequence[str]:
    length = one.length
    lengths = (length.mean_s, length.p50_s, length.p90_s, length.longest_s) if length else (None,) * 4
    return (one.queue or "all", one.what, one.reason or _NOTHING, str(one.count), *map(_seconds, lengths))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Words to the left, numbers to the right."""
    whole = zip(head, *rows, strict=True)
    columns = [(max(map(len, column)), all(map(_is_number, column[1:]))) for column in whole]
    return "\n".join("  ".join(map(_cell, row, columns)).rstrip() for row in (head, *rows))


def _cell(text: str, column: tuple[int, bool]) -> str:
    width, is_number = column
    return f"{text:>{width}}" if is_number else f"{text:{width}}"


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text == _NOTHING


def _lines(lines: Sequence[Figure]) -> str:
    names = max(len(line.name) for line in lines)
    values = max(len(line.value) for line in lines)
    return "\n".join(f"  {line.name:{names}}  {line.value:>{values}}  {line.formula}" for line in lines)


def _percent(share: float | None) -> str:
    return _NOTHING if share is None else f"{share * 100:.1f} %"


def _seconds(length_s: float | None) -> str:
    return _NOTHING if length_s is None else f"{length_s:.1f} s"


def _clock(length_s: float) -> str:
    minutes, seconds = divmod(round(length_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _mean(spread: Spread | None) -> str:
    return _seconds(spread.mean_s if spread else None)


def _spread(spread: Spread | None) -> str:
    """Never an average without it."""
    if spread is None:
        return ""
    return f"; p50 {_seconds(spread.p50_s)}, p90 {_seconds(spread.p90_s)}, longest {_seconds(spread.longest_s)}"


def _after(spread: Spread | None) -> str:
    return f", after {_seconds(spread.mean_s)} on average{_spread(spread)}" if spread else ""


def _causes(kpis: Kpis) -> str:
    causes = ", ".join(f"{end} {count}" for end, count in kpis.rona_by_cause.items())
    return f": {causes}" if causes else ""
