"""`cordboard agent password`: asked twice or made, kept as a hash, by the right user."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cordboard.bootstrap.agent_passwords import keep_password
from cordboard.cli_agents import password
from cordboard.service.passwords import PasswordCheck
from tests.doubles.doctor_site import NOBODY, Site

app = typer.Typer()
agent_app = typer.Typer(no_args_is_help=True)
agent_app.command()(password)
app.add_typer(agent_app, name="agent")
GOOD = "a long and quiet afternoon"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.add_agents(alice="PJSIP/1001", bob="PJSIP/1002")
    return site


def kept(site: Site) -> dict[str, str]:
    with closing(sqlite3.connect(site.state / "cordboard.db")) as connection:
        return dict(connection.execute("SELECT agent, password_hash FROM logins"))


async def is_right(password_hash: str, password: str) -> bool:
    check = PasswordCheck()
    try:
        return await check.is_right(password_hash, password)
    finally:
        check.close()


async def test_a_typed_password_is_kept_as_a_hash(site: Site) -> None:
    result = CliRunner().invoke(
        app, ["agent", "password", "alice", "-c", str(site.config)], input=f"{GOOD}\n{GOOD}\n"
    )
    assert result.exit_code == 0, result.output
    assert GOOD not in result.output
    assert list(kept(site)) == ["alice"] and kept(site)["alice"].startswith("$argon2id$")
    assert await is_right(kept(site)["alice"], GOOD)


async def test_a_made_one_is_printed_once_and_alone(site: Site) -> None:
    result = CliRunner().invoke(app, ["agent", "password", "bob", "-c", str(site.config), "--generate"])
    assert re.fullmatch(r"([a-z]{4}-){3}[a-z]{4}\n", result.stdout)
    assert await is_right(kept(site)["bob"], result.stdout.strip())


def test_two_that_differ_and_weak_ones_are_asked_for_again(site: Site) -> None:
    typed = f"{GOOD}\nsomething else\nshort\nshort\nalice-1\nalice-1\nalicealice12\nalicealice12\n{GOOD}\n{GOOD}\n"
    result = CliRunner().invoke(app, ["agent", "password", "alice", "-c", str(site.config)], input=typed)
    assert result.exit_code == 0, result.output
    assert "do not match" in result.output
    assert "has 5 characters; 10 are needed" in result.output
    assert "is little more than the name" in result.output


def test_an_unknown_agent_is_refused_with_who_is_meant(site: Site) -> None:
    result = CliRunner().invoke(app, ["agent", "password", "alcie", "-c", str(site.config), "--generate"])
    assert result.exit_code == 1, "as everywhere"
    assert "there is no agent `alcie`; did you mean `alice`?" in result.output
    assert not (site.state / "cordboard.db").exists()


def test_a_new_password_replaces_the_old_one(site: Site) -> None:
    command = ["agent", "password", "alice", "-c", str(site.config), "--generate"]
    CliRunner().invoke(app, command)
    before = kept(site)["alice"]
    CliRunner().invoke(app, command)
    assert kept(site)["alice"] != before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_writes_belongs_to_whom_the_folder_belongs_to(site: Site) -> None:
    os.chown(site.state, NOBODY, NOBODY)
    keep_password(site.state / "cordboard.db", "alice", GOOD)
    files = list(site.state.iterdir())
    assert files and {file.stat().st_uid for file in files} == {NOBODY}
    assert not any(file.stat().st_mode & 0o007 for file in files)
