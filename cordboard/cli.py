"""The `cordboard` command. Each command reads its arguments, calls one function and prints what it returns.

Exit codes: 0 good, 1 findings, 2 wrong usage, 3 something needed cannot be reached.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer

from cordboard.bootstrap.signals import hold_signals
from cordboard.cli_lint import lint
from cordboard.cli_options import ConfigOption
from cordboard.errors import ConfigurationError, CordboardError, LabError

app = typer.Typer(
    name="cordboard", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False,
    help="YAML call flows, call queues and screen-pops for Asterisk and FreeSWITCH.",
)  # fmt: skip
app.command()(lint)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cordboard {version('cordboard')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of `cordboard` itself. No help text here: it is that of `app`."""


@app.command()
def run(config: ConfigOption) -> None:
    """Run the service: a supervisor and the workers of cordboard.yaml.

    SIGTERM lets calls end and stops, SIGHUP loads the configuration anew, SIGUSR1 restarts the workers one by one.
    """
    hold_signals()  # before the imports: a signal that comes meanwhile is not to end us
    from cordboard.bootstrap.supervisor import run_service

    raise typer.Exit(run_service(config))


@app.command(hidden=True)
def worker(
    config: ConfigOption,
    index: Annotated[int, typer.Option(help="Which worker this is, from 0.")] = 0,
    files: Annotated[Path | None, typer.Option(help="Where to read the YAML files instead.")] = None,
    pulse_fd: Annotated[
        int | None, typer.Option(help="A pipe that gets a byte when calls can come, and one a second from then on.")
    ] = None,
) -> None:
    """One worker process; started by `cordboard run`."""
    hold_signals()
    from cordboard.bootstrap.worker import run_worker

    run_worker(config, files, index, pulse_fd)


@app.command(hidden=True)
def desk(
    config: ConfigOption,
    files: Annotated[Path | None, typer.Option(help="Where to read the YAML files instead.")] = None,
    pulse_fd: Annotated[
        int | None,
        typer.Option(help="A pipe that gets a byte when browsers can come, and one a second after that."),
    ] = None,
) -> None:
    """The web server for agents; started by `cordboard run`."""
    hold_signals()
    from cordboard.bootstrap.desk_process import run_desk

    run_desk(config, files, pulse_fd)


@app.command("install-dialplan")
def install_dialplan(
    config: ConfigOption,
    switch: Annotated[
        Literal["asterisk", "freeswitch"] | None,
        typer.Option(help="Which switch; if left out, that of `switches:`, and of two Asterisk."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(help="The switch's configuration directory, /etc/asterisk or /etc/freeswitch by default."),
    ] = None,
    systemd: Annotated[Path, typer.Option(help="Where systemd units go.")] = Path("/etc/systemd/system"),
    no_systemd: Annotated[bool, typer.Option("--no-systemd", help="Leave the systemd unit out.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, write nothing.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take our files out again.")] = False,
) -> None:
    """Write the dialplan, the link's user or password and the systemd unit; print what is left to add."""
    from cordboard.bootstrap.freeswitch_installation import FreeswitchInstallation
    from cordboard.bootstrap.installation import Installation
    from cordboard.bootstrap.shared_unit import installed_for

    switch = switch or installed_for(config)
    where = (config, target or Path("/etc") / switch, None if no_systemd else systemd)
    plan = FreeswitchInstallation(*where) if switch == "freeswitch" else Installation(*where)
    diff = plan.uninstall(dry_run=dry_run) if uninstall else plan.install(dry_run=dry_run)
    typer.echo(diff or "Nothing to change.")
    typer.echo(plan.steps_after_removal() if uninstall else plan.next_steps())


def main() -> None:
    """The console script: errors raised on purpose become one clear message and an exit code."""
    try:
        if sys.argv[1:2] not in (["run"], ["worker"], ["desk"]):  # those load nothing they do not need
            _add_tools()
        if _wants_lab(sys.argv[1:]):
            _add_lab()
        app()
    except ConfigurationError as fault:
        print(fault, file=sys.stderr)
        sys.exit(1)
    except CordboardError as fault:
        print(f"cordboard: {fault}", file=sys.stderr)
        sys.exit(3)
    except OSError as fault:  # the last net: a full disk, a folder that is not ours
        print(f"cordboard: {_plain(fault)}", file=sys.stderr)
        sys.exit(3)


def _plain(fault: OSError) -> str:
    """`reports/x.json: No such file or directory`, without the number of the error."""
    return f"{fault.filename}: {fault.strerror}" if fault.filename and fault.strerror else str(fault)


def _add_tools() -> None:
    """Add the commands of the other files."""
    from cordboard.cli_agents import password, pin
    from cordboard.cli_customers import customers_app
    from cordboard.cli_database import db_app
    from cordboard.cli_doctor import doctor
    from cordboard.cli_flows import flow_app
    from cordboard.cli_graph import graph
    from cordboard.cli_kpi import kpi
    from cordboard.cli_prompts import prompts_app
    from cordboard.cli_queues import agent_app, queue_app
    from cordboard.cli_schema import schema
    from cordboard.cli_simulation import init, simulate, test
    from cordboard.cli_traces import replay, trace

    app.command()(init)
    app.command()(simulate)
    app.command()(test)
    app.command()(schema)
    app.command()(doctor)
    app.command()(graph)
    app.command()(kpi)
    app.add_typer(flow_app, name="flow")
    app.command()(trace)
    app.command()(replay)
    app.add_typer(prompts_app, name="prompts")
    app.add_typer(queue_app, name="queue")
    app.add_typer(agent_app, name="agent")
    app.add_typer(customers_app, name="customers")
    app.add_typer(db_app, name="db")
    agent_app.command()(password)
    agent_app.command()(pin)


def _wants_lab(arguments: list[str]) -> bool:
    """Whether the lab's commands are asked for, or all commands are to be listed. A worker never loads them."""
    return not arguments or arguments[0] in ("lab", "demo", "--help")


def _add_lab() -> None:
    """Add `lab` and `demo`, if the packages of the test bed are installed."""
    try:
        from cordboard.lab.commands import app as lab_app
        from cordboard.lab.commands import demo
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("cordboard"):
            raise
        if sys.argv[1:2] != ["--help"] and sys.argv[1:]:
            cure = "pip install -e '.[lab]' in a clone of the repository"
            raise LabError(f"the test bed needs {missing.name}: {cure}") from missing
        return
    app.add_typer(lab_app, name="lab")
    app.command()(demo)
