"""The command `graph`: a flow as a picture. Registered by `cli`.

Exit codes: 0 good, 1 faults in the files, 2 wrong usage, 3 no database for counts.
"""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordboard.cli_options import ConfigOption
from cordboard.config.suggestions import closest

if TYPE_CHECKING:
    from cordboard.bootstrap.configuration import Configuration
    from cordboard.pictures.chart import Chart, Counts


class Format(StrEnum):
    """What a picture can be written as."""

    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"


def graph(
    flow: Annotated[str, typer.Argument(help="The flow's name.")],
    config: ConfigOption,
    form: Annotated[
        Format, typer.Option("--format", "-f", help="svg for eyes, mermaid for a wiki, dot for Graphviz.")
    ] = Format.SVG,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; the terminal without it.")
    ] = None,
    coverage: Annotated[
        Path | None,
        typer.Option(
            help="Lay over it which ways flow tests took: a file of `cordboard test --coverage`.", exists=True
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Lay over it which ways the calls of --hours took.")] = False,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="How far back --live counts.")] = 24.0,
) -> None:
    """Draw a flow: its nodes, the ways between them, and how many took each if you ask for it."""
    from cordboard.bootstrap.configuration import load_configuration

    if coverage and live:
        raise typer.BadParameter("one of them at a time", param_hint="--coverage / --live")
    configuration = load_configuration(config, need_secrets=False)
    chart = _chart(configuration, flow, _counts(config, flow, coverage, hours if live else 0.0))
    picture = _drawn(chart, form)
    if out is None:
        typer.echo(picture, nl=False)
    else:
        out.write_text(picture, "utf-8")
        typer.echo(f"{out}: {len(chart.nodes)} nodes, {len(chart.edges)} ways")


def _chart(configuration: Configuration, name: str, counts: Counts | None) -> Chart:
    from cordboard.pictures.chart import chart_of

    flows = configuration.house.flows
    if name not in flows:
        hint = closest(name, flows) or f"there are {', '.join(sorted(flows))}"
        raise typer.BadParameter(f"there is no flow `{name}`; {hint}", param_hint="FLOW")
    return chart_of(flows[name], counts)


def _counts(config: Path, flow: str, coverage: Path | None, hours: float) -> Counts | None:
    if coverage:
        from cordboard.pictures.counts import read_counts

        return read_counts(coverage).get(flow, {})
    if hours:
        from cordboard.bootstrap.floor_files import read_floor_files, reading
        from cordboard.store.way_counts import ways_taken

        with reading(read_floor_files(config)) as connection:
            return ways_taken(connection, flow, time.time() - hours * 3600)
    return None


def _drawn(chart: Chart, form: Format) -> str:
    from cordboard.pictures.svg import draw_svg
    from cordboard.pictures.text_graphs import write_dot, write_mermaid

    return {Format.SVG: draw_svg, Format.MERMAID: write_mermaid, Format.DOT: write_dot}[form](chart)
