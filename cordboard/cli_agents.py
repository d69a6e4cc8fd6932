"""`cordboard agent password | pin`: lets agents in at the desk and by telephone. The store keeps hashes alone."""

from __future__ import annotations

from typing import Annotated

import typer

from cordboard.cli_faults import clear_words
from cordboard.cli_options import ConfigOption


def password(
    agent: Annotated[str, typer.Argument(help="The agent's name in agents.yaml.")],
    config: ConfigOption,
    generate: Annotated[bool, typer.Option("--generate", help="Make one, and print it this once.")] = False,
) -> None:
    """Set an agent's password for the desk; it is asked for twice. Whoever is logged in as them is logged out."""
    from cordboard.bootstrap.agent_passwords import generated, keep_password
    from cordboard.bootstrap.floor_files import read_floor_files

    with clear_words():
        files = read_floor_files(config)
        files.agent(agent)
    chosen = generated() if generate else _asked(agent)
    keep_password(files.database, agent, chosen)
    if generate:
        typer.echo(chosen)
    typer.echo(f"{agent} can log in at the desk with it.", err=True)


def pin(
    agent: Annotated[str, typer.Argument(help="The agent's name in agents.yaml.")],
    config: ConfigOption,
    generate: Annotated[bool, typer.Option("--generate", help="Make one, and print it this once.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Have them known by none any more.")] = False,
) -> None:
    """Set the PIN that an agent keys in with their code when they call in; it is asked for twice."""
    from cordboard.bootstrap.agent_pins import forget_pin, generated_pin, keep_pin
    from cordboard.bootstrap.floor_files import read_floor_files

    if generate and remove:
        raise typer.BadParameter("either a new PIN or none", param_hint="--remove")
    with clear_words():
        files = read_floor_files(config)
        known = files.agent(agent)
    if remove:
        forget_pin(files.database, agent)
        typer.echo(f"{agent} is known by no PIN any more.", err=True)
        return
    chosen = generated_pin() if generate else _asked_pin(agent, known.code)
    keep_pin(files.database, agent, chosen)
    if generate:
        typer.echo(chosen)
    typer.echo(f"{agent} {_way_in(known.code)}", err=True)


def _asked_pin(agent: str, code: str) -> str:
    """A PIN typed twice, without echo; asked for again until it will do."""
    from cordboard.bootstrap.agent_pins import weakness_of_pin

    while True:
        chosen: str = typer.prompt(f"PIN for {agent}", hide_input=True, confirmation_prompt="Once more")
        if not (weakness := weakness_of_pin(chosen, code)):
            return chosen
        typer.echo(f"That one {weakness}. Please choose another.", err=True)


def _way_in(code: str) -> str:
    if code:
        return f"keys in the code {code} and this PIN."
    return "has no `code` in agents.yaml: the PIN is of use only where `as_agent: log_in` goes `by: ani`."


def _asked(agent: str) -> str:
    """A password typed twice, without echo; asked for again until it will do."""
    from cordboard.bootstrap.agent_passwords import weakness_of

    while True:
        chosen: str = typer.prompt(f"Password for {agent}", hide_input=True, confirmation_prompt="Once more")
        if not (weakness := weakness_of(chosen, agent)):
            return chosen
        typer.echo(f"That one {weakness}. Please choose another.", err=True)
