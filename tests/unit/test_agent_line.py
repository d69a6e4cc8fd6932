"""Agents who call in: known by number or by code and PIN, and then they do what others do at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher

from cordboard.acd.model import Agent, PauseRule, Presence
from cordboard.errors import StoreUnavailable
from cordboard.service.agent_line import WRONG_OF_ONE_CODE, AgentLine, Pins
from cordboard.store.acd_values import Entering
from cordboard.store.agent_pins import StoredPins, remove_pin, set_pin_hash
from cordboard.store.moments import now
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.outcomes import ActedAsAgent, AgentRefused
from cordboard.telephony.ports import AgentLegEvent
from cordboard.telephony.verbs import ActAsAgent
from tests.doubles.acd_kit import Machine, Process, arrival, machine, note

PIN = "301758"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the same, but not slow on purpose
HASH = CHEAP.hash(PIN)
AGENTS = {
    "alice": Agent("alice", "Alice Ray", "PJSIP/1", ("sales",), code="2109", numbers=("+442079460199", "1009")),
    "bob": Agent("bob", "Bob Lee", "PJSIP/2", ("sales",), code="2110"),
}


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordboard.service.passwords._nobodys_hash", lambda: CHEAP.hash("nobody's"))


@dataclass
class Line:
    """One worker's line, on a real store."""

    place: Machine
    process: Process
    agents: AgentLine

    async def asks(self, action: Any, agent: str = "alice", *, ani: str = "+442079460123", **options: Any) -> Any:
        call = Call(new_call_id(), "asterisk", "leg", "5090", datetime.now(UTC), ani)
        who = "" if action == "log_in" else agent
        return await self.agents.run(call, ActAsAgent(action, who, **options))

    async def logs_in(self, code: str = "2109", pin: str | None = PIN, **options: Any) -> Any:
        return await self.asks("log_in", code=code, pin=pin, **options)


@asynccontextmanager
async def line(folder: Path, pins: Pins | None = None, **queue: Any) -> AsyncIterator[Line]:
    async with machine(folder, **queue) as place:
        place.plan = replace(place.plan, agents=AGENTS, pauses={"lunch": PauseRule(at_once=1)})
        process = place.start("worker-0")
        await process.thread.ask(lambda c: set_pin_hash(c, "alice", HASH), 5.0)
        agents = AgentLine(process.floor, pins or StoredPins(process.reader))
        try:
            yield Line(place, process, agents)
        finally:
            agents.close()


def is_now(presence: str, reason: str = "", *, wraps_up: bool = False) -> ActedAsAgent:
    return ActedAsAgent("alice", "Alice Ray", presence, reason, wraps_up)


async def test_a_day_by_telephone(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        assert await phone.logs_in() == is_now("paused")
        assert await phone.asks("ready") == is_now("available")
        assert await phone.asks("pause", value="lunch") == is_now("paused", "lunch")
        assert await phone.logs_in() == is_now("paused", "lunch"), "calling in again changes nothing"
        assert await phone.asks("pause") == is_now("paused")
        assert await phone.asks("log_out") == is_now("logged_out")


async def test_one_who_is_ready_stays_ready_on_calling_in(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        await phone.process.floor.agents.set_presence("alice", Presence.AVAILABLE)
        assert await phone.logs_in() == is_now("available")


@pytest.mark.parametrize(
    ("code", "pin"),
    [("2109", "301759"), ("9999", PIN), ("2110", PIN), ("", PIN)],
    ids=["pin", "code", "none", "ani"],
)
async def test_what_does_not_go_together_is_refused_in_one_way(tmp_path: Path, code: str, pin: str) -> None:
    """A wrong PIN, a code nobody has, an agent without a PIN, and a number nobody has."""
    async with line(tmp_path) as phone:
        assert await phone.logs_in(code, pin) == AgentRefused("unknown")
        assert phone.place.rows("SELECT agent FROM agent_states") == []


@pytest.mark.parametrize("ani", ["+442079460199", "442079460199", "1009"])
async def test_a_number_is_enough_where_the_flow_says_so(tmp_path: Path, ani: str) -> None:
    async with line(tmp_path) as phone:
        assert await phone.logs_in("", None, ani=ani) == is_now("paused")
        assert await phone.logs_in("", PIN, ani=ani) == is_now("paused")
        assert await phone.logs_in("", "301759", ani=ani) == AgentRefused("unknown")


@pytest.mark.parametrize("ani", ["", "anonymous", "+", "1010", "09"])
async def test_no_number_is_nobodys(tmp_path: Path, ani: str) -> None:
    async with line(tmp_path) as phone:
        assert await phone.logs_in("", None, ani=ani) == AgentRefused("unknown")


async def test_guessing_ends_after_some_tries_and_hides_even_the_right_pin(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        for number in range(WRONG_OF_ONE_CODE):
            assert await phone.logs_in("2109", f"00000{number}", ani=f"100{number}") == AgentRefused("unknown")
        assert await phone.logs_in() == AgentRefused("too_many")
        assert await phone.logs_in("", None, ani="1009") == is_now("paused"), "who needs no PIN guesses none"


async def test_one_number_cannot_try_all_codes(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        tries = [await phone.logs_in(f"{number}", "000000") for number in range(3000, 3025)]
        assert tries[19:21] == [AgentRefused("unknown"), AgentRefused("too_many")]
        assert await phone.logs_in(ani="+442079460777") == is_now("paused"), "from another number"


async def test_right_pins_do_not_use_up_the_tries(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        for _ in range(WRONG_OF_ONE_CODE + 2):
            assert await phone.logs_in() == is_now("paused")


async def test_a_pin_that_was_taken_away_opens_nothing(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        assert await phone.process.thread.ask(lambda c: remove_pin(c, "alice"), 5.0)
        assert await phone.logs_in() == AgentRefused("unknown")


async def test_a_full_pause_has_an_answer_of_its_own(tmp_path: Path) -> None:
    async with line(tmp_path) as phone:
        await phone.process.floor.agents.set_presence("bob", Presence.PAUSED, "lunch")
        assert await phone.asks("pause", value="lunch") == AgentRefused("full")
        assert await phone.asks("pause", value="golf") == AgentRefused("not_possible")
        assert await phone.asks("ready", agent="zoe") == AgentRefused("unknown")


async def test_a_call_is_disposed_of_by_telephone(tmp_path: Path) -> None:
    options = {"wrap_up_mode": "extendable", "wrap_up_s": 20.0, "wrap_up_at_most_s": 30.0}
    async with line(tmp_path, dispositions=("sold",), **options) as phone:
        assert await phone.asks("dispose", value="sold") == AgentRefused("not_possible"), "of which call?"
        await talked(phone)
        assert await phone.logs_in() == is_now("available", wraps_up=True)
        assert await phone.asks("extend") == is_now("available", wraps_up=True)
        assert await phone.asks("extend") == AgentRefused("not_possible")
        assert await phone.asks("dispose", value="bought") == AgentRefused("not_possible")
        assert await phone.asks("dispose", value="sold") == is_now("available")
        assert phone.place.rows("SELECT disposition FROM offers") == [("sold",)]


async def talked(phone: Line) -> None:
    """Alice has had a call."""
    floor = phone.process.floor
    await phone.place.observe(phone.process)
    await floor.agents.set_presence("alice", Presence.AVAILABLE)
    call = arrival()
    entering = Entering(
        call.call.call_id, call.call.leg_id, "asterisk", "sales", "en", 0, now().wall, phone.process.floor.name
    )
    entered = await floor.enter(entering, note(call.call))
    assert entered.offer is not None
    for kind in ("joined", "gone"):
        event = AgentLegEvent(kind, entered.offer.offer_id, "leg-a", call.call.leg_id, now().wall)  # type: ignore[arg-type]
        await phone.process.thread.ask(lambda c, event=event: floor.store.agent_leg(c, now(), event), 5.0)


async def test_without_a_database_nobody_is_let_in_or_left_waiting(tmp_path: Path) -> None:
    class NoPins:
        async def pin_hash(self, agent: str) -> str | None:
            raise StoreUnavailable("gone")

    async with line(tmp_path, NoPins()) as phone:
        assert await phone.logs_in() == AgentRefused("no_store")


async def test_no_code_number_or_pin_is_logged(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        async with line(tmp_path) as phone:
            await phone.logs_in("2109", "111222", ani="+442079460777")
            await phone.logs_in(ani="+442079460777")
    told = str([entry for entry in logged if entry["event"].startswith("agent_")])
    assert "agent_refused" in told
    assert "agent_called_in" in told
    assert not any(secret in told for secret in ("2109", "111222", PIN, "0777"))
    verb = ActAsAgent("log_in", code="2109", pin=PIN)
    assert "2109" not in repr(verb)
    assert PIN not in repr(verb)
