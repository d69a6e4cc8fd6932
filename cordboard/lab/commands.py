"""`cordboard lab`: plays scenarios and single calls against a configuration, and keeps a lab up between commands.

Exit codes: 0 everything came true, 1 something did not or a file is faulty, 3 the lab could not be started.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from bisect import bisect_right
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import parse_yaml, read_yaml
from cordboard.errors import ConfigurationError, LabError
from cordboard.lab.player import Result, play
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stages import SWITCH_NAMES, stage_on
from cordboard.lab.timeline import InOrder, Show, show_json, show_plain
from cordboard.telephony.capabilities import SwitchName

app = typer.Typer(no_args_is_help=True, help="A test bed: a real switch, real callers, and what they hear.")

_STEPS = "--does"  # the file of findings about steps that stood there

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration directory.", exists=True, file_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
AudioOption = Annotated[Path | None, typer.Option(help="Keep what each caller heard as WAV files in this folder.")]
WorkersOption = Annotated[int, typer.Option(min=1, max=16, help="How many workers the service runs.")]
SwitchOption = Annotated[SwitchName, typer.Option(help="Which switch the calls are made on.")]


@app.command()
def run(
    files: Annotated[list[Path], typer.Argument(help="Scenario files.", exists=True, dir_okay=False)],
    config: ConfigOption,
    as_json: JsonOption = False,
    audio: AudioOption = None,
    workers: WorkersOption = 1,
    switch: SwitchOption = "asterisk",
) -> None:
    """Play scenarios, one after the other, and print what happened.

    Example: cordboard lab run ivr_flows/scenarios/*.yaml --config ivr_flows
    """
    with _told_faults(as_json):
        _make_folder(audio)
        documents = [read_yaml(file, shown_as=str(file)) for file in files]
        _finish(_run(_play_all(documents, config, as_json, audio, workers, switch)))


@app.command()
def call(
    config: ConfigOption,
    dials: Annotated[str, typer.Option(help="The number dialled.")],
    does: Annotated[str, typer.Option(help='Steps: "hears welcome, presses 2, hangs_up_after_s 1".')],
    ani: Annotated[str, typer.Option(help="The caller's number.")] = "+442079460123",
    name: Annotated[str, typer.Option(help="The caller's name.")] = "",
    language: Annotated[str, typer.Option(help="Of prompts named without one.")] = "",
    flow: Annotated[str, typer.Option(help="Of prompts named without one.")] = "",
    as_json: JsonOption = False,
    audio: AudioOption = None,
    switch: SwitchOption = "asterisk",
) -> None:
    """Place one call; the steps are those of a scenario.

    Example: cordboard lab call --config ivr_flows --dials 5000 --does "hears welcome, presses 2, hears es/goodbye"
    """
    with _told_faults(as_json):
        _make_folder(audio)
        caller = {"ani": ani, "name": name, "dials": dials, "language": language, "flow": flow}
        callers = [{**caller, "does": parse_steps(does)}]
        written = {"scenario": f"call to {dials}", "callers": callers, "expect": [{"no_channels_left": True}]}
        document = parse_yaml(json.dumps(written).encode(), _STEPS)
        with _placed_in(does, document):
            _finish(_run(_play_all([document], config, as_json, audio, 1, switch)))


@app.command()
def sim(
    scenario: Annotated[Path, typer.Argument(help="A simulated day.", exists=True, dir_okay=False)],
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same day.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Play a day of callers and agents in virtual time, and print its key figures. No Asterisk is needed.

    Example: cordboard lab sim ivr_flows/scenarios/sim/help_desk.yaml --seed 7
    """
    from cordboard.lab.sim.report import as_json_lines, as_text, day_kpis, play_day
    from cordboard.lab.sim.scenario import load_day

    with _told_faults(as_json):
        began, day = time.monotonic(), load_day(scenario)
        rows = play_day(day, seed)
        found = day_kpis(day, rows)
        typer.echo("\n".join(as_json_lines(day, seed, found)) if as_json else as_text(day, seed, found))
        _log_to_stderr(f"{len(rows)} rows of the ledger in {time.monotonic() - began:.1f} s")


@app.command()
def up(switch: SwitchOption = "asterisk") -> None:
    """Start a lab that stays, and print how to reach it."""
    from cordboard.lab.standing import lab_up

    with _told_faults():
        lab = _run(lab_up(switch, log=typer.echo))
        links = "manager links" if switch == "asterisk" else "Event Socket links"
        sip, link = f"{lab.host}:{lab.sip_port}", f"{lab.host}:{lab.link_port}"
        typer.echo(f"{SWITCH_NAMES[switch]} takes SIP at {sip} and {links} at {link}")


@app.command()
def down() -> None:
    """Take the lab down, and whatever a lab that died has left."""
    from cordboard.lab.standing import lab_down

    with _told_faults():
        swept = _run(lab_down())
        counts = (
            f"{swept.containers} container(s)",
            f"{swept.processes} process(es)",
            f"{swept.directories} folder(s)",
        )
        typer.echo(f"Removed {', '.join(counts)}")


@app.command()
def files(
    config: ConfigOption,
    target: Annotated[Path, typer.Argument(help="Where to write them; a folder for each switch.", file_okay=False)],
) -> None:
    """Write the files of a trial house: Asterisk and FreeSWITCH with phones 1000 to 1009 and our dialplan.

    The phones' password is what secrets/phones of the configuration holds, where there is such a file.

    Example: cordboard lab files /var/lib/cordboard/house --config ivr_flows
    """
    from cordboard.lab.house_files import House

    with _told_faults():
        house = House(config, target)
        _run(house.write())
        typer.echo(f"Written below {target}; the phones' password is {house.phone_secret()}")


def demo(
    as_json: JsonOption = False,
    switch: SwitchOption = "asterisk",
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Write a picture of the run, as SVG.")] = None,
) -> None:
    """Real calls through the flows and the queue of ivr_flows/ on a real switch, judged by what callers heard.

    The last line it prints is one JSON object with the figures of the queue.
    """
    from cordboard.lab.demo import draw, print_summary, run_demo
    from cordboard.lab.demo_figures import Figures

    began = time.monotonic()

    def conclude(results: Sequence[Result], figures: Figures) -> None:
        seconds = time.monotonic() - began
        if picture is not None:
            draw(results, figures, seconds, picture)
        if not as_json:
            print_summary(results, figures, seconds)
        print(figures.as_json(), flush=True)

    with _told_faults(as_json):
        show = show_json if as_json else InOrder(show_plain)
        _finish(_run(run_demo(show, _log_to_stderr, conclude, switch=switch, keep=keep)))


def _log_to_stderr(text: str) -> None:
    typer.echo(text, err=True)


def parse_steps(text: str) -> list[dict[str, Any]]:
    """The steps of `--does`: "hears welcome within_s 5, presses 2" is what YAML writes as two mappings.

    Raises LabError for a key without a value.
    """
    steps = []
    for part in (part for part in text.split(",") if part.strip()):
        words = part.split()
        if len(words) % 2:
            raise LabError(
                f"{part.strip()!r}: write a step as `key value`, e.g. `hears welcome` or `presses 2 after_s 1`"
            )
        steps.append({key: _value(key, value) for key, value in zip(words[::2], words[1::2], strict=True)})
    return steps


@contextlib.contextmanager
def _placed_in(does: str, document: Document) -> Iterator[None]:
    """Faults in the steps get their place in the text of `--does`, and not in the scenario that was made of it."""
    try:
        yield
    except ConfigurationError as fault:
        placed = [
            replace(one, line=1, column=_column(one, does, document)) if one.file == _STEPS else one
            for one in fault.findings
        ]
        raise ConfigurationError(placed) from fault


def _column(finding: Finding, does: str, document: Document) -> int:
    """Where the step begins that a finding is about; 1 if it is about none."""
    steps = [part.start() + 1 for part in re.finditer(r"[^,\s][^,]*", does)]
    places = [document.place(("callers", 0, "does", index))[1] for index in range(len(steps))]
    step = bisect_right(places, finding.column) - 1
    return steps[step] if step >= 0 else 1


def _value(key: str, value: str) -> Any:
    """Numbers where a step wants a number; keys and names stay text."""
    if value in ("true", "false"):
        return value == "true"
    if key.endswith(("_s", "_ms", "_hz")) or key == "is_refused":
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


async def _play_all(
    documents: list[Document],
    config: Path,
    as_json: bool,
    audio: Path | None,
    workers: int,
    switch: SwitchName,
) -> list[Result]:
    """Play every scenario on one stage; files are checked before anything is started."""
    for document in documents:
        parse_scenario(document)
    show: Show = show_json if as_json else InOrder(show_plain)
    async with stage_on(switch)(config, workers=workers, audio=audio, log=_log_to_stderr) as stage:
        scenarios = [parse_scenario(document, stage.book) for document in documents]
        return [await play(scenario, stage.scenario_stage(), show) for scenario in scenarios]


def _make_folder(audio: Path | None) -> None:
    if audio is not None:
        audio.mkdir(parents=True, exist_ok=True)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


def _finish(results: list[Result]) -> None:
    if not all(result.passed for result in results):
        raise typer.Exit(1)


@contextlib.contextmanager
def _told_faults(as_json: bool = False) -> Iterator[None]:
    """Print errors as a person or a program wants them, and exit."""
    try:
        yield
    except ConfigurationError as fault:
        for finding in fault.findings:
            typer.echo(json.dumps(finding.as_json()) if as_json else str(finding), err=not as_json)
        raise typer.Exit(1) from None
    except LabError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(3) from None
