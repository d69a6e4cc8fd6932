"""What flows note about calls, and the callbacks they book: in the store once, without saying who called."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from cordboard.acd.kpis import kpis
from cordboard.acd.model import FloorPlan, Moment, Queue
from cordboard.cli_kpi import kpi
from cordboard.cli_queues import queue_app
from cordboard.service.notes import Notes
from cordboard.store import call_notes, callbacks, database, ledger
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote, Entering
from cordboard.store.callback_store import CallbackStore
from cordboard.store.callbacks import CallbackAsked, waiting_callbacks
from cordboard.store.tables import callbacks as callbacks_table
from cordboard.store.why import why
from cordboard.store.writer import StoreThread, open_database
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused, Done, Outcome
from cordboard.telephony.outside_numbers import OutsidePolicy
from cordboard.telephony.verbs import Note, RequestCallback

AGENTS = "agents: {alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales, support]}}\n"
NUMBER = "+442079460123"
PLAN = FloorPlan({"sales": Queue("sales"), "support": Queue("support")}, {})
NOW = Moment(1_795_435_200.0, 1_000.0)
ASK = RequestCallback("sales", "020 7946 0123", "en", 3)


def call(ani: str = NUMBER) -> Call:
    return Call(new_call_id(), "asterisk", "1.1", "5000", datetime.now(UTC), ani, "Ada Lovelace")


class House:
    """A state directory with its database, and the notes of one worker."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "cordboard.yaml").write_text("state: state\nzone: Europe/London\n")
        (directory / "queues.yaml").write_text("queues: {sales: {}, support: {}}\n")
        (directory / "agents.yaml").write_text(AGENTS)
        self.database = directory / "state" / "cordboard.db"
        self.engine = open_database(self.database)
        self.thread = StoreThread(open_database(self.database))
        self.thread.start()
        self.store = CallbackStore(AcdStore(PLAN))
        self.book_s = 5.0
        self.notes = Notes(self.thread, self.book)
        self.notes.use("GB", DialPolicy())

    async def book(self, asked: CallbackAsked) -> CallbackBooked | CallbackRefused:
        """As the service does, without anybody to dial."""
        found = await self.thread.ask(lambda connection: self.store.book(connection, NOW, asked), self.book_s)
        booked: CallbackBooked | CallbackRefused = found[0]
        return booked

    async def written(self, kind: str, count: int) -> list[dict[str, Any]]:
        """The data of the ledger's rows of a kind, once there are so many. Handed over first, read in its order."""
        self.notes.flush()
        await self.thread.ask(lambda _: None, 5)
        found = self.rows(kind)
        assert len(found) == count, found
        return found

    def rows(self, kind: str) -> list[dict[str, Any]]:
        with self.engine.begin() as connection:
            rows = ledger.ledger_rows(connection, kinds=(kind,))
            return [{"party_ref": row.party_ref, "queue": row.queue, **row.data} for row in rows]

    def do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        with self.engine.begin() as connection:
            return work(connection, *arguments)

    def run(self, *arguments: str) -> Result:
        app = typer.Typer()
        app.command("kpi")(kpi)
        app.add_typer(queue_app, name="queue")
        return CliRunner().invoke(app, [*arguments, "-c", str(self.directory)])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While another process holds the write lock."""
        other = sqlite3.connect(self.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 200)  # how long a locked database is waited for
    house = House(tmp_path)
    yield house
    house.notes.flush()
    house.thread.close()
    house.engine.dispose()


# tags and scores


async def test_notes_are_in_the_ledger_once_however_often_they_are_told(house: House) -> None:
    one, other = call(), call()
    for note in (
        Note("tag", "reason", "billing"),
        Note("tag", "reason", "billing"),
        Note("tag", "reason", "refund"),
    ):
        assert await house.notes.run(one, note) == Done()
    await house.notes.run(other, Note("tag", "reason", "billing"))
    tags = await house.written("call_tagged", 3)
    assert [tag["value"] for tag in tags] == ["billing", "refund", "billing"]


async def test_the_first_answer_of_a_call_to_a_survey_counts(house: House) -> None:
    one = call()
    for score in ("5", "1"):
        await house.notes.run(one, Note("survey", "csat", score))
    await house.notes.run(one, Note("survey", "nps", "10"))
    scores = await house.written("survey_answered", 2)
    assert [(score["name"], score["score"]) for score in scores] == [("csat", 5), ("nps", 10)]


async def test_a_note_is_taken_at_once_even_if_the_caller_leaves_in_the_same_moment(house: House) -> None:
    errand = asyncio.create_task(house.notes.run(call(), Note("survey", "csat", "5")))
    await asyncio.sleep(0)
    errand.cancel()
    await asyncio.wait({errand})
    await house.written("survey_answered", 1)


async def test_a_tag_says_nothing_of_who_called(house: House) -> None:
    caller = call()
    for value in (f"from {NUMBER}", "442079460123 again", "Ada Lovelace", "vip"):
        await house.notes.run(caller, Note("tag", "t", value))
    tags = await house.written("call_tagged", 4)
    assert [tag["value"] for tag in tags] == ["from ...", "... again", "...", "vip"]


async def test_a_name_is_left_out_of_a_tag_that_was_cut_in_the_middle_of_it_too(house: House) -> None:
    caller = replace(call(), caller_name=" " + "Ada Lovelace " * 10)
    for value in (("Ada Lovelace " * 10)[:64], "x" * 56 + " Ada Lov", "x" * 62 + " A", "from Ada Love"):
        await house.notes.run(caller, Note("tag", "t", value))
    tags = await house.written("call_tagged", 4)
    assert [tag["value"] for tag in tags] == ["...", "x" * 56 + " ...", "x" * 62 + " A", "from Ada Love"]


async def test_a_tag_drives_no_terminal(house: House) -> None:
    await house.notes.run(call(), Note("tag", "t", "\x1b[2J\x9b2J\u202evip"))
    (tag,) = await house.written("call_tagged", 1)
    assert tag["value"] == "[2J2Jvip"


async def test_a_note_knows_the_party_of_a_call_that_has_waited(house: House) -> None:
    caller = call()
    store = AcdStore(PLAN)
    party = house.do(store.note_caller, NOW, CallerNote(caller.call_id, ani=NUMBER, number=NUMBER))
    await house.notes.run(caller, Note("tag", "t", "a"))
    await house.notes.run(call(), Note("tag", "t", "a"))
    assert [tag["party_ref"] for tag in await house.written("call_tagged", 2)] == [party, ""]


async def test_notes_wait_for_a_database_that_is_away_and_keep_their_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_notes, "RETRY_S", 0.01)
    refused = asyncio.Event()
    loop = asyncio.get_running_loop()
    post = house.thread.post

    def watched(work: Any, told: Any) -> None:
        def tell(fate: Any) -> None:
            told(fate)
            if fate == "try_again":
                loop.call_soon_threadsafe(refused.set)

        post(work, tell)

    monkeypatch.setattr(house.thread, "post", watched)
    caller = call()
    with house.locked():
        await house.notes.run(caller, Note("tag", "t", "first"))
        house.notes.flush()
        await house.notes.run(caller, Note("tag", "t", "second"))
        async with asyncio.timeout(10):
            await refused.wait()
    async with asyncio.timeout(10):
        while len(house.rows("call_tagged")) < 2:
            await asyncio.sleep(0.01)
    assert [tag["value"] for tag in house.rows("call_tagged")] == ["first", "second"]


async def test_what_is_noted_last_is_written_before_the_store_closes(house: House) -> None:
    caller = call()
    for value in ("first", "second"):
        await house.notes.run(caller, Note("tag", "t", value))
        house.notes.flush()
    house.thread.close()
    assert [tag["value"] for tag in house.rows("call_tagged")] == ["first", "second"]


async def test_too_many_notes_are_lost_and_the_log_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_notes, "WAITING_MAX", 2)
    with capture_logs() as logs:
        for value in "abc":
            await house.notes.run(call(), Note("tag", "t", value))
    assert [line["event"] for line in logs] == ["call_note_lost"]
    await house.written("call_tagged", 2)


# callbacks


async def book(house: House, caller: Call, **changes: Any) -> Outcome:
    return await house.notes.run(caller, replace(ASK, **changes))


async def test_a_callback_is_booked_with_the_number_where_it_can_be_erased(house: House) -> None:
    caller = call()
    booked = await book(house, caller)
    assert isinstance(booked, CallbackBooked)
    (waiting,) = house.do(waiting_callbacks)
    assert (waiting.callback_id, waiting.call_id, waiting.queue) == (booked.callback_id, caller.call_id, "sales")
    assert (waiting.number, waiting.language, waiting.priority, waiting.entered_at) == (NUMBER, "en", 3, None)
    (told,) = house.rows("callback_requested")
    assert told == {"party_ref": told["party_ref"], "queue": "sales", "language": "en", "priority": 3}
    everything = "".join(sqlite3.connect(house.database).iterdump())
    assert [line for line in everything.splitlines() if "2079460123" in line and '"parties"' not in line] == []


async def test_one_number_has_one_callback_of_a_queue(house: House) -> None:
    first, second = call(), call()
    booked = await book(house, first)
    assert await book(house, first) == booked, "told again after a crash"
    assert await book(house, second, number=NUMBER) == CallbackRefused("already")
    assert isinstance(await book(house, second, queue="support"), CallbackBooked)
    assert isinstance(await book(house, second, number="020 7946 0999"), CallbackBooked)
    assert len(house.rows("callback_requested")) == 3


async def test_the_database_itself_refuses_a_second_one(house: House) -> None:
    await book(house, call())
    with pytest.raises(IntegrityError), house.engine.begin() as connection:
        row = connection.execute(callbacks_table.select()).one()._asdict()
        connection.execute(callbacks_table.insert(), row | {"callback_id": "another"})


@pytest.mark.parametrize("number", ["", "anonymous", "12", "1001", "999999999999999999", "+44 20 7946 0123 x9"])
async def test_what_nobody_can_be_called_back_on_is_refused(house: House, number: str) -> None:
    assert await book(house, call(), number=number) == CallbackRefused("number")
    assert house.do(waiting_callbacks) == []


async def test_no_call_is_promised_to_a_number_the_dial_policy_refuses(house: House) -> None:
    house.notes.use("GB", DialPolicy(outside=OutsidePolicy("PJSIP/{number}@trunk", "GB", frozenset({"GB"}))))
    assert await book(house, call(), number="+34915550142") == CallbackRefused("number")
    assert isinstance(await book(house, call(), number="020 7946 0123"), CallbackBooked)


async def test_the_country_of_the_flow_goes_before_that_of_the_settings(house: House) -> None:
    await book(house, call(), number="915 55 01 42", country="ES")
    assert [one.number for one in house.do(waiting_callbacks)] == ["+34915550142"]


async def test_a_queue_promises_no_more_than_it_can_keep(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "WAITING_MAX", 1)
    await book(house, call())
    assert await book(house, call(), number="020 7946 0999") == CallbackRefused("full")


async def test_without_a_database_there_is_no_promise(house: House) -> None:
    house.book_s = 0.05
    with house.locked():
        assert await book(house, call()) == CallbackRefused("no_store")


async def test_who_says_yes_and_hangs_up_is_called_back(house: House) -> None:
    errand = asyncio.create_task(house.notes.run(call(), ASK))
    await asyncio.sleep(0)
    errand.cancel()
    await asyncio.wait({errand})
    await asyncio.sleep(0)
    await house.thread.ask(lambda _: None, 5)
    assert len(house.do(waiting_callbacks)) == 1


async def test_the_time_in_the_queue_is_kept(house: House) -> None:
    caller, store = call(), AcdStore(PLAN)
    entering = Entering(caller.call_id, "1.1", "asterisk", "sales", "en", 0, NOW.wall - 60, "worker-0")
    house.do(store.note_caller, NOW, CallerNote(caller.call_id, ani=NUMBER, number=NUMBER))
    house.do(store.enter, NOW, entering)
    await book(house, caller)
    (waiting,) = house.do(waiting_callbacks)
    assert waiting.entered_at == NOW.wall - 60


async def test_who_is_erased_is_not_called_and_no_figure_changes(house: House) -> None:
    await book(house, call())
    (told,) = house.rows("callback_requested")
    assert house.do(AcdStore(PLAN).erase_party, NOW, told["party_ref"]) is True
    assert house.do(waiting_callbacks) == []
    assert house.rows("callback_requested") == [told]
    assert [row["state"] for row in house.rows("callback_closed")] == ["erased"], "it is not open for ever"
    assert isinstance(await book(house, call()), CallbackBooked), "a new promise can be made"


async def test_the_next_to_call_is_the_most_urgent_then_the_first(house: House) -> None:
    for number, priority in (("020 7946 0001", 0), ("020 7946 0002", 0), ("020 7946 0003", 5)):
        await book(house, call(), number=number, priority=priority)
    assert [one.number[-1] for one in house.do(waiting_callbacks, "sales")] == ["3", "1", "2"]
    assert house.do(waiting_callbacks, "support") == []


async def test_one_that_is_done_is_done_once(house: House) -> None:
    booked = await book(house, call())
    assert isinstance(booked, CallbackBooked)
    cross_off = CallbackStore(AcdStore(PLAN)).cross_off
    assert house.do(cross_off, NOW, booked.callback_id) is True
    assert house.do(cross_off, NOW, booked.callback_id) is False
    (told,) = house.rows("callback_closed")
    assert (told["queue"], told["state"]) == ("sales", "done"), "so it is among the key figures"
    assert isinstance(await book(house, call()), CallbackBooked)


# what people see


async def test_the_command_lists_callbacks_and_crosses_them_off(house: House) -> None:
    booked = await book(house, call())
    assert isinstance(booked, CallbackBooked)
    listed = house.run("queue", "callbacks")
    assert (listed.exit_code, "+44 20 7946 0123" in listed.output, booked.callback_id in listed.output) == (
        0,
        True,
        True,
    )
    assert json.loads(house.run("queue", "callbacks", "sales", "--json").output)["number"] == NUMBER
    assert house.run("queue", "callbacks", "--done", booked.callback_id.lower()).output == (
        "Nobody waits to be called back.\n"
    )
    assert "no callback" in house.run("queue", "callbacks", "--done", booked.callback_id).output
    assert "sales" in house.run("queue", "callbacks", "sails").output


async def test_tags_and_scores_are_counted(house: House) -> None:
    for value, score in (("billing", "5"), ("billing", "3"), ("refund", "5")):
        caller = call()
        await house.notes.run(caller, Note("tag", "reason", value))
        await house.notes.run(caller, Note("survey", "csat", score))
    await house.written("call_tagged", 3)
    shown = house.run("kpi", "--tags").output
    assert "  reason=billing  2\n  reason=refund  1\n" in shown
    assert "  csat  mean 4.33 of 3  (3: 1, 5: 2)" in shown
    lines = [json.loads(line) for line in house.run("kpi", "--tags", "--json").output.splitlines()]
    assert [(line.get("tag"), line.get("value"), line.get("calls")) for line in lines[:2]] == [
        ("reason", "billing", 2),
        ("reason", "refund", 1),
    ]
    assert (lines[2]["answers"], lines[2]["mean"], lines[2]["scores"]) == (3, 4.33, {"3": 1, "5": 2})
    assert house.run("kpi", "--tags", "-q", "sales").exit_code == 2


async def test_the_story_of_a_call_has_its_notes_and_the_figures_do_not(house: House) -> None:
    caller = call()
    await house.notes.run(caller, Note("tag", "reason", "billing"))
    await house.notes.run(caller, Note("survey", "csat", "5"))
    await house.written("survey_answered", 1)
    await book(house, caller)
    assert [line.text for line in house.do(why, caller.call_id)] == [
        "tagged reason: billing",
        "answered csat with 5",
        "asked sales for a call back, with priority 3",
    ]
    rows = house.do(lambda connection: list(ledger.ledger_rows(connection)))
    assert kpis(rows, PLAN.queues["sales"]).offered == 0
