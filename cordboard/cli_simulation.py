"""`cordboard simulate`, `cordboard test` and `cordboard init`: flows are tried and tested without a PBX.

What a command needs is imported when it runs, as with all commands.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cordboard.cli_options import configuration_here, configuration_of

if TYPE_CHECKING:
    from rich.console import Console

    from cordboard.bootstrap.rehearsing import Results
    from cordboard.flows.flow import Flow
    from cordboard.simulation.options import CallOptions
    from cordboard.simulation.premises import Premises
    from cordboard.simulation.session import Session

_TESTS_FOLDER, _FLOWS_FOLDER = "tests", "flows"
_SWITCHES = {"asterisk": "Asterisk", "freeswitch": "FreeSWITCH"}

_NEXT = """
A support line is in {directory}. Next:

  cordboard simulate -c {written}    call it here, in the terminal; no PBX is needed
  cordboard test {written}           play its tests
  cordboard lint {written}           after a change: what is wrong or doubtful, and where
  cordboard run -c {written}         take calls of your {switch}; `cordboard install-dialplan` comes first

Then edit {directory}/flows/support.yaml and call it again."""

HereOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", exists=True, file_okay=False,
        help="The configuration directory; if left out, the one that the file or this folder belongs to.",
    ),
]  # fmt: skip


def simulate(
    flow: Annotated[
        str | None, typer.Argument(help="A flow's name, or its file; if left out, that of the number dialled.")
    ] = None,
    config: HereOption = None,
    at: Annotated[
        str | None, typer.Option(help='When the call begins: "2026-12-24 17:30"; now if left out.')
    ] = None,
    ani: Annotated[str | None, typer.Option("--from", help='The caller\'s number; "" for a withheld one.')] = None,
    name: Annotated[str | None, typer.Option(help="The caller's name, as the trunk sends it.")] = None,
    dial: Annotated[str | None, typer.Option(help="The number that is dialled.")] = None,
    language: Annotated[str | None, typer.Option(help="The language the call begins in.")] = None,
    crm: Annotated[
        str | None, typer.Option(help="What the CRM knows: tier=gold,name=Ada; or none, error, slow.")
    ] = None,
    given: Annotated[
        Path | None, typer.Option(help="A YAML file with more answers, as `given:` of a flow test.", exists=True)
    ] = None,
    save: Annotated[Path | None, typer.Option(help="The file where `s` saves calls as tests.")] = None,
) -> None:
    r"""Call a flow in the terminal, without a PBX: hear what is said, press keys, hang up, step back.

    Keys may be piped in, one entry a line: printf '2\n1\n' | cordboard simulate support
    """
    from cordboard.simulation.options import CallOptions

    path = Path(flow) if flow and flow.endswith((".yaml", ".yml")) else None
    directory = config or (_home_of_flow(path) if path else configuration_here())
    premises = _premises(directory, path)
    chosen = _flow(premises, flow if path is None else _name_in(path), dial)
    session = _begin(premises, chosen, CallOptions(at, ani, name, dial, crm, given), language)
    _play(session, save or (directory or Path()) / _TESTS_FOLDER / f"{chosen.name}.yaml")


def _directory(config: Path | None, path: Path | None) -> Path | None:
    """The configuration that is meant; None for a file that belongs to none."""
    if config is not None:
        return config
    return configuration_here() if path is None else configuration_of(path)


def _home_of_flow(path: Path) -> Path | None:
    """The configuration whose `flows` a file lies in: any other one further up is none of its business."""
    is_at_home = path.absolute().parent.name == _FLOWS_FOLDER
    return configuration_of(path) if is_at_home else None


def _premises(directory: Path | None, path: Path | None = None) -> Premises:
    from cordboard.bootstrap.rehearsing import lone_premises, premises_of

    if directory is None:
        assert path is not None
        return lone_premises(path)
    return premises_of(directory)


def _name_in(path: Path) -> str:
    from cordboard.config.yaml_reader import read_yaml

    data = read_yaml(path).data
    return str(data.get("flow", "")) if isinstance(data, dict) else ""


def _flow(premises: Premises, name: str | None, dnis: str | None) -> Flow:
    from cordboard.config.suggestions import closest

    if name is None:
        name = premises.numbers.flow_for(dnis or "") or premises.numbers.default or next(iter(premises.flows))
    if name not in premises.flows:
        hint = closest(name, premises.flows) or f"there are {', '.join(sorted(premises.flows))}"
        raise typer.BadParameter(f"there is no flow `{name}`; {hint}", param_hint="FLOW")
    if params := premises.flows[name].params:
        callers = [one for one, flow in premises.flows.items() if name in flow.subflows]
        message = f"`{name}` is called by other flows, which give it {', '.join(params)}; simulate one of them: "
        raise typer.BadParameter(message + (", ".join(callers) or "there is none yet"), param_hint="FLOW")
    return premises.flows[name]


def _begin(premises: Premises, flow: Flow, options: CallOptions, language: str | None) -> Session:
    from cordboard.simulation.options import BadOption, given_by
    from cordboard.simulation.session import Session

    if language is not None and language not in flow.languages:
        known = ", ".join(flow.languages)
        raise typer.BadParameter(f"{flow.name} speaks {known}", param_hint="--language")
    try:
        given = given_by(options, premises, datetime.now(premises.clock))
    except BadOption as bad:
        raise typer.BadParameter(str(bad), param_hint=bad.option) from bad
    return Session(premises, flow, given, language)


def _play(session: Session, tests: Path) -> None:
    from rich.console import Console

    from cordboard.simulation.terminal import Terminal

    console = Console(highlight=False)
    Terminal(session, console, _reader(console), tests).run()


def _reader(console: Console) -> Callable[[str], str | None]:
    """Reads a line; None when there are no more, `q` for Ctrl-C.

    Lines from a pipe are shown, as nobody typed them here.
    """
    is_typed = sys.stdin.isatty()

    def read(prompt: str) -> str | None:
        try:
            console.print(prompt, end="", style="bold", markup=False)
            line = input() if is_typed else next(sys.stdin).rstrip("\n")
        except KeyboardInterrupt:
            console.print()
            return "q"
        except (EOFError, StopIteration):
            console.print()
            return None
        if not is_typed:
            console.print(line, markup=False)
        return line

    return read


def test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of flow tests, folders of them, or a configuration.", exists=True),
    ] = None,
    config: HereOption = None,
    coverage: Annotated[
        Path | None,
        typer.Option(help="Write which ways were gone into this file, for `cordboard graph --coverage`."),
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(min=0, max=100, help="Fail if less of the nodes was gone through, in percent.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results into this file as JUnit XML.")] = None,
    from_trace: Annotated[
        str | None,
        typer.Option(metavar="CALL_ID", help="Write a test from a recorded call, instead of playing any."),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="The file where that test goes.")] = None,
    only: Annotated[str, typer.Option("-k", help="Only tests with this in their name.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the tests that passed too.")] = False,
) -> None:
    """Play flow tests: calls without a PBX, and what must come of them. Exit code 1 if any failed."""
    from cordboard.bootstrap.rehearsing import played_tests

    directory = _directory(config, paths[0] if paths else None)
    if directory is None:
        raise typer.BadParameter("these tests belong to no configuration; name it with `-c DIR`")
    if from_trace is not None:
        _write_from_trace(directory, from_trace, save)
        return
    told = played_tests(directory, paths or [directory], only)
    if not told.played:
        typer.echo(f"cordboard: no test has `{only}` in its name", err=True)
        raise typer.Exit(1)
    _show_results(told, verbose)
    if coverage:
        coverage.write_text(told.coverage_json(), "utf-8")
    if junit:
        from cordboard.simulation.junit import junit_xml

        junit.write_text(junit_xml(told.played), "utf-8")
    raise typer.Exit(_exit_code(told, fail_under))


def _write_from_trace(directory: Path, call_id: str, save: Path | None) -> None:
    from cordboard.bootstrap.trace_tests import trace_test
    from cordboard.cli_faults import clear_words
    from cordboard.simulation.written_tests import add_to

    with clear_words():
        made = trace_test(directory, call_id)
    file = save or directory / _TESTS_FOLDER / f"{made.flow}.yaml"
    add_to(file, made.flow, made.text)
    typer.echo(f"{made.text}\nwritten to {file}; it holds what the caller entered and who it was: read it first")
    if made.differs:
        typer.echo(f"The flow has changed since: {made.differs}", err=True)
        raise typer.Exit(1)


def _show_results(told: Results, verbose: bool) -> None:
    from rich.console import Console

    from cordboard.simulation import report

    console = Console(highlight=False)
    for one in told.played:
        if not one.passed:
            console.print(*report.failed_test(one), sep="\n")
        elif verbose:
            console.print(report.passed_line(one))
    console.print(report.coverage_table(told.coverage))
    for flow in told.coverage:
        for line in report.missed(flow):
            console.print(line)
    console.print(report.summary(told.played, told.seconds))


def _exit_code(told: Results, fail_under: float | None) -> int:
    if any(not one.passed for one in told.played):
        return 1
    if fail_under is not None and told.node_percent < fail_under:
        typer.echo(
            f"{told.node_percent:.1f} % of the nodes were gone through, less than {fail_under:g} %", err=True
        )
        return 1
    return 0


def init(
    directory: Annotated[Path, typer.Argument(help="A new or empty directory.", file_okay=False)],
    switch: Annotated[
        Literal["asterisk", "freeswitch"], typer.Option(help="The switch that calls will come in on.")
    ] = "asterisk",
) -> None:
    """Make a configuration to start from: a support line, its tests, queues, agents and numbers."""
    from cordboard.starter.copying import NotEmpty, make_configuration

    try:
        written = make_configuration(directory, switch)
    except NotEmpty:
        message = f"there is something in {directory} already; nothing was written"
        raise typer.BadParameter(message, param_hint="DIRECTORY") from None
    for path in written:
        typer.echo(f"  {directory / path}")
    told = {"directory": directory, "written": shlex.quote(str(directory)), "switch": _SWITCHES[switch]}
    typer.echo(_NEXT.format(**told))
