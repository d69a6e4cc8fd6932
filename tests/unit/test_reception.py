"""Calls taken in, driven, handed over and taken back: real flows and a real store, a scripted caller."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.errors import SwitchUnavailable
from cordboard.service.house import House
from cordboard.settings import Numbers
from cordboard.store.flow_runs import ASK_DEADLINE_S, new_epoch
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.ports import Arrival
from tests.doubles.flow_kit import CALL, flow_of
from tests.doubles.scripted_phone import ScriptedPhone
from tests.doubles.workers_kit import Workers, back, names, workers_for

ORDER = """
    ask: {gather: ask, save: order, min_digits: 2, max_digits: 2, next: pin}
    pin: {gather: ask, save: code, min_digits: 4, max_digits: 4, secret: true, next: ring}
    ring: {dial: "1001", otherwise: sorry, next: check}
    check:
      branch: [{if: "order == '42'", then: thanks}]
      else: sorry
    thanks: {play: hello, next: bye}
    sorry: {play: sorry, next: bye}
"""
FULL = {2: o.Gathered("42", "full"), 4: o.Gathered("4711", "full")}


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[Workers]:
    async with workers_for(tmp_path, flow_of(ORDER, "on_failure: sorry")) as workers:
        yield workers


async def test_a_call_is_handed_over_for_a_dial_and_goes_on_with_its_variables(workers: Workers) -> None:
    first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(first)
    assert names(first) == ["Answer", "ask", "ask", "Dial"]
    second = back(first, returned=o.Connected(7.0))
    await workers.new().take(second)
    assert names(second) == ["hello", "Hangup"], "the branch after the dial saw what was entered before"
    assert await workers.rows() == 0, "a call that has ended leaves no row"


async def test_a_call_whose_worker_died_hears_the_question_again(workers: Workers) -> None:
    died = ScriptedPhone(Arrival(CALL), [FULL[2]])
    await workers.new().take(died)  # hangs up at the pin: what a crash leaves is taken from its checkpoints
    await workers.rows()
    crashed = replace(died.arrival, checkpoint=died.checkpoints[1])
    again = ScriptedPhone(crashed, [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(again)
    assert names(again) == ["Answer", "ask", "ask", "Dial"]


async def test_a_secret_does_not_survive_its_worker(workers: Workers) -> None:
    first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(first)
    row = await workers.runs.take_over(CALL.call_id, new_epoch())
    assert row is not None
    assert row.snapshot["variables"] == {"order": "42"}
    assert "4711" not in str(row.snapshot)


async def test_variables_lost_with_the_database_lead_to_the_flows_failure_node(
    workers: Workers, tmp_path: Path
) -> None:
    first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(first)
    workers.runs.close_soon(CALL.call_id, new_epoch(), is_ours=False)
    assert await workers.rows() == 0
    second = back(first, returned=o.Connected(7.0))
    await workers.new().take(second)
    assert names(second) == ["sorry", "Hangup"]


async def test_a_draining_worker_hands_the_call_over_between_two_verbs(workers: Workers) -> None:
    worker = workers.new()
    worker.drain()
    first = ScriptedPhone(Arrival(CALL))
    await worker.take(first)
    assert first.was_handed_over
    assert names(first) == []
    second = back(first, FULL[2])
    await workers.new().take(second)
    assert names(second) == ["Answer", "ask", "ask"]


async def test_what_was_entered_just_before_a_drain_is_kept(workers: Workers) -> None:
    worker = workers.new()
    first = ScriptedPhone(Arrival(CALL))

    def drain_and_answer() -> Iterator[o.Outcome]:
        worker.drain()
        yield FULL[2]

    first._script = drain_and_answer()
    await worker.take(first)
    assert names(first) == ["Answer", "ask"]
    second = back(first, FULL[4], o.HandedOver())
    await workers.new().take(second)
    assert names(second) == ["ask", "Dial"], "only the pin is asked for: the order number came through"


async def test_a_database_that_is_slow_for_a_moment_is_waited_for_at_a_drain(
    workers: Workers, tmp_path: Path
) -> None:
    """Longer than for a verb: otherwise the caller would hear the last node again."""
    with contextlib.closing(sqlite3.connect(tmp_path / "cordboard.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        worker = workers.new()
        first = ScriptedPhone(Arrival(CALL))

        def drain_and_answer() -> Iterator[o.Outcome]:
            worker.drain()
            asyncio.get_running_loop().call_later(2 * ASK_DEADLINE_S, other.execute, "ROLLBACK")
            yield FULL[2]

        first._script = drain_and_answer()
        await worker.take(first)
    second = back(first, FULL[4], o.HandedOver())
    await workers.new().take(second)
    assert names(second) == ["ask", "Dial"], "only the pin is asked for"


async def test_the_channel_never_runs_ahead_of_the_store(workers: Workers, tmp_path: Path) -> None:
    """The database is locked: what the caller entered is not on the disk, so the channel keeps the place before."""
    with contextlib.closing(sqlite3.connect(tmp_path / "cordboard.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        worker = workers.new()
        first = ScriptedPhone(Arrival(CALL))

        def answer_then_drain() -> Iterator[o.Outcome]:
            yield FULL[2]
            worker.drain()
            yield o.NoInput()

        first._script = answer_then_drain()
        await worker.take(first)
        other.execute("ROLLBACK")
    asked, pin, handed_over = first.checkpoints[-3:]
    assert asked == pin == handed_over
    again = back(first, FULL[2], FULL[4], o.HandedOver())
    await workers.new().take(again)
    assert names(again)[-3:] in (["ask", "ask", "Dial"], ["ask", "Dial"]), "asked again, or found after all"
    assert isinstance(again.performed[-1], v.Dial)


async def test_a_number_without_a_flow_goes_to_the_safe_destination(workers: Workers) -> None:
    workers.houses.replace(House({}, Numbers()))
    phone = ScriptedPhone(Arrival(CALL))
    await workers.new().take(phone)
    assert phone.was_abandoned
    assert names(phone) == []


@pytest.mark.parametrize("checkpoint", ["junk", "1:x:gone:000000000000:a::0.0:en:00:1:0", "~" * 500])
async def test_a_checkpoint_that_leads_nowhere_goes_to_the_safe_destination(
    workers: Workers, checkpoint: str
) -> None:
    phone = ScriptedPhone(Arrival(CALL, checkpoint))
    await workers.new().take(phone)
    assert phone.was_abandoned


async def test_a_flow_that_fails_twice_goes_to_the_safe_destination(workers: Workers) -> None:
    phone = ScriptedPhone(Arrival(CALL), [o.Failed("no sound"), o.Failed("no sound")])
    phone._outcome_of = lambda verb: o.Failed("no sound")  # type: ignore[method-assign]
    await workers.new().take(phone)
    assert phone.was_abandoned


async def test_the_end_told_by_the_switch_closes_the_row(workers: Workers) -> None:
    first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(first)
    assert await workers.rows() == 1
    await workers.new().take(ScriptedPhone(replace(first.arrival, ended=True)))
    assert await workers.rows() == 0


async def test_a_reload_leaves_a_live_call_on_its_revision(workers: Workers) -> None:
    first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(first)
    changed = flow_of(ORDER.replace("thanks: {play: hello", "thanks: {play: again"), "on_failure: sorry")
    workers.houses.replace(House({"test": changed}, Numbers(default="test")))
    old = back(first, returned=o.Connected(7.0))
    await workers.new().take(old)
    assert names(old) == ["hello", "Hangup"]
    new = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[4], o.HandedOver()])
    await workers.new().take(new)
    returned = back(new, returned=o.Connected(7.0))
    await workers.new().take(returned)
    assert names(returned) == ["again", "Hangup"]


BOX = "box: {voicemail: sales, greeting: hello, next: thanks}\nthanks: {play: sorry, next: bye}"


class Speaker(ScriptedPhone):
    """A caller who speaks for three seconds; the switch writes the sound, whoever asked for it."""

    def __init__(self, arrival: Arrival, root: Path, *, loses_its_worker: bool = False) -> None:
        super().__init__(arrival)
        self._root = root
        self._loses_its_worker = loses_its_worker
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def perform(self, verb: v.Verb, checkpoint: str) -> o.Outcome | o.HandedOver:
        """Records in earnest."""
        if not isinstance(verb, v.Record):
            return await super().perform(verb, checkpoint)
        self.performed.append(verb)
        self.checkpoints.append(checkpoint)
        sound = self._root / verb.folder / f"{verb.file}.wav"
        assert json.loads(sound.with_suffix(".json").read_bytes())["duration_s"] is None, "noted before the beep"
        self.began.set()
        await self.may_end.wait()
        sound.write_bytes(bytes(44 + 3 * 16_000))
        if self._loses_its_worker:
            raise SwitchUnavailable("gone")
        return o.Recorded(str(sound), 3.0)


async def test_a_message_is_noted_before_and_after(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(BOX)) as workers:
        await workers.new().take(Speaker(Arrival(CALL), tmp_path / "voicemail"))
        await workers.messages.aclose()
        (note,) = (tmp_path / "voicemail/sales").glob("*.json")
        assert json.loads(note.read_bytes())["duration_s"] == 3.0


async def test_a_message_whose_worker_is_lost_is_not_asked_for_again(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(BOX)) as workers:
        first = Speaker(Arrival(CALL), tmp_path / "voicemail", loses_its_worker=True)
        await workers.new().take(first)
        second = back(first)
        await workers.new().take(second)
        assert names(second) == ["sorry", "Hangup"], "he goes on where he would have gone on"
        await workers.messages.aclose()
        (note,) = (tmp_path / "voicemail/sales").glob("*.json")
        assert json.loads(note.read_bytes())["duration_s"] == 3.0


async def test_a_message_that_never_began_is_asked_for(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(BOX)) as workers:
        first = Speaker(Arrival(CALL), tmp_path / "voicemail", loses_its_worker=True)
        await workers.new().take(first)
        for sound in (tmp_path / "voicemail/sales").glob("*.wav"):
            sound.unlink()
        second = back(first)
        await workers.new().take(second)
        assert names(second)[:2] == ["hello", "Record"]


async def test_a_draining_worker_lets_a_caller_finish_his_message(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(BOX)) as workers:
        worker, phone = workers.new(), Speaker(Arrival(CALL), tmp_path / "voicemail")
        phone.may_end.clear()
        call = asyncio.create_task(worker.take(phone))
        await asyncio.wait_for(phone.began.wait(), 5)
        worker.drain()
        drained = asyncio.create_task(worker.wait_recorded())
        await asyncio.sleep(0)
        assert not drained.done()
        phone.may_end.set()
        await asyncio.wait_for(drained, 5)
        assert call.done()
        assert phone.was_handed_over
        await workers.messages.aclose()


async def test_a_flow_passes_the_call_to_another_and_what_that_keeps_survives(tmp_path: Path) -> None:
    other = flow_of(ORDER, "on_failure: sorry")
    first_flow = flow_of("one: {gather: ask, save: x, max_digits: 2, next: two}\ntwo: {goto: {flow: billing}}")
    async with workers_for(tmp_path, first_flow, replace(other, name="billing")) as workers:
        first = ScriptedPhone(Arrival(CALL), [FULL[2], FULL[2], FULL[4], o.HandedOver()])
        await workers.new().take(first)
        assert names(first) == ["Answer", "ask", "ask", "ask", "Dial"]
        second = back(first, returned=o.Connected(7.0))
        await workers.new().take(second)
        assert names(second) == ["hello", "Hangup"]


class DyingPhone(ScriptedPhone):
    """Its worker dies before it can play anything."""

    async def perform(self, verb: v.Verb, checkpoint: str) -> o.Outcome | o.HandedOver:
        if isinstance(verb, v.Play):
            raise SwitchUnavailable("the worker is gone")
        return await super().perform(verb, checkpoint)


async def test_who_was_sent_out_of_a_queue_as_the_worker_died_goes_on_where_that_leads(tmp_path: Path) -> None:
    flow = flow_of("""
        line: {queue: sales, max_wait_s: 0.2, max_wait: sorry, otherwise: bye}
        sorry: {play: sorry, next: line_again}
        line_again: {queue: sales, max_wait_s: 0.2, next: bye, otherwise: bye}
    """)
    async with workers_for(tmp_path, flow) as workers:
        first = DyingPhone(Arrival(CALL))
        await workers.new().take(first)
        async with asyncio.timeout(15):
            while workers.machine.rows("select left_because from queue_entries") != [("max_wait",)]:
                await asyncio.sleep(0.01)
        second = back(first)
        await workers.new().take(second)
        assert names(second) == ["sorry", "Hold", "Hangup"], "and where the flow comes there again, it waits anew"
        assert workers.machine.rows("select count(*) from queue_entries") == [(2,)]
