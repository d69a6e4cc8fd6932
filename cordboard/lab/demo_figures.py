"""The key figures at the end of the demo, from the ledger of its service: a table for people, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from cordboard.acd.kpis import Kpis, kpis
from cordboard.lab.evidence import LedgerReader
from cordboard.lab.stage import Stage

QUEUE = "sales"
FROM_THE_BEGINNING = 0.0  # the ledger of the demo's own service holds nothing else


@dataclass(frozen=True, slots=True)
class Figures:
    """What the demo's queue did. asa_s: seconds that answered callers waited, on average; None if nobody was."""

    offered: int
    answered: int
    abandoned: int
    rona: int
    service_level: float | None
    asa_s: float | None

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


async def read_figures(stage: Stage) -> Figures:
    """The figures so far. Raises LabError if the ledger cannot be read."""
    ledger = LedgerReader(stage.configuration.database, FROM_THE_BEGINNING)
    try:
        return figures_of(kpis(await ledger.rows(), stage.configuration.plan.queues[QUEUE]))
    finally:
        ledger.close()


def figures_of(found: Kpis) -> Figures:
    """The figures the demo shows, rounded as people read them."""
    level, wait = found.service_level, found.wait
    return Figures(
        offered=found.offered,
        answered=found.answered,
        abandoned=found.abandoned,
        rona=found.rona,
        service_level=None if level is None else round(level, 3),
        asa_s=None if wait is None else round(wait.mean_s, 2),
    )


def print_figures(figures: Figures, console: Console) -> None:
    """The table."""
    table = Table(title=f"The queue {QUEUE}, from the ledger", title_justify="left")
    for column in ("offered", "answered", "abandoned", "rona", "service level", "ASA"):
        table.add_column(column, justify="right")
    level = "-" if figures.service_level is None else f"{figures.service_level:.0%}"
    asa = "-" if figures.asa_s is None else f"{figures.asa_s:.1f} s"
    counts = (figures.offered, figures.answered, figures.abandoned, figures.rona)
    table.add_row(*map(str, counts), level, asa)
    console.print(table)
