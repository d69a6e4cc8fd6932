"""`cordboard lint`: everything that is wrong with configurations and flows, before a caller hears it.

What the command needs is imported when it runs, as with all commands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordboard.cli_options import JsonOption, configuration_here

if TYPE_CHECKING:
    from cordboard.bootstrap.linting import Linted

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Configuration directories and flow files; if left out, what this folder belongs to.", exists=True
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="A configuration directory.", exists=True, file_okay=False)
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings too.")]
ExplainOption = Annotated[str | None, typer.Option("--explain", metavar="CODE", help="Tell what a code means.")]


def lint(
    paths: PathsArgument = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    strict: StrictOption = False,
    explain: ExplainOption = None,
) -> None:
    """Check configurations and flows; every fault with its place and what to write instead.

    Exit code 1 if there are errors. A flow file is checked with the directory it lies in, if there is one.
    """
    if explain is not None:
        _explain(explain)
        return
    from cordboard.bootstrap.linting import lint as lint_paths

    chosen = [*(paths or []), *([config] if config else [])]
    linted = lint_paths(chosen or [configuration_here()])
    _print_json(linted) if as_json else _print(linted)
    findings = [finding for one in linted for finding in one.findings]
    raise typer.Exit(1 if any(one.is_error or strict for one in findings) else 0)


def _print_json(linted: Sequence[Linted]) -> None:
    for one in linted:
        for finding in one.findings:
            typer.echo(json.dumps(finding.as_json()))


def _print(linted: Sequence[Linted]) -> None:
    from rich.console import Console

    from cordboard.bootstrap.finding_view import show

    console = Console(highlight=False, markup=False, emoji=False)
    for one in linted:
        show(console, one.findings)
        if one.parts is not None:
            typer.echo(f"{one.path}: {', '.join(filter(None, [one.parts, _counted(len(one.findings))]))}")


def _counted(warnings: int) -> str:
    return f"{warnings} warning{'s' if warnings != 1 else ''}" if warnings else "no faults"


def _explain(code: str) -> None:
    from cordboard.config.codes import CODES
    from cordboard.config.findings_page import explained
    from cordboard.config.suggestions import closest

    if code not in CODES:
        raise typer.BadParameter(
            f"there is no code `{code}`; {closest(code, CODES) or 'docs/findings.md has them all'}"
        )
    typer.echo(explained(code))
