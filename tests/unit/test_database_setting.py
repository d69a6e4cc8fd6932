"""`database:` in cordboard.yaml, the password that goes with it, and the commands `db status` and `db upgrade`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cordboard import cli
from cordboard.bootstrap.checks import clock, database_server, weak_secrets
from cordboard.bootstrap.checks import database as database_check
from cordboard.bootstrap.checks.result import Level
from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.database_address import database_of
from cordboard.errors import ConfigurationError
from cordboard.settings import load_settings
from cordboard.starter.copying import make_configuration
from cordboard.store.address import Address, PostgresAddress
from tests.doubles.databases import shared_server

SERVER = "postgresql://cordboard@10.0.0.5/cordboard"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    make_configuration(tmp_path / "acme")
    return tmp_path / "acme"


def address(directory: Path, written: str, **environment: str) -> Address:
    (directory / "cordboard.yaml").write_text(written)
    return database_of(load_settings(directory, environment)[0], directory)


def test_without_it_the_database_is_a_file_in_the_state_folder(directory: Path) -> None:
    assert address(directory, "") == directory / "state" / "cordboard.db"
    assert address(directory, "state: ../var\n") == directory.parent / "var" / "cordboard.db"


def test_a_file_or_a_server_is_written_short_or_long(directory: Path) -> None:
    assert address(directory, "database: calls.db\n") == directory / "calls.db"
    assert address(directory, "database: {path: /srv/calls.db}\n") == Path("/srv/calls.db")
    assert address(directory, f"database: {SERVER}\n") == PostgresAddress(SERVER)
    assert address(directory, "", CORDBOARD_DATABASE=SERVER) == PostgresAddress(SERVER)


def test_the_password_comes_from_where_secrets_are_and_is_never_shown(directory: Path) -> None:
    (directory / "secret").write_text("correct horse\n")
    found = address(directory, f"database: {{url: {SERVER}, password: {{file: secret}}}}\n")
    assert found == PostgresAddress(SERVER, "correct horse")
    assert "horse" not in f"{found} {found!r}"


def test_a_password_that_cannot_be_read_is_told_at_its_place(directory: Path) -> None:
    (directory / "secrets").mkdir(exist_ok=True)
    (directory / "secrets" / "ami").write_text("kT8wYxq2-rLmZ5uNvB7cD3eF")
    before = (directory / "cordboard.yaml").read_text()
    after = f"database:\n  url: {SERVER}\n  password: {{file: none}}\n"
    (directory / "cordboard.yaml").write_text(before + after)
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(directory)
    (finding,) = refused.value.findings
    assert (finding.code, finding.line) == ("secret-unreadable", len((before + after).splitlines()))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("mysql://10.0.0.5/cordboard", "bad-database"),
        ("postgresql://10.0.0.5", "bad-database"),
        ("postgresql://10.0.0.5:many/cordboard", "bad-database"),
        ("postgresql://cordboard:s3cret@10.0.0.5/cordboard", "secret-in-file"),
        ("{path: a, url: postgresql://a/b}", "wrong-value"),
        ("{password: {file: a}}", "wrong-value"),
        ("{address: a}", "unknown-key"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(directory: Path, written: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        address(directory, f"workers: 2\ndatabase: {written}\n")
    (finding,) = refused.value.findings
    assert (finding.code, finding.line) == (code, 2)
    assert "s3cret" not in f"{finding}"


# -- commands, and what the doctor says --


def run(directory: Path, *arguments: str) -> Result:
    cli._add_tools()
    return CliRunner().invoke(cli.app, [*arguments, "-c", str(directory)])


def test_a_server_is_made_ready_by_one_command(directory: Path) -> None:
    empty = shared_server().make_database(is_empty=True)
    (directory / "cordboard.yaml").write_text(f"database: {empty.url}\n")
    (before,) = database_check.examine(empty)
    assert (before.level, before.fix) == (Level.FAULT, "cordboard db upgrade")
    status = run(directory, "db", "status")
    assert (status.exit_code, "no tables" in status.stdout) == (1, True)
    assert status.stdout.endswith(": cordboard db upgrade\n")
    assert run(directory, "db", "upgrade").exit_code == 0
    assert run(directory, "db", "upgrade").exit_code == 0, "again it finds nothing to do"
    status = run(directory, "db", "status")
    assert (status.exit_code, "as this program needs them" in status.stdout) == (0, True)
    assert run(directory, "agent", "list").exit_code == 0
    assert [result.level for result in database_check.examine(empty)] == [Level.OK]
    assert weak_secrets.logins(empty) == set()
    assert clock.newest_in_ledger(empty) is None
    shared_server().drop_database(empty)


def test_a_file_is_left_to_the_service_to_make(directory: Path) -> None:
    status = run(directory, "db", "status")
    assert (status.exit_code, "no tables" in status.stdout) == (1, True)
    assert run(directory, "db", "upgrade").exit_code != 0
    assert not (directory / "state" / "cordboard.db").exists()


async def test_a_server_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    nowhere = PostgresAddress(f"postgresql://cordboard@/cordboard?host={tmp_path}")
    (result,) = await asyncio.to_thread(database_check.examine, nowhere)
    assert result.level == Level.FAULT
    assert weak_secrets.logins(nowhere) is None


def test_clocks_that_are_apart_are_told() -> None:
    assert database_server.judge_clocks(1_000.0, 1_000.5) is None
    told = database_server.judge_clocks(1_000.0, 1_060.0)
    assert told is not None and "60.0 s apart" in told.seen
