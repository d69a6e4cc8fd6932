"""`cordboard agent pin`: which PINs will do, and what comes into the store."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cordboard.bootstrap.agent_pins import generated_pin, weakness_of_pin
from cordboard.cli_agents import pin
from cordboard.service.passwords import _hasher
from cordboard.store.agent_pins import pin_hash
from cordboard.store.database import open_for_reading

app = typer.Typer()
app.command()(pin)
AGENTS = "agents:\n  alice: {device: PJSIP/1001, queues: [sales], code: 2101}\n  bob: {device: PJSIP/1002}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "cordboard.yaml").write_text("state: state\n")
    (tmp_path / "queues.yaml").write_text("queues: {sales: {}}")
    (tmp_path / "agents.yaml").write_text(AGENTS)
    return tmp_path


def kept(site: Path, agent: str) -> str | None:
    engine = open_for_reading(site / "state" / "cordboard.db")
    try:
        with engine.connect() as connection:
            return pin_hash(connection, agent)
    finally:
        engine.dispose()


def run(site: Path, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*arguments, "-c", str(site)], input=typed)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ("12345", "has 5 digits"),
        ("1234567890123", "has 13 digits"),
        ("12345a", "has something else than digits"),
        ("²²²²²²", "has something else than digits"),
        ("444444", "is a row"),
        ("345678", "is a row"),
        ("987654", "is a row"),
        ("890123", "is a row"),
        ("921017", "holds the code"),
        ("301758", ""),
    ],
)
def test_which_pins_will_do(chosen: str, why: str) -> None:
    weakness = weakness_of_pin(chosen, "2101")
    assert weakness.startswith(why)
    assert bool(weakness) == bool(why)


def test_a_generated_one_will_do_and_is_no_other() -> None:
    made = {generated_pin() for _ in range(50)}
    assert all(not weakness_of_pin(one, "") for one in made)
    assert len(made) > 40


def test_a_pin_is_typed_twice_and_kept_as_a_hash(site: Path) -> None:
    code, shown, said = run(site, "alice", typed="111111\n111111\n301758\n301758\n")
    assert code == 0, said
    assert "That one is a row that everybody tries first" in said
    assert "alice keys in the code 2101 and this PIN." in said
    assert "301758" not in shown + said
    found = kept(site, "alice")
    assert found is not None
    assert _hasher.verify(found, "301758")
    assert run(site, "alice", "--remove")[0] == 0
    assert kept(site, "alice") is None


def test_one_is_made_and_shown_this_once(site: Path) -> None:
    code, shown, said = run(site, "bob", "--generate")
    assert code == 0
    assert "has no `code` in agents.yaml" in said
    found = kept(site, "bob")
    assert found is not None
    assert _hasher.verify(found, shown.strip())


@pytest.mark.parametrize(
    ("arguments", "status"), [(("zoe", "--generate"), 1), (("bob", "--generate", "--remove"), 2)]
)
def test_what_cannot_be_is_refused(site: Path, arguments: tuple[str, ...], status: int) -> None:
    assert run(site, *arguments)[0] == status
