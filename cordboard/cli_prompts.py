"""`cordboard prompts`: make what callers hear, and say what is missing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cordboard.cli_options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from pathlib import Path

    from cordboard.bootstrap.configuration import Configuration
    from cordboard.prompts.library import PromptState

prompts_app = typer.Typer(no_args_is_help=True, help="What callers hear: recordings and spoken texts.")

_SOURCES = {"recording": "recorded", "spoken": "spoken", "missing": "missing", "unplayable": "not playable"}


@prompts_app.command("build")
def build(
    config: ConfigOption,
    switch: Annotated[
        Literal["asterisk", "freeswitch"],
        typer.Option("--for", help="`freeswitch` lays the sounds out for it besides, at 8, 16, 32 and 48 kHz."),
    ] = "asterisk",
    values: Annotated[
        bool,
        typer.Option("--values", help="With `--for freeswitch`: speak numbers and dates for its `say` as well."),
    ] = False,
) -> None:
    """Speak every prompt that has no recording, so that a call never waits for it. What is there already stays."""
    from cordboard.bootstrap.configuration import load_configuration

    configuration = load_configuration(config, need_secrets=False)
    states = asyncio.run(configuration.library.build(configuration.prompts()))
    failed = [state for state in states if state.path is None or state.fault]
    for state in failed:
        typer.echo(f"{_name(state)}: {state.fault}", err=True)
    made = sum(state.is_new for state in states)
    unheard = sum(state.path is None for state in states)
    typer.echo(f"{made} made, {len(states) - made - unheard} kept, {unheard} failed")
    if switch == "freeswitch":
        _lay_out(configuration, states, values=values)
    raise typer.Exit(1 if failed else 0)


def _lay_out(configuration: Configuration, states: Sequence[PromptState], *, values: bool) -> None:
    from cordboard.prompts.freeswitch import lay_out

    root = configuration.state / "prompts" / "freeswitch"
    written = asyncio.run(lay_out(states, root))
    if values:
        written += asyncio.run(_speak_values(configuration, states, root))
    typer.echo(f"{written} files written below {root}")


async def _speak_values(configuration: Configuration, states: Sequence[PromptState], root: Path) -> int:
    from cordboard.prompts.freeswitch_values import say_languages, speak_values

    voices = configuration.library.voices
    languages = say_languages(state.prompt.language for state in states)
    return sum([await speak_values(root, language, voices) for language in languages])


@prompts_app.command("check")
def check(
    config: ConfigOption,
    language: Annotated[str | None, typer.Option(help="Only this language, as in the flows: es.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List each prompt per language: recorded, spoken by the machine, missing, or not playable."""
    from cordboard.bootstrap.configuration import load_configuration

    configuration = load_configuration(config, need_secrets=False)
    prompts = dict.fromkeys(configuration.prompts())
    known = sorted({prompt.language for prompt in prompts})
    if language is not None and language not in known:
        raise typer.BadParameter(f"no prompt is in {language!r}; there are {', '.join(known) or 'none'}")
    wanted = [prompt for prompt in prompts if language in (None, prompt.language)]
    states = [configuration.library.inspect(prompt) for prompt in wanted]
    for state in states:
        typer.echo(_json(state) if as_json else _line(state))
    if not as_json:
        for line in _summary(states):
            typer.echo(line)
    raise typer.Exit(1 if any(state.source in ("missing", "unplayable") for state in states) else 0)


def _name(state: PromptState) -> str:
    return f"{state.prompt.language}/{state.prompt.flow}/{state.prompt.name}"


def _json(state: PromptState) -> str:
    prompt = state.prompt
    row = {
        "language": prompt.language, "flow": prompt.flow, "prompt": prompt.name, "text": prompt.text,
        "source": state.source, "path": str(state.path or ""), "fault": state.fault,
    }  # fmt: skip
    return json.dumps(row)


def _line(state: PromptState) -> str:
    """One prompt: what it has, where a recording of it belongs, and what it says."""
    prompt = state.prompt
    plain = f"{_SOURCES[state.source]:12} {prompt.language:6} {prompt.flow}/{prompt.name}  {prompt.text!r}"
    return f"{plain}  {state.fault}".rstrip()


def _summary(states: Iterable[PromptState]) -> list[str]:
    """One line a language."""
    counts: dict[str, Counter[str]] = {}
    for state in states:
        counts.setdefault(state.prompt.language, Counter())[state.source] += 1
    return [
        f"{language}: " + ", ".join(f"{count[source]} {words}" for source, words in _SOURCES.items())
        for language, count in sorted(counts.items())
    ]
