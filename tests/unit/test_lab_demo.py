"""The figures at the end of the demo: what programs read, what people see, and that they are the ledger's."""

from __future__ import annotations

import io
import json

from rich.console import Console

from cordboard.acd.kpis import kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Queue
from cordboard.lab.demo_figures import Figures, figures_of, print_figures


def rows() -> list[LedgerRow]:
    """Three calls: answered after 2 s, answered after 5 s (the first agent did not pick up), and given up."""
    told = [
        ("a", "entered_queue", {}), ("b", "entered_queue", {}), ("c", "entered_queue", {}),
        ("a", "joined", {"wait_s": 2.0}), ("b", "offer_ended", {"end": "no_answer", "ring_s": 3.0}),
        ("b", "joined", {"wait_s": 5.0}), ("c", "left_queue", {"because": "abandoned", "wait_s": 4.0}),
    ]  # fmt: skip
    return [
        LedgerRow(
            number, f"{entry}:{kind}", 1_000.0, kind, entry_id=entry, queue="sales", data=data, offer_id=entry
        )
        for number, (entry, kind, data) in enumerate(told)
    ]


def test_the_figures_are_one_json_object_with_the_promised_names() -> None:
    figures = figures_of(kpis(rows(), Queue("sales", service_level_s=3.0)))
    assert json.loads(figures.as_json()) == {
        "offered": 3, "answered": 2, "abandoned": 1, "rona": 1, "service_level": 0.333, "asa_s": 3.5,
    }  # fmt: skip
    assert "\n" not in figures.as_json()


def test_without_a_call_there_are_no_shares_and_the_table_says_so() -> None:
    figures = figures_of(kpis([], Queue("sales")))
    assert figures == Figures(0, 0, 0, 0, None, None)
    out = io.StringIO()
    print_figures(figures, Console(file=out, width=100))
    assert out.getvalue().count("-") >= 2 and "service level" in out.getvalue()
