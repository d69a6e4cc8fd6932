"""The commands about queues and agents, on a database that the store itself has written."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import LeftBecause, Moment, OfferEnd, OfferResult, Presence
from cordboard.acd.report_period import period_of
from cordboard.bootstrap.floor_files import read_floor_files
from cordboard.bootstrap.floor_reports import QueueWatch
from cordboard.cli_kpi import kpi
from cordboard.cli_queues import agent_app, queue_app
from cordboard.errors import ConfigurationError, StoreUnavailable
from cordboard.store import moments
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Entered, Entering
from cordboard.store.database import open_database
from cordboard.store.leases import observer_lease
from cordboard.telephony.ports import AgentLegEvent, DeviceState

QUEUES = "queues:\n  sales: {service_level: {s: 20}, wrap_up: {s: 20}}\n  support: {accept: none}\n"
AGENTS = """
agents:
  alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales, support]}
  bob: {name: Bob Lang, device: PJSIP/1002, queues: [sales]}
"""
# The store's clock cannot be set. So that what happened minutes ago was today, the house is where it is noon now.
ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"

app = typer.Typer()
app.command("kpi")(kpi)
app.add_typer(queue_app, name="queue")
app.add_typer(agent_app, name="agent")


def call_id(number: int) -> str:
    return f"01KAJ5Q8XZC3T4V6W7Y8Z9AB{number:02}"


class House:
    """A configuration directory with a database, and a day that goes on in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "cordboard.yaml").write_text(f"state: state\nzone: {ZONE}\n")
        (directory / "queues.yaml").write_text(QUEUES)
        (directory / "agents.yaml").write_text(AGENTS)
        self.database = directory / "state" / "cordboard.db"

    def open(self) -> House:
        """Make the database, as the service does."""
        self._engine = open_database(self.database)
        self._store = AcdStore(load_floor_plan(self.directory))
        (self.directory / "state" / "wakes").mkdir()
        return self

    def close(self) -> None:
        self._engine.dispose()

    def do(self, work: Callable, *values: object, ago_s: float = 0.0):
        """One of the store's transactions, so long ago."""
        now = moments.now()
        moment = Moment(now.wall - ago_s, now.boot - ago_s)
        with self._engine.begin() as connection:
            return work(connection, moment, *values)

    def presence(self, agent: str, presence: Presence, reason: str = "", ago_s: float = 300) -> None:
        self.do(self._store.set_presence, agent, presence, reason, ago_s=ago_s)

    def enter(self, number: int, queue: str = "sales", ago_s: float = 60, priority: int = 0) -> Entered:
        name = call_id(number)
        entered_at = moments.now().wall - ago_s
        entering = Entering(name, f"leg{number}", "asterisk", queue, "en", priority, entered_at, "worker-0")
        return self.do(self._store.enter, entering, ago_s=ago_s)

    def step_out(self, number: int) -> None:
        self.do(self._store.step_out, call_id(number), moments.now().boot + 60)

    def leave(self, number: int, ago_s: float) -> None:
        self.do(self._store.leave, call_id(number), LeftBecause.ABANDONED, ago_s=ago_s)

    def end(
        self, number: int, offer_id: str, end: OfferEnd, ago_s: float, joined_ago_s: float | None = None
    ) -> None:
        wall = moments.now().wall
        joined_at = None if joined_ago_s is None else wall - joined_ago_s
        result = OfferResult(offer_id, end, joined_at, wall - ago_s)
        self.do(self._store.settle, call_id(number), result, True, ago_s=ago_s)

    def leg_gone(self, offer_id: str, ago_s: float) -> None:
        event = AgentLegEvent("gone", offer_id, "agent-leg", "", moments.now().wall - ago_s)
        self.do(self._store.agent_leg, event, ago_s=ago_s)

    def hold_lease(self, name: str) -> None:
        assert self.do(self._store.take_lease, name, "worker-0", 60.0)

    def device(self, device: str, state: DeviceState) -> None:
        self.do(self._store.device_changed, device, state)

    def run(self, *arguments: str) -> Result:
        command, options = (
            (arguments[:1], arguments[1:]) if arguments[0] == "kpi" else (arguments[:2], arguments[2:])
        )
        return CliRunner().invoke(app, [*command, "-c", str(self.directory), *options])

    def shown(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def json(self, *arguments: str) -> list[dict]:
        return [json.loads(line) for line in self.shown(*arguments, "--json").splitlines()]


@pytest.fixture
def bare(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def house(bare: House) -> Iterator[House]:
    yield bare.open()
    bare.close()


@pytest.fixture
def served(house: House) -> House:
    """Alice did not answer one offer and took it later; somebody gave up; two wait, one with priority."""
    house.presence("alice", Presence.AVAILABLE, ago_s=200)
    offer = house.enter(1, ago_s=150).offer
    assert offer is not None
    house.end(1, offer.offer_id, OfferEnd.NO_ANSWER, ago_s=135)
    again = house.enter(1, ago_s=120).offer
    assert again is not None
    house.end(1, again.offer_id, OfferEnd.SERVED, ago_s=60, joined_ago_s=110)
    house.leg_gone(again.offer_id, ago_s=60)
    house.enter(2, ago_s=50)
    house.leave(2, ago_s=43)
    house.enter(3, ago_s=42)
    house.enter(4, ago_s=9, priority=5)
    return house


# kpi


def test_kpi_shows_each_figure_with_its_formula(served: House) -> None:
    lines = served.shown("kpi", "--queue", "sales").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d 00:00 to now \((GMT|[+-]\d\d)\)", lines[0])
    table = {line[2:17].strip(): line[17:].strip() for line in lines[3:]}
    assert table["offered"] == "4  calls that entered the queue"
    assert table["answered"] == "1  joined with an agent"
    assert table["abandoned"].startswith("1  the caller left first, after 7.0 s on average; p50 7.0 s, p90 7.0 s")
    assert table["waiting"] == "2  still there"
    assert table["service level"] == "0.0 %  of_offered: answered within 20 s / (answered + abandoned)"
    spread = r"p50 4\d\.\d s, p90 4\d\.\d s, longest 4\d\.\d s"
    assert re.fullmatch(rf"4\d\.\d s  waits of answered calls / answered; {spread}", table["ASA"])
    aht = r"50\.\d s  \(talk with hold \+ wrap-up\) / talks ended; p50 50\.\d s, p90 50\.\d s"
    assert re.match(aht, table["AHT"])
    assert table["RONA"] == "1  offers that agents did not take: no_answer 1"


def test_kpi_as_json_has_a_line_for_each_queue(served: House) -> None:
    sales, support = served.json("kpi")
    assert (sales["queue"], sales["offered"], sales["answered"], sales["abandoned"], sales["rona"]) == (
        "sales",
        4,
        1,
        1,
        1,
    )
    assert (support["queue"], support["offered"], support["service_level"]) == ("support", 0, None)
    assert sales["until"] is None


def test_kpi_of_another_period_has_other_calls(served: House) -> None:
    (past,) = served.json("kpi", "--queue", "sales", "--since", "2020-01-01", "--until", "2020-01-02")
    assert past["offered"] == 0
    (later,) = served.json("kpi", "--queue", "sales", "--since", "2020-01-01", "--until", "2120-01-01")
    assert later["offered"] == 4


NOON = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        ("", "", "2026-11-23 00:00 to now (UTC)"),
        ("09:30", "", "2026-11-23 09:30 to now (UTC)"),
        ("2026-11-22", "2026-11-23", "2026-11-22 00:00 to 2026-11-23 00:00 (UTC)"),
        ("2026-11-22T08:15", "10:00", "2026-11-22 08:15 to 2026-11-23 10:00 (UTC)"),
        ("2026-11-22T08:15+02:00", "", "2026-11-22 08:15 to now (UTC+02:00)"),
    ],
)
def test_a_period(since: str, until: str, shown: str) -> None:
    assert str(period_of(since, until, NOON)) == shown


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("yesterday", "", "`yesterday` is no time; write 2026-11-23"),
        ("11:00", "10:00", "is not after"),
        ("25:00", "", "no time"),
        ("2026-11-30", "", "^2026-11-30 00:00 lies in the future$"),
        ("12:01", "", "2026-11-23 12:01 lies in the future"),
    ],
)
def test_a_period_that_is_none(since: str, until: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        period_of(since, until, NOON)


def test_a_bad_period_is_wrong_usage(house: House) -> None:
    result = house.run("kpi", "--since", "soon")
    assert result.exit_code == 2
    assert "`soon` is no time" in result.stderr
    result = house.run("kpi", "--since", "2126-11-30")
    assert result.exit_code == 2
    assert "2126-11-30 00:00 lies in the future" in result.stderr


# queue show


def test_queue_show_has_asterisks_layout(served: House) -> None:
    served.presence("bob", Presence.PAUSED, "lunch", ago_s=77)
    served.device("PJSIP/1001", DeviceState.UNAVAILABLE)
    lines = served.shown("queue", "show", "sales").splitlines()
    assert lines[0] == (
        "sales has 2 calls (max unlimited) in 'longest_idle' strategy "
        "(40s p90 40s holdtime, 50s p90 50s talktime), "
        "W:0, C:1, A:1, SL:0.0%, SL2:50.0% within 20s, of_offered:0.0%"
    )
    assert lines[1] == "   Members:"
    assert re.fullmatch(
        r"      Alice Ray \(PJSIP/1001\) \(Wrap-up\) has taken 1 calls \(last was 6\d secs ago\)", lines[2]
    )
    assert re.fullmatch(
        r"      Bob Lang \(PJSIP/1002\) \(paused:lunch was 7\d secs ago\) \(Not in use\) has taken no calls yet",
        lines[3],
    )
    assert lines[4] == "   Callers:"
    assert re.fullmatch(rf"      1\. {call_id(4)} \(wait: 0:\d\d, prio: 5\)", lines[5])
    assert re.fullmatch(rf"      2\. {call_id(3)} \(wait: 0:4\d, prio: 0\)", lines[6])


def test_queue_show_of_an_idle_house(house: House) -> None:
    text = house.shown("queue", "show")
    assert "support has 0 calls" in text
    assert "(0s holdtime, 0s talktime), W:0, C:0, A:0, SL:0.0%, SL2:0.0% within 20s" in text
    assert "Alice Ray (PJSIP/1001) (logged out) (Not in use) has taken no calls yet" in text
    assert text.count("   No Callers") == 2


def test_queue_show_says_who_is_offered_a_caller(house: House) -> None:
    house.presence("bob", Presence.AVAILABLE)
    house.enter(7, ago_s=3)
    assert "(offered to bob)" in house.shown("queue", "show", "sales")
    (sales,) = house.json("queue", "show", "sales")
    (caller,) = sales["callers"]
    assert (caller["call_id"], caller["offered_to"], caller["priority"]) == (call_id(7), "bob", 0)
    assert [(member["agent"], member["activity"]) for member in sales["members"]] == [
        ("alice", "idle"),
        ("bob", "ringing"),
    ]


def test_queue_show_says_whose_place_is_kept(house: House) -> None:
    house.enter(1)
    house.enter(2)
    house.step_out(1)
    first, second = house.shown("queue", "show", "sales").splitlines()[-2:]
    assert first.endswith("(wait: 1:00, prio: 0) (stepped out)")
    assert second.endswith("prio: 0)")
    assert [caller["away"] for caller in house.json("queue", "show", "sales")[0]["callers"]] == [
        "stepped out",
        None,
    ]
    house.enter(1)
    assert "stepped out" not in house.shown("queue", "show", "sales")


def test_queue_show_counts_offers_that_came_to_nothing_as_kpi_does(served: House) -> None:
    (shown,), (counted,) = served.json("queue", "show", "sales"), served.json("kpi", "--queue", "sales")
    assert shown["rona"] == counted["rona"] == 1
    assert shown["offer_ends"] == counted["offer_ends"]


def test_queue_show_says_how_many_may_wait(house: House) -> None:
    (house.directory / "queues.yaml").write_text(QUEUES.replace("accept: none", "max_waiting: 7"))
    assert "support has 0 calls (max 7) in" in house.shown("queue", "show", "support")
    assert "sales has 0 calls (max unlimited) in" in house.shown("queue", "show", "sales")


def test_a_watch_reads_on_where_it_stopped(house: House) -> None:
    watch = QueueWatch(read_floor_files(house.directory, {}), "sales")
    midnight = datetime.now(UTC) - timedelta(hours=12)
    assert watch.look(midnight)[0].waiting == ()
    house.enter(1)
    assert [call.call_id for call in watch.look(midnight)[0].waiting] == [call_id(1)]
    house.leave(1, ago_s=0)
    (seen,) = watch.look(midnight)
    assert (seen.waiting, seen.kpis.offered, seen.kpis.abandoned) == ((), 1, 1)


# queue why


def test_queue_why_tells_the_whole_story_in_order(served: House) -> None:
    lines = served.shown("queue", "why", call_id(1)).splitlines()
    story = [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  ", "", line) for line in lines]
    assert story[0] == "entered sales"
    assert story[1].startswith("offered to alice: alice was the only free agent of sales (for ")
    assert any("nobody picked up" in line for line in story)
    assert any(line.startswith("talks with alice, after 40 s") for line in story)
    assert [line["kind"] for line in served.json("queue", "why", call_id(1))][:2] == ["entered_queue", "offer_made"]


def test_a_call_id_may_be_written_in_small_letters(served: House) -> None:
    assert "entered sales" in served.shown("queue", "why", call_id(1).lower())


def test_a_call_may_be_named_by_the_beginning_of_its_id(served: House) -> None:
    other = "01KBZZ" + "0" * 20
    entering = Entering(other, "leg9", "asterisk", "sales", "en", 0, moments.now().wall, "worker-0")
    served.do(served._store.enter, entering)
    assert "entered sales" in served.shown("queue", "why", "01kbzz")
    several = served.run("queue", "why", call_id(1)[:6])
    assert several.exit_code == 1
    assert several.stderr.split()[-4:] == [call_id(number) for number in (1, 2, 3, 4)]
    short = served.run("queue", "why", "01KBZ")
    assert (short.exit_code, "`01KBZ` is too short; give 6 characters" in short.stderr) == (1, True)
    nothing = served.run("queue", "why", " ")
    assert (nothing.exit_code, "write a call's id" in nothing.stderr) == (2, True)
    assert served.run("queue", "why", "01KBZ%").exit_code == 1, "no character has a meaning of its own"


def test_a_call_that_waits_says_for_what(served: House) -> None:
    assert "waits in sales" in served.shown("queue", "why", call_id(3)).splitlines()[-1]


def test_a_call_nobody_knows_is_one_clear_message(served: House) -> None:
    result = served.run("queue", "why", call_id(1)[:-1] + "X")
    assert result.exit_code == 1
    assert re.search(r"no queue has had a call `01KAJ5Q8XZC3T4V6W7Y8Z9AB0X`; did you mean `01KAJ5Q", result.stderr)
    assert "`cordboard queue show` lists" in served.run("queue", "why", "nonsense").stderr


# names and databases that are not there


@pytest.mark.parametrize("command", [("kpi", "--queue"), ("queue", "show")], ids=["kpi", "show"])
@pytest.mark.parametrize(
    ("name", "hint"), [("salse", "did you mean `sales`?"), ("x", "known: sales, support")], ids=["near", "far"]
)
def test_a_queue_nobody_knows(house: House, command: tuple[str, ...], name: str, hint: str) -> None:
    result = house.run(*command, name)
    assert result.exit_code == 1
    assert f"there is no queue `{name}`; {hint}" in result.stderr


@pytest.mark.parametrize(
    "command",
    [("kpi",), ("queue", "show"), ("queue", "why", "X"), ("agent", "list"), ("agent", "set", "alice", "available")],
    ids=" ".join,
)
def test_without_a_database_nothing_is_made_and_the_message_says_what_makes_it(
    bare: House, command: tuple[str, ...]
) -> None:
    result = bare.run(*command)
    assert isinstance(result.exception, StoreUnavailable)
    words = f"there is no database {bare.database} yet; it is made when the service starts"
    assert str(result.exception) == f"{words}: cordboard run -c {bare.directory}"
    assert not bare.database.parent.exists()


def test_a_database_of_an_earlier_release_says_so(bare: House) -> None:
    bare.database.parent.mkdir()
    bare.database.write_bytes(b"")
    assert "of an earlier release" in str(bare.run("kpi").exception)


def test_faults_of_both_files_come_together(bare: House) -> None:
    (bare.directory / "cordboard.yaml").write_text("zone: Moon\n")
    (bare.directory / "queues.yaml").write_text("queues: 3\n")
    with pytest.raises(ConfigurationError) as refused:
        read_floor_files(bare.directory, {})
    assert [finding.file for finding in refused.value.findings] == ["cordboard.yaml", "queues.yaml"]


@pytest.mark.parametrize("command", [("queue", "show"), ("queue", "why", call_id(1)), ("agent", "list")])
def test_while_the_files_are_broken_it_is_told_what_the_service_runs(
    served: House, command: tuple[str, ...]
) -> None:
    kept = served.directory / "state" / "active"
    kept.mkdir()
    for file in ("queues.yaml", "agents.yaml"):
        shutil.copy(served.directory / file, kept)
    sound = served.run(*command)
    (served.directory / "queues.yaml").write_text("queues:\n  sales: {strategy: fair}\n")
    broken = served.run(*command)
    assert broken.exit_code == 0
    assert re.sub(r"[\d:]+", "#", broken.stdout) == re.sub(r"[\d:]+", "#", sound.stdout), "times go on"
    assert "queues.yaml:2:21: `fair` is not one of" in broken.stderr
    assert "until that is mended these are the queues and agents the service took up last" in broken.stderr
    shutil.rmtree(kept)
    assert isinstance(served.run(*command).exception, ConfigurationError), "no service has taken anything up"


# agents


def test_agent_list(served: House) -> None:
    served.presence("bob", Presence.PAUSED, "lunch")
    columns, alice, bob = (line.split() for line in served.shown("agent", "list").splitlines())
    assert columns == ["agent", "name", "presence", "does", "device", "phone", "queues"]
    assert alice == ["alice", "Alice", "Ray", "available", "wrap_up", "PJSIP/1001", "unknown", "sales", "support"]
    assert bob == ["bob", "Bob", "Lang", "paused", "(lunch)", "idle", "PJSIP/1002", "unknown", "sales"]
    assert served.json("agent", "list")[1]["presence_reason"] == "lunch"


def test_agent_set_matches_a_waiting_caller_and_wakes_the_worker_that_holds_the_call(house: House) -> None:
    house.hold_lease(observer_lease("asterisk"))
    house.enter(1, ago_s=0)
    folder = house.directory / "state" / "wakes"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as worker:
        worker.bind(str(folder / "worker-0.sock"))
        worker.settimeout(10)
        assert house.shown("agent", "set", "bob", "available") == "bob is available\n"
        assert worker.recv(16)
    assert "(offered to bob)" in house.shown("queue", "show", "sales")
    assert [path.name for path in folder.iterdir()] == ["worker-0.sock"], "it leaves no socket of its own"


def test_agent_set_with_a_reason(house: House) -> None:
    assert house.shown("agent", "set", "bob", "paused", "--reason", "lunch") == "bob is paused (lunch)\n"
    assert "paused (lunch)" in house.shown("agent", "list")
    assert house.json("agent", "list")[1]["forced_by"] == "the command line"


def test_agent_set_says_when_no_call_can_come(house: House) -> None:
    house.device("PJSIP/1002", DeviceState.UNAVAILABLE)
    result = house.run("agent", "set", "bob", "available")
    assert (result.exit_code, result.stdout) == (0, "bob is available\n")
    assert result.stderr == "The phone PJSIP/1002 is not registered: until it is, bob gets no calls.\n"
    assert house.run("agent", "set", "bob", "paused").stderr == ""
    house.device("PJSIP/1002", DeviceState.IDLE)
    assert house.run("agent", "set", "bob", "available").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("bobb", "available"), 1, "there is no agent `bobb`; did you mean `bob`?"),
        (("bob", "paused", "--reason", "golf"), 2, "golf"),
        (("bob", "asleep"), 2, "asleep"),
        (("bob", "available", "--reason", "lunch"), 2, "a reason goes with `paused` only"),
        (("bob", "logged_out", "--reason", "lunch"), 2, "a reason goes with `paused` only"),
    ],
)
def test_agent_set_refuses_what_it_does_not_know(
    house: House, arguments: tuple, exit_code: int, words: str
) -> None:
    result = house.run("agent", "set", *arguments)
    assert (result.exit_code, words in result.stderr) == (exit_code, True), result.output
