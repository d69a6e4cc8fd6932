"""`cordboard kpi` in all its forms, on a day that the store itself has written; and all of it made anew."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cordboard.acd.kpi_csv import kpi_csv
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, Moment, Presence
from cordboard.acd.service_level import FORMULAS
from cordboard.bootstrap.rebuilding import compare
from cordboard.cli_kpi import kpi
from cordboard.cli_traces import replay
from cordboard.service.queue_log_file import QueueLogFile
from cordboard.store.queue_log_rows import read_log_lines
from cordboard.store.tables import ledger
from tests.doubles.floor_kit import START, FloorKit

QUEUES = "queues:\n  sales: {dispositions: [sold]}\n  support: {wrap_up: {s: 0}}\n"
AGENTS = """
agents:
  alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales]}
  bob: {name: Bob Lang, device: PJSIP/1002, queues: [sales, support]}
"""
DAY = ("--since", "2026-11-18", "--until", "2026-11-19")

app = typer.Typer()
app.command("kpi")(kpi)


class House:
    """A configuration whose ledger holds one morning: two calls served, one given up, one still waiting."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        (directory / "cordboard.yaml").write_text("state: state\nqueue_log: {numbers: full}\n")
        (directory / "queues.yaml").write_text(QUEUES)
        (directory / "agents.yaml").write_text(AGENTS)
        self.floor = FloorKit(self.state / "cordboard.db")

    def morning(self) -> None:
        floor = self.floor
        for number in range(2):
            self.serve(f"c{number}")
        floor.presence("alice", Presence.PAUSED, "lunch")
        floor.enter("c2")
        floor.pass_time(7)
        floor.leave("c2", LeftBecause.ABANDONED)
        floor.pass_time(3600)
        floor.note_caller("c3", "+442079460123", ani="02079460123")
        floor.enter("c3", "support")

    def serve(self, call: str) -> None:
        floor = self.floor
        floor.presence("alice")
        offer = floor.enter(call).offer
        assert offer is not None
        floor.pass_time(4)
        floor.leg("joined", offer.offer_id)
        floor.pass_time(60)
        floor.leg("gone", offer.offer_id)
        floor.dispose("alice", offer.offer_id, "sold")

    def write_queue_log(self) -> Path:
        """As the service does, in two goes."""
        file = QueueLogFile(self.state / "queue_log", rotate_bytes=200, keep=50)
        file.take()
        while (found := self.floor.do(lambda c: read_log_lines(c, file.mark.seq, "full", 4))) is not None:
            file.add(found.lines, found.seq)
        file.close()
        return file.path

    def run(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["-c", str(self.directory), *DAY, *options])

    def shown(self, *options: str) -> str:
        result = self.run(*options)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def json(self, *options: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.shown(*options, "--json").splitlines()]

    def csv(self, *options: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.shown(*options, "--csv"))))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.floor.now = Moment(START, 1000.0)
    made.morning()
    yield made
    made.floor.close()


def test_by_queue(house: House) -> None:
    sales, support = house.json()
    assert (sales["offered"], sales["answered"], sales["abandoned"], sales["asa_s"]) == (3, 2, 1, 4.0)
    assert (support["offered"], support["waiting"]) == (1, 1)


def test_by_agent(house: House) -> None:
    alice, bob = house.json("--by", "agent")
    assert (alice["agent"], alice["answered"], alice["busy_s"], alice["aht_s"]) == ("alice", 2, 120.0, 60.0)
    assert (alice["free_s"], alice["occupancy"]) == (8.0, round(120 / 128, 4))
    assert (bob["offers"], bob["logged_in_s"]) == (0, 0.0)
    lines = house.shown("--by", "agent").splitlines()
    assert lines[2].split() == [
        "agent", "offers", "answered", "RONA", "AHT", "p90", "occupancy", "logged", "in", "busy", "free", "paused",
    ]  # fmt: skip
    assert lines[3].split()[:9] == ["alice", "2", "2", "0", "60.0", "s", "60.0", "s", "93.8"]
    assert lines[6].endswith("occupancy: busy / (busy + free)"), "each figure has its formula"


def test_agents_of_one_queue(house: House) -> None:
    assert [line["agent"] for line in house.json("--by", "agent", "--queue", "support")] == ["bob"]


def test_a_queue_that_was_taken_out_of_the_files_is_told_of_by_its_name(house: House) -> None:
    before = house.json("--queue", "sales")
    (house.directory / "queues.yaml").write_text("queues:\n  support: {wrap_up: {s: 0}}\n")
    (house.directory / "agents.yaml").write_text("agents: {bob: {device: PJSIP/1002, queues: [support]}}\n")
    assert house.json("--queue", "sales") == before
    assert [line["agent"] for line in house.json("--queue", "sales", "--by", "agent")] == ["alice"]
    refused = house.run("--queue", "salse")
    assert refused.exit_code == 1
    assert refused.stderr == "cordboard: there is no queue `salse`; did you mean `sales`?\n"


def test_by_interval(house: House) -> None:
    lines = house.json("--by", "interval", "--interval", "60", "--queue", "sales")
    assert len(lines) == 24
    assert sum(int(str(line["offered"])) for line in lines) == 3
    (busy,) = [line for line in lines if line["offered"]]
    assert busy["from"] == "2026-11-18T11:00:00+00:00"
    text = house.shown("--by", "interval", "--interval", "60", "--queue", "sales")
    assert "2026-11-18 11:00  sales        3         2          1      0  66.7 %  4.0 s" in text


def test_too_many_intervals_are_wrong_usage(house: House) -> None:
    result = house.run("--by", "interval", "--interval", "1", "--since", "2026-01-01")
    assert result.exit_code == 2
    assert "intervals; ask for a shorter period" in " ".join(result.stderr.replace("│", "").split())


def test_by_reason(house: House) -> None:
    found = [(line["queue"], line["what"], line["reason"], line["count"]) for line in house.json("--by", "reason")]
    assert found[:2] == [("sales", "left", "served", 2), ("sales", "left", "abandoned", 1)]
    assert ("sales", "disposition", "sold", 2) in found
    assert found[-1] == ("", "pause", "lunch", 1)
    assert "all    pause        lunch" in house.shown("--by", "reason")


def test_csv_has_the_same_columns_whatever_happened(house: House) -> None:
    sales, support = house.csv()
    assert (sales["queue"], sales["offered"], sales["wait_p90_s"], sales["offers_served"]) == (
        "sales",
        "3",
        "4.0",
        "2",
    )
    assert {f"service_level_{formula}" for formula in FORMULAS} <= set(sales)
    assert {because.value for because in LeftBecause} - set(sales) == {"served"}
    assert (support["wait_mean_s"], support["service_level"]) == ("", "")
    for by in ("agent", "interval", "reason"):
        lines = house.csv("--by", by)
        assert lines
        assert all(None not in line and None not in line.values() for line in lines), "as many cells as names"


def test_csv_of_nothing_is_empty() -> None:
    assert kpi_csv([]) == ""


@pytest.mark.parametrize("options", [("--csv", "--json"), ("--csv", "--tags"), ("--tags", "--queue", "sales")])
def test_what_does_not_go_together(house: House, options: tuple[str, ...]) -> None:
    assert house.run(*options).exit_code == 2


def test_a_row_of_the_ledger_is_made_of_its_columns_in_their_order() -> None:
    assert [column.name for column in ledger.columns] == [field.name for field in fields(LedgerRow)]


# -- made anew --


def test_everything_can_be_made_anew_and_is_the_same_to_the_last_digit(house: House, tmp_path: Path) -> None:
    path = house.write_queue_log()
    first, second = tmp_path / "first", tmp_path / "second"
    shown = house.shown("--rebuild", str(first))
    assert f"{path}: its 12 lines are those of the ledger" in shown
    house.shown("--rebuild", str(second))
    made = {one.name: one.read_bytes() for one in first.iterdir()}
    assert made == {one.name: one.read_bytes() for one in second.iterdir()}
    assert set(made) == {f"kpi_by_{by}.csv" for by in ("queue", "agent", "interval", "reason")} | {"queue_log"}
    assert made["kpi_by_queue.csv"].decode() == house.shown("--csv")
    older = sorted(path.parent.glob("queue_log.*"), key=lambda one: -int(one.suffix[1:]))
    assert made["queue_log"] == b"".join(one.read_bytes() for one in [*older, path] if one.exists())


def test_a_year_is_made_anew_by_days(house: House, tmp_path: Path) -> None:
    house.shown("--rebuild", str(tmp_path / "anew"), "--since", "2025-11-19")
    days = list(csv.DictReader(io.StringIO((tmp_path / "anew" / "kpi_by_interval.csv").read_text())))
    assert (days[-1]["from"], days[-1]["offered"]) == ("2026-11-18T00:00:00+00:00", "1")
    assert len(days) == 2 * 365, "of both queues"


def test_the_ledger_is_replayed_as_a_call_is(house: House, tmp_path: Path) -> None:
    replaying = typer.Typer()
    replaying.command("replay")(replay)
    told = CliRunner().invoke(replaying, ["-c", str(house.directory), "--ledger", str(tmp_path / "anew")])
    assert (told.exit_code, (tmp_path / "anew" / "queue_log").exists()) == (0, True), told.output
    assert CliRunner().invoke(replaying, ["-c", str(house.directory)]).exit_code == 2


def test_a_queue_log_that_was_changed_by_hand_is_told(house: House, tmp_path: Path) -> None:
    path = house.write_queue_log()
    with path.open("a") as file:
        file.write("1|x|sales|NONE|ABANDON|1|1|9\n")
    result = house.run("--rebuild", str(tmp_path / "anew"))
    assert result.exit_code == 1
    assert "it has 1 lines more than the ledger" in result.stdout


@pytest.mark.parametrize(
    ("written", "is_same"),
    [(["a", "b", "c"], True), (["b", "c"], True), (["a"], True), ([], True), (["a", "c"], False), (["x"], False)],
)
def test_a_log_may_lack_its_oldest_and_its_newest_lines_and_no_other(written: list[str], is_same: bool) -> None:
    assert compare(["a", "b", "c"], written)[1] is is_same


def test_without_a_queue_log_nothing_is_compared(house: House, tmp_path: Path) -> None:
    (house.directory / "cordboard.yaml").write_text("state: state\nqueue_log: {write: false}\n")
    assert len(house.shown("--rebuild", str(tmp_path / "anew")).splitlines()) == 5
