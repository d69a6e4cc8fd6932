"""`cordboard agent password`: lets agents in at the desk. The store keeps a hash, never the password itself."""

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
    keep_password(files.state, agent, chosen)
    if generate:
        typer.echo(chosen)
    typer.echo(f"{agent} can log in at the desk with it.", err=True)


def _asked(agent: str) -> str:
    """A password typed twice, without echo; asked for again until it will do."""
    from cordboard.bootstrap.agent_passwords import weakness_of

    while True:
        chosen: str = typer.prompt(f"Password for {agent}", hide_input=True, confirmation_prompt="Once more")
        if not (weakness := weakness_of(chosen, agent)):
            return chosen
        typer.echo(f"That one {weakness}. Please choose another.", err=True)
