"""`cordboard doctor`: what is wrong with this installation, and the line that puts each thing right.

What the command needs is imported when it runs: workers, which read the list of commands too, do not wait for it.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli_options import ConfigOption, JsonOption

AsteriskOption = Annotated[Path, typer.Option("--asterisk", "--target", help="Asterisk's configuration directory.")]

FreeswitchOption = Annotated[Path, typer.Option("--freeswitch", help="FreeSWITCH's configuration directory.")]


def doctor(
    config: ConfigOption,
    asterisk: AsteriskOption = Path("/etc/asterisk"),
    freeswitch: FreeswitchOption = Path("/etc/freeswitch"),
    as_json: JsonOption = False,
) -> None:
    """Look over the whole installation; whatever is wrong comes with the line that puts it right.

    Changes nothing. Exit code 1 if there are faults; notes and warnings are none.
    """
    from rich.console import Console

    from cordboard.bootstrap.checks.result import Level
    from cordboard.bootstrap.doctor import run_doctor
    from cordboard.bootstrap.doctor_report import json_lines, plain_lines, show, worst

    console = Console(highlight=False)
    is_shown = console.is_terminal and not as_json
    began = time.monotonic()
    with console.status("looking …") if is_shown else nullcontext():
        examined = run_doctor(config, asterisk, freeswitch)
    if is_shown:
        show(console, config, examined, time.monotonic() - began)
    else:
        for line in json_lines(examined) if as_json else plain_lines(examined):
            typer.echo(line)
    raise typer.Exit(1 if worst(examined) == Level.FAULT else 0)
