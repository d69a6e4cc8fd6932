"""What flow tests came to, for people: failures, a table of coverage, what no test has gone through.

Used by `cordboard test`. JUnit's XML, for machines, is in `junit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cordboard.simulation.coverage import FlowCoverage, Way
from cordboard.simulation.suite import Failure, Played

_SHOWN_WAYS = 8  # of a node list on one line; more is a task, not a list


def failed_test(played: Played) -> Iterator[RenderableType]:
    """A test that failed: what was expected, what there was instead, and the whole way of the call."""
    yield Text.assemble(("✗ ", "red"), (played.test.name, "bold"), (f"  {played.test.place}", "dim"))
    for failure in played.failures:
        yield _inset(_told(failure))
    yield _inset(Text.assemble(("path      ", "dim"), " → ".join(played.path)))


def _told(failure: Failure) -> Text:
    at = f" at {failure.node}" if failure.node else ""
    return Text.assemble(
        (f"{failure.place}  ", "dim"), f"{failure.what}{at}\n",
        ("expected  ", "dim"), (f"{failure.expected}\n", "green"),
        ("instead   ", "dim"), (failure.instead, "red"),
    )  # fmt: skip


def passed_line(played: Played) -> Text:
    """A test that passed."""
    return Text.assemble(("✓ ", "green"), played.test.name)


def coverage_table(coverages: Iterable[FlowCoverage]) -> Table:
    """How much of each flow was gone through."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("flow")
    for heading in ("nodes", "", "ways", "", "failures"):
        table.add_column(heading, justify="right")
    for one in coverages:
        table.add_row(
            one.flow,
            _counted(one.nodes.values()),
            _percent(one.node_share),
            _counted(one.ways.values()),
            _percent(one.way_share),
            Text(_counted(one.failures.values()) if one.failures else "-", style="dim"),
        )
    return table


def _counted(counts: Iterable[int]) -> str:
    all_of_them = list(counts)
    return f"{sum(1 for one in all_of_them if one)}/{len(all_of_them)}"


def _percent(share: float) -> Text:
    """Rounded down: 100 % means all."""
    return Text(f"{int(share * 100)} %", style="green" if share == 1 else "yellow")


def missed(coverage: FlowCoverage) -> Iterator[RenderableType]:
    """What no test has gone through, by name."""
    names = coverage.missed_nodes
    lists = [("nodes", names), ("ways", [_way(way) for way in coverage.missed_ways])]
    for what, listed in lists:
        if listed:
            yield _inset(Text.assemble((f"{coverage.flow}: {what} not gone  ", "yellow"), _shortened(listed)))


def _way(way: Way) -> str:
    node, label = way
    return f"{node} ({label or 'ends'})"


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_WAYS])
    return f"{shown} and {len(names) - _SHOWN_WAYS} more" if len(names) > _SHOWN_WAYS else shown


def summary(played: Sequence[Played], seconds: float) -> Text:
    """How many passed."""
    failed = sum(1 for one in played if not one.passed)
    tests = "1 test" if len(played) == 1 else f"{len(played)} tests"
    counts = f"{failed} of {tests} failed" if failed else f"{tests} passed"
    return Text.assemble((counts, "bold green" if not failed else "bold red"), (f" in {seconds:.2f} s", "dim"))


def _inset(what: RenderableType) -> RenderableType:
    return Padding(what, (0, 0, 0, 4), expand=False)
