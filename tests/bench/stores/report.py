"""The part of docs/benchmarks.md about stores, and its goals. The words are in page.md. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template

from tests.bench.goals import Goal
from tests.bench.queueing.figures import distribution
from tests.bench.report import Machine, table
from tests.bench.stores import claiming, offering
from tests.bench.stores.figures import Claims, StoreFigures

PAGE = Path(__file__).with_name("page.md")
OFFER_P99_MS = 50.0


def store_goals(figures: StoreFigures) -> Iterator[Goal]:
    """All goals: of each engine the slower way counts."""
    for engine in figures.claims:
        p99 = max(distribution(found).p99 for (of, _), found in figures.offers_ms.items() if of == engine)
        yield Goal(f"offer p99 on {engine} at most {OFFER_P99_MS:g} ms", f"{p99:.1f} ms", p99 <= OFFER_P99_MS)


def store_page(figures: StoreFigures, machine: Machine, date: str, command: str) -> str:
    """The text."""
    goals = [[goal.text, goal.found, "met" if goal.is_met else "**not met**"] for goal in store_goals(figures)]
    large, small = offering.FLOOR, claiming.FLOOR
    return Template(PAGE.read_text()).substitute(
        date=date,
        command=command,
        took_s=f"{figures.took_s:.0f}",
        cores=machine.cores,
        cpu=machine.cpu,
        memory_gb=machine.memory_gb,
        versions=machine.versions,
        load=" and ".join(f"{load:.1f}" for load in figures.loads),
        samples=len(next(iter(figures.offers_ms.values()))),
        queues=f"{large.queues:,}",
        agents=f"{large.agents:,}",
        waiting=f"{large.waiting:,}",
        quiet=large.quiet,
        claim_agents=f"{small.agents:,}",
        claim_queues=small.queues,
        claim_waiting=f"{small.waiting:,}",
        goals=table(["goal", "found", ""], goals),
        offers=_offer_table(figures),
        claims=_claim_table(figures),
    )


def _offer_table(figures: StoreFigures) -> str:
    rows = []
    for (engine, way), found in figures.offers_ms.items():
        shares = distribution(found)
        rows.append([engine, way, *(f"{ms:.1f}" for ms in (shares.p50, shares.p95, shares.p99, max(found)))])
    return table(["engine", "because", "p50, ms", "p95, ms", "p99, ms", "longest, ms"], rows)


def _claim_table(figures: StoreFigures) -> str:
    engines = list(figures.claims)
    rows = [
        [str(claims[0].workers), str(claims[0].at_once), *map(_claims_cell, claims)]
        for claims in zip(*figures.claims.values(), strict=True)
    ]
    return table(["processes", "under way in each", *(f"{engine}, claims/s" for engine in engines)], rows)


def _claims_cell(claims: Claims) -> str:
    refused = f" ({claims.refused} refused at first)" if claims.refused else ""
    return f"{claims.per_s:,.0f}{refused}"
