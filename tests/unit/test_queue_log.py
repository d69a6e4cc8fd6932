"""The `queue_log`: each line as app_queue writes it (Asterisk 22), each once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import LeftBecause, OfferEnd, Presence
from cordboard.acd.queue_log import queue_log_lines
from cordboard.service.queue_log import QueueLogWriter
from cordboard.service.queue_log_file import QueueLogFile
from cordboard.store.acd_reads import StoreReader
from cordboard.store.address import Address
from cordboard.store.ledger import append, call_row
from cordboard.store.queue_log_rows import all_log_lines, read_log_lines
from tests.doubles.floor_kit import START, FloorKit

T = TypeVar("T")

T0 = int(START)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FloorKit]:
    with closing(FloorKit(tmp_path_factory.mktemp("queue_log") / "cordboard.db")) as kit:
        yield kit


@pytest.fixture
def floor(kept: FloorKit) -> FloorKit:
    kept.clear()
    return kept


def lines(floor: FloorKit, numbers: str = "full") -> list[str]:
    return floor.do(lambda c: list(all_log_lines(c, numbers)))


def event_lines(floor: FloorKit, *events: str) -> list[str]:
    return [line for line in lines(floor) if line.split("|")[4] in events]


def talk(floor: FloorKit, call_id: str, *, by: str = "", wait_s: float = 6, ring_s: float = 4) -> str:
    """A call that alice takes: it waits, her phone rings, they talk for half a minute."""
    floor.presence("alice", Presence.LOGGED_OUT)
    floor.sweep()
    floor.note_caller(call_id, "+442079460123", ani="02079460123")
    floor.enter(call_id)
    floor.pass_time(wait_s - ring_s)
    floor.renew("w1")
    floor.presence("alice")
    (offer,) = floor.take("w1", call_id)
    floor.leg("ringing", offer.offer_id)
    floor.pass_time(ring_s)
    floor.leg("answered", offer.offer_id)
    floor.leg("joined", offer.offer_id)
    floor.pass_time(30)
    event = floor.leg_event("gone", offer.offer_id)
    event = type(event)(event.kind, event.offer_id, event.leg_id, "", event.at, ended_by=by)
    floor.do(lambda c: floor.store.agent_leg(c, floor.now, event))
    return offer.offer_id


def test_a_served_call(database: Address) -> None:
    """On both engines; the others tell more of the lines, and nothing more of those."""
    with closing(FloorKit(database)) as floor:
        offer = talk(floor, "c1", by="caller")
        told = event_lines(floor, "ENTERQUEUE", "CONNECT", "COMPLETECALLER")
    assert told == [
        f"{T0}|leg-c1|sales|NONE|ENTERQUEUE||02079460123|1",
        f"{T0 + 6}|leg-c1|sales|alice|CONNECT|6|agent-{offer}|4",
        f"{T0 + 36}|leg-c1|sales|alice|COMPLETECALLER|6|30|1",
    ]


def test_the_ring_time_ends_with_picking_up_and_not_with_the_accept_key() -> None:
    told = {
        f"o1:{kind}": LedgerRow(1, f"o1:{kind}", START + at, kind, offer_id="o1", entry_id="e1")
        for kind, at in (("offer_ringing", 2), ("agent_answered", 5))
    }
    joined = LedgerRow(9, "o1:joined", START + 9, "joined", "c", "e1", "o1", "sales", "bob", data={"leg": "x"})
    assert list(queue_log_lines(joined, told.get)) == [f"{T0 + 9}|c|sales|bob|CONNECT|0|x|3"]


@pytest.mark.parametrize(
    ("by", "line"),
    [
        ("agent", "COMPLETEAGENT|6|30|1"),
        ("", "COMPLETEAGENT|6|30|1"),
        ("blind_transfer", "BLINDTRANSFER|||6|30|1"),
        ("attended_transfer", "ATTENDEDTRANSFER|BRIDGE||6|30|1"),
    ],
)
def test_how_a_talk_ended(floor: FloorKit, by: str, line: str) -> None:
    talk(floor, "c1", by=by)
    assert lines(floor)[-1] == f"{T0 + 36}|leg-c1|sales|alice|{line}"


@pytest.mark.parametrize(
    ("because", "line"),
    [
        (LeftBecause.ABANDONED, "ABANDON|1|2|9"),
        (LeftBecause.MAX_WAIT, "EXITWITHTIMEOUT|1|2|9"),
        (LeftBecause.EXIT_KEY, "EXITWITHKEY||1|2|9"),
        (LeftBecause.EMPTY, "EXITEMPTY|1|2|9"),
        (LeftBecause.CLOSED, "WITHDRAW|1|2|9|closed"),
        (LeftBecause.OVERFLOW, "WITHDRAW|1|2|9|overflow"),
        (LeftBecause.CALLBACK, "WITHDRAW|1|2|9|callback"),
        (LeftBecause.CUT_OFF, "ABANDON|1|2|9"),
        (LeftBecause.LOST, "ABANDON|1|2|9"),
    ],
)
def test_every_way_to_leave_with_the_place_now_and_at_first(
    floor: FloorKit, because: LeftBecause, line: str
) -> None:
    floor.enter("ahead")
    floor.enter("c1")
    floor.pass_time(5)
    floor.leave("ahead")
    floor.pass_time(4)
    floor.leave("c1", because)
    assert lines(floor)[-1] == f"{T0 + 9}|leg-c1|sales|NONE|{line}"


def test_every_reason_to_leave_without_an_agent_has_its_line() -> None:
    for because in LeftBecause:
        row = LedgerRow(
            1, "e1:left_queue", START, "left_queue", "c", "e1", data={"because": because, "wait_s": 1.0}
        )
        assert len(list(queue_log_lines(row, {}.get))) == (because is not LeftBecause.SERVED), because


def test_the_key_that_a_caller_left_by() -> None:
    data = {"because": "exit_key", "wait_s": 1.0, "position": 3, "key": "9"}
    row = LedgerRow(1, "e1:left_queue", START, "left_queue", "c", "e1", queue="sales", data=data)
    assert list(queue_log_lines(row, {}.get)) == [f"{T0}|c|sales|NONE|EXITWITHKEY|9|3|3|0"]


def test_an_offer_that_was_not_taken_and_one_whose_caller_left(floor: FloorKit) -> None:
    floor.presence("alice")
    first = floor.enter("c1").offer
    assert first is not None
    floor.pass_time(15)
    floor.settle("c1", first.offer_id, OfferEnd.NO_ANSWER)
    floor.renew("w1")
    floor.presence("bob")
    (second,) = floor.take("w1", "c1")
    floor.pass_time(2.5)
    floor.leave("c1")
    assert second.agent == "bob"
    assert event_lines(floor, "RINGNOANSWER", "RINGCANCELED", "ABANDON") == [
        f"{T0 + 15}|leg-c1|sales|alice|RINGNOANSWER|15000",
        f"{T0 + 17}|leg-c1|sales|bob|RINGCANCELED|2500",
        f"{T0 + 17}|leg-c1|sales|NONE|ABANDON|1|1|17",
    ]


def test_agents_come_pause_and_go_in_each_of_their_queues(floor: FloorKit) -> None:
    for presence, reason in (
        (Presence.AVAILABLE, ""),
        (Presence.PAUSED, "lunch"),
        (Presence.AVAILABLE, ""),
        (Presence.LOGGED_OUT, ""),
        (Presence.PAUSED, "break"),
    ):
        floor.presence("bob", presence, reason)
        floor.pass_time(1)
    assert [line.removeprefix(f"{T0 + second}|NONE|") for second, line in numbered(lines(floor))] == [
        "sales|bob|ADDMEMBER|",
        "support|bob|ADDMEMBER|",
        "NONE|bob|PAUSEALL|lunch",
        "sales|bob|PAUSE|lunch",
        "support|bob|PAUSE|lunch",
        "NONE|bob|UNPAUSEALL|",
        "sales|bob|UNPAUSE|",
        "support|bob|UNPAUSE|",
        "sales|bob|REMOVEMEMBER|",
        "support|bob|REMOVEMEMBER|",
        "sales|bob|ADDMEMBER|PAUSED",
        "support|bob|ADDMEMBER|PAUSED",
        "NONE|bob|PAUSEALL|break",
        "sales|bob|PAUSE|break",
        "support|bob|PAUSE|break",
    ]


def numbered(found: list[str]) -> list[tuple[int, str]]:
    return [(int(line.split("|")[0]) - T0, line) for line in found]


def test_a_pause_for_missed_calls_is_named_as_app_queue_does() -> None:
    data = {"presence": "paused", "reason": "rona", "was": "available", "was_reason": "", "queues": ["sales"]}
    row = LedgerRow(1, "x", START, "presence_changed", agent="bob", data=data)
    assert list(queue_log_lines(row, {}.get))[1] == f"{T0}|NONE|sales|bob|PAUSE|Auto-Pause"


@pytest.mark.parametrize(("numbers", "shown"), [("full", "02079460123"), ("last3", "123"), ("none", "")])
def test_how_much_of_a_number_is_written(floor: FloorKit, numbers: str, shown: str) -> None:
    floor.note_caller("c1", "+442079460123", ani="02079460123")
    floor.enter("c1")
    assert lines(floor, numbers) == [f"{T0}|leg-c1|sales|NONE|ENTERQUEUE||{shown}|1"]


def test_a_caller_cannot_forge_a_line(floor: FloorKit) -> None:
    floor.note_caller("c1", "", ani="1|2\n3|4")
    floor.enter("c1")
    assert lines(floor) == [f"{T0}|leg-c1|sales|NONE|ENTERQUEUE||1_23_4|1"]


def test_an_erased_party_has_no_number_and_the_same_lines(floor: FloorKit) -> None:
    talk(floor, "c1")
    before = lines(floor)
    ref = floor.ledger("entered_queue")[0].party_ref
    floor.do(lambda c: floor.store.erase_party(c, floor.now, ref))
    assert lines(floor) == [line.replace("02079460123", "") for line in before]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 500])
def test_from_wherever_it_is_read_on_the_lines_are_the_same(floor: FloorKit, most: int) -> None:
    for number in range(4):
        talk(floor, f"c{number}", by="caller" if number % 2 else "agent")
        floor.pass_time(60)
    found: list[str] = []
    seq = 0
    while (more := floor.do(lambda c, seq=seq: read_log_lines(c, seq, "full", most))) is not None:
        found += more.lines
        seq = more.seq
    assert found == lines(floor)
    assert len(found) == len(set(found)) > 12


def test_rows_that_give_no_lines_are_read_once(floor: FloorKit) -> None:
    talk(floor, "c1")
    for _ in range(3):
        floor.do(lambda c: append(c, [call_row(f"tag-{floor.now.wall}", "call_tagged", 1.0, {}, call_id="c1")]))
        floor.pass_time(1)
    last = floor.ledger()[-1].seq
    found = floor.do(lambda c: read_log_lines(c, 0, "full"))
    assert found is not None and found.seq == last
    assert floor.do(lambda c: read_log_lines(c, last, "full")) is None


def test_a_ledger_that_was_begun_anew_is_written_from_its_beginning(floor: FloorKit) -> None:
    talk(floor, "c1")
    found = floor.do(lambda c: read_log_lines(c, 1_000_000, "full"))  # the mark of the database before
    assert found is not None and list(found.lines) == lines(floor)


# -- the file --


@pytest.fixture
def file(tmp_path: Path) -> Iterator[QueueLogFile]:
    made = QueueLogFile(tmp_path / "logs" / "queue_log")
    assert made.take()
    yield made
    made.close()


def content(file: QueueLogFile) -> list[str]:
    return file.path.read_text().splitlines()


def test_only_one_process_writes_and_the_next_one_when_it_has_gone(file: QueueLogFile) -> None:
    other = QueueLogFile(file.path)
    assert not other.take()
    file.close()
    assert other.take()
    assert other.take(), "and stays it"
    other.close()


def test_lines_follow_one_another_and_the_mark_goes_with_them(file: QueueLogFile) -> None:
    file.add(["a", "b"], 7)
    file.add([], 9)
    file.add(["c"], 12)
    assert content(file) == ["a", "b", "c"]
    assert (file.mark.seq, file.mark.size) == (12, 6)


@settings(max_examples=60, deadline=None)
@given(written=st.integers(0, 12), begun_before=st.booleans())
def test_whoever_dies_in_the_middle_of_writing_no_line_is_lost_or_there_twice(
    tmp_path_factory: pytest.TempPathFactory, written: int, begun_before: bool
) -> None:
    file = QueueLogFile(tmp_path_factory.mktemp("log") / "queue_log")
    file.take()
    if begun_before:
        file.add(["zero"], 1)
    with file.path.open("ab") as dying:  # so many bytes got through, and no mark
        dying.write(b"one\ntwo\nten\n"[:written])
    if not begun_before:
        file._set_mark(type(file.mark)(0, file.path.stat().st_ino, 0))
    file.add(["one", "two", "ten", "more"], 5)
    assert content(file) == [*(["zero"] if begun_before else []), "one", "two", "ten", "more"]
    file.close()


def test_what_a_stranger_wrote_stays_and_no_line_of_ours_is_there_twice(file: QueueLogFile) -> None:
    file.add(["zero"], 1)
    with file.path.open("ab") as other:
        other.write(b"one\nby hand")
    file.add(["one", "two"], 3)
    assert content(file) == ["zero", "one", "by hand", "two"]


def test_a_file_that_logrotate_took_away_is_begun_anew(file: QueueLogFile) -> None:
    file.add(["old"], 1)
    file.path.rename(file.path.with_name("queue_log-20261123"))
    file.add(["new"], 2)
    assert content(file) == ["new"]
    os.truncate(file.path, 0)
    file.add(["newer"], 3)
    assert content(file) == ["newer"]
    file.path.rename(file.path.with_name("queue_log-20261124"))
    file.path.write_text("somebody's own\nnewest\n")
    file.add(["newest"], 4)
    assert content(file) == ["somebody's own", "newest", "newest"], "what stands there is of no mark of ours"


def test_a_big_file_is_put_away_and_the_oldest_goes(tmp_path: Path) -> None:
    file = QueueLogFile(tmp_path / "queue_log", rotate_bytes=4, keep=2)
    file.take()
    for seq, line in enumerate(["aaaa", "bb", "cccc", "dddd", "e"]):
        file.add([line], seq)
    kept = {path.name: path.read_text().split() for path in tmp_path.glob("queue_log*")}
    assert kept == {"queue_log": ["e"], "queue_log.1": ["dddd"], "queue_log.2": ["bb", "cccc"]}
    file.close()


# -- the writer --


async def test_the_writer_writes_what_comes_and_its_successor_goes_on(floor: FloorKit, tmp_path: Path) -> None:
    reader = StoreReader(floor.path)
    path = tmp_path / "queue_log"
    for number in range(3):
        talk(floor, f"c{number}", by="caller")
        floor.pass_time(60)
        writers = [QueueLogWriter(reader.ask, QueueLogFile(path), "full") for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            await writer.aclose()
        assert path.read_text().splitlines() == lines(floor)
    reader.close()


async def test_a_disk_that_refuses_is_told_once_and_nothing_is_lost(
    floor: FloorKit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = StoreReader(floor.path)
    path = tmp_path / "queue_log"
    path.mkdir()
    talk(floor, "c1")
    writer = QueueLogWriter(reader.ask, QueueLogFile(path), "full")
    await writer._write_all()
    await writer._write_all()
    assert capsys.readouterr().out.count("queue_log_not_written") == 1
    path.rmdir()
    writer.start()
    await writer.aclose()
    assert path.read_text().splitlines() == lines(floor)
    reader.close()


async def test_what_nobody_thought_of_is_told_and_does_not_end_the_writing(
    floor: FloorKit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = StoreReader(floor.path)
    talk(floor, "c1")
    failures = [RuntimeError("a row of a kind that"), RuntimeError("a row of a kind that")]

    async def ask(work: Callable[[Connection], T]) -> T:
        if failures:
            raise failures.pop()
        return await reader.ask(work)

    writer = QueueLogWriter(ask, QueueLogFile(tmp_path / "queue_log"), "full")
    writer.start()
    async with asyncio.timeout(15):
        while not (tmp_path / "queue_log").exists():
            writer.look()
            await asyncio.sleep(0.05)
    await writer.aclose()
    assert (tmp_path / "queue_log").read_text().splitlines() == lines(floor)
    assert capsys.readouterr().out.count("queue_log_not_written") == 1
    reader.close()
