"""`cordboard customers`, as an admin runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.cli_customers import NoCrm, customers_app
from cordboard.errors import ConfigurationError

CRM = "country: GB\nconnector: directory\ncustomer: {name: text, tier: text}\n"
ROWS = "id,name,phone,tier\n7,Ada,020 7946 0123,gold\n8,\x1b[2JBob,020 7946 0144,\n9,Eve,1001,\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "cordboard.yaml").write_text("state: state\n")
    (tmp_path / "crm.yaml").write_text(CRM)
    (tmp_path / "customers.csv").write_text(ROWS.replace("\x1b", "\u202e"))
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(customers_app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_import_count_find(config: Path) -> None:
    code, text = run("import", config / "customers.csv", "-c", config)
    assert code == 1, "a row was left out"
    assert f"{config}/customers.csv:4:1: `phone`: too short for a phone number" in text
    assert text.endswith("2 customers imported, 1 row left out\n")
    assert run("count", "-c", config) == (0, "2 customers with 2 numbers\n")
    assert run("find", "02079460123", "-c", config) == (0, "+442079460123: found\n  name: Ada\n  tier: gold\n")
    assert run("find", "02079460144", "-c", config) == (0, "+442079460144: found\n  name: [2JBob\n  tier: \n")
    assert run("find", "02079460155", "-c", config) == (0, "+442079460155: none\n")


def test_for_programs(config: Path) -> None:
    code, text = run("import", config / "customers.csv", "-c", config, "--json")
    row, counts = map(json.loads, text.splitlines())
    assert (code, row["line"], row["code"]) == (1, 4, "broken-row")
    assert (counts["imported"], counts["left_out"], counts["notes"]) == (2, 1, [])
    assert json.loads(run("count", "-c", config, "--json")[1]) == {"customers": 2, "numbers": 2}
    _, text = run("find", "02079460123", "-c", config, "--json")
    customer = {"name": "Ada", "tier": "gold"}
    assert json.loads(text) == {"number": "+442079460123", "status": "found", "customer": customer}


def test_what_is_no_number_is_said(config: Path) -> None:
    code, text = run("find", "1001", "-c", config)
    assert code == 2
    assert "too short for a phone number" in " ".join(text.replace("│", " ").split())


def test_faults_come_with_their_place(config: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.csv:1:1: there is no file .*gone\.csv \["):
        run("import", config / "gone.csv", "-c", config)
    (config / "crm.yaml").write_text(CRM.replace("GB", "XX"))
    with pytest.raises(ConfigurationError, match=r"crm\.yaml:1:10"):
        run("count", "-c", config)


def test_a_directory_is_needed_and_a_crm_that_answers(config: Path) -> None:
    (config / "crm.yaml").write_text(CRM.replace("directory", '{http: {url: "http://127.0.0.1:9/{number}"}}'))
    for command in (["count"], ["import", str(config / "customers.csv")]):
        with pytest.raises(NoCrm, match="over HTTP"):
            run(*command, "-c", config)
    with pytest.raises(NoCrm, match=r"^127\.0\.0\.1:9, http: cannot connect"):
        run("find", "02079460123", "-c", config)
    (config / "crm.yaml").unlink()
    with pytest.raises(NoCrm, match=r"no crm\.yaml"):
        run("count", "-c", config)


def test_one_is_told_as_one(config: Path) -> None:
    (config / "one.csv").write_text("id,name,phone\n7,Ada,020 7946 0123\n")
    code, text = run("import", config / "one.csv", "-c", config)
    assert (code, text.splitlines()[-1]) == (0, f"{config}/one.csv: 1 customer imported, 0 rows left out")
    assert run("count", "-c", config)[1] == "1 customer with 1 number\n"


@pytest.mark.parametrize("number", ["4.42079E+11", '"4,42079E+11"', "4E+11"])
def test_a_number_that_a_spreadsheet_has_rounded_says_so(config: Path, number: str) -> None:
    (config / "rounded.csv").write_text(f"id,name,phone\n7,Ada,{number}\n")
    code, text = run("import", config / "rounded.csv", "-c", config)
    assert code == 1
    assert "`phone`: not a phone number; the spreadsheet has rounded it: format the column as text" in text


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("no,name,phone", "{id: COLUMN}"),
        ("id,name,reachable at", "{numbers: [COLUMN]}"),
        ("id,who,phone", "{columns: {name: COLUMN}}"),
    ],
)
def test_a_missing_column_says_how_crm_yaml_names_it(config: Path, header: str, key: str) -> None:
    (config / "other.csv").write_text(f"{header}\n7,Ada,020 7946 0123\n")
    with pytest.raises(ConfigurationError) as refused:
        run("import", config / "other.csv", "-c", config)
    (finding,) = refused.value.findings
    assert finding.hint == f"say in crm.yaml which one it is: `connector: {{directory: {key}}}`"
