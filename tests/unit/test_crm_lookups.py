"""Look-ups of calls: begun once, shared, bounded, told in the end, and never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cordboard.crm import lookups as lookups_module
from cordboard.crm.connector import CrmResting
from cordboard.crm.customer import Customer
from cordboard.crm.lookups import Answer, Crm, Lookups, note_of
from cordboard.errors import CrmRejected, CrmUnavailable
from cordboard.service.callers import Callers
from cordboard.store.acd_values import Changes
from cordboard.store.moments import now
from cordboard.telephony.outcomes import LookedUp, NotLookedUp
from tests.doubles.acd_kit import arrival, machine

ADA = "+442079460123"
GRACE = "+442079460199"


class HeldConnector:
    """Answers when the test says so."""

    name = "held"

    def __init__(self, answer: Sequence[Customer] | Exception = ()) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.is_closed = False

    async def find(self, number: str, timeout_s: float) -> Sequence[Customer]:
        assert not self.is_closed
        self.asked.append(number)
        await self.may_answer.wait()
        assert not self.is_closed, "closed under a question"
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        self.is_closed = True


def customer(name: str) -> Customer:
    return Customer(name, {"name": name})


def crm_of(connector: HeldConnector) -> Crm:
    return Crm(connector, "GB", patience_s=5.0)


async def told_by(lookups: Lookups, call_id: str) -> Answer:
    return await lookups.result(call_id, 2.0)


async def test_the_question_begins_at_arrival_and_the_answer_waits() -> None:
    connector = HeldConnector([customer("Ada")])
    told: list[tuple[str, Answer]] = []
    lookups = Lookups(crm_of(connector), lambda *what: told.append(what))
    assert lookups.begin("call", "020 7946 0123") == ADA
    assert lookups.begin("call", "020 7946 0123") == ADA
    connector.may_answer.set()
    found = LookedUp("found", {"name": "Ada"}, 1)
    assert await told_by(lookups, "call") == found
    assert await lookups.result("call", 0.001) == found
    assert connector.asked == [ADA]
    assert told == [("call", found)]
    await lookups.aclose()


@pytest.mark.parametrize(
    ("customers", "answer"),
    [
        ([], LookedUp("none")),
        (["A"], LookedUp("found", {"name": "A"}, 1)),
        (["A", "B"], LookedUp("several", {"name": "A"}, 2, ({"name": "B"},))),
        (list("ABCDEFGH"), LookedUp("several", {"name": "A"}, 8, tuple({"name": one} for one in "BCDE"))),
    ],
)
async def test_none_one_several(customers: list[str], answer: LookedUp) -> None:
    connector = HeldConnector([customer(name) for name in customers])
    connector.may_answer.set()
    lookups = Lookups(crm_of(connector))
    assert await lookups.look_up(ADA, 2.0) == answer
    await lookups.aclose()


@pytest.mark.parametrize("caller", ["", "anonymous", "1001", "no number at all", "\r\n"])
async def test_nobody_is_asked_about_a_number_that_is_none(caller: str) -> None:
    connector = HeldConnector()
    told: list[tuple[str, Answer]] = []
    lookups = Lookups(crm_of(connector), lambda *what: told.append(what))
    assert lookups.begin("call", caller) == ""
    assert await told_by(lookups, "call") == LookedUp("withheld")
    assert await lookups.look_up(caller, 2.0) == LookedUp("withheld")
    await asyncio.sleep(0)
    assert told == [("call", LookedUp("withheld"))]
    assert connector.asked == []
    await lookups.aclose()


async def test_calls_of_one_number_share_a_question_and_each_is_told() -> None:
    connector = HeldConnector([customer("Ada")])
    told: list[str] = []
    lookups = Lookups(crm_of(connector), lambda call_id, _answer: told.append(call_id))
    for call_id in ("one", "two", "three"):
        lookups.begin(call_id, ADA)
    typed = asyncio.create_task(lookups.look_up("020 7946 0123", 2.0))
    lookups.begin("other", GRACE)
    await asyncio.sleep(0)
    connector.may_answer.set()
    for call_id in ("one", "two", "three", "other"):
        assert isinstance(await told_by(lookups, call_id), LookedUp)
    assert isinstance(await typed, LookedUp)
    assert connector.asked == [ADA, GRACE]
    assert sorted(told) == ["one", "other", "three", "two"]
    lookups.begin("later", ADA)
    await told_by(lookups, "later")
    assert connector.asked == [ADA, GRACE, ADA], "an answer is for calls of its time only"
    await lookups.aclose()


async def test_a_forgotten_call_is_told_nothing() -> None:
    connector = HeldConnector([customer("Ada")])
    told: list[str] = []
    lookups = Lookups(crm_of(connector), lambda call_id, _answer: told.append(call_id))
    lookups.begin("gone", ADA)
    lookups.begin("here", ADA)
    lookups.forget("gone")
    lookups.forget("never was")
    connector.may_answer.set()
    await told_by(lookups, "here")
    assert told == ["here"]
    assert isinstance(await lookups.result("gone", 2.0), NotLookedUp)
    await lookups.aclose()


@pytest.mark.parametrize(
    ("fault", "reason", "lines"),
    [
        (CrmUnavailable("status 500", connector="held"), "held: status 500", 1),
        (CrmRejected("no JSON", connector="held"), "held: no JSON", 1),
        (CrmResting("not asked", connector="held"), "held: not asked", 0),
        (KeyError("+442079460123 Ada Lovelace"), "held: KeyError", 1),
    ],
)
async def test_what_breaks_is_an_outcome_and_at_most_one_line(fault: Exception, reason: str, lines: int) -> None:
    connector = HeldConnector(fault)
    connector.may_answer.set()
    lookups = Lookups(crm_of(connector))
    with capture_logs() as logged:
        lookups.begin("call", ADA)
        assert await told_by(lookups, "call") == NotLookedUp(reason)
    assert len(logged) == lines
    assert "Lovelace" not in str(logged)
    await lookups.aclose()


async def test_without_a_crm_nobody_is_looked_up() -> None:
    lookups = Lookups(None)
    assert lookups.begin("call", ADA) == ADA
    assert lookups.begin("other", "020 7946 0123") == ""
    assert isinstance(await told_by(lookups, "call"), NotLookedUp)
    assert await lookups.result("unknown", 2.0) == NotLookedUp("nobody was asked about this call")
    await lookups.aclose()


async def test_a_reload_asks_the_new_crm_and_closes_the_old_one_after_its_last_answer() -> None:
    old, new = HeldConnector([customer("Old")]), HeldConnector([customer("New")])
    lookups = Lookups(crm_of(old))
    lookups.begin("before", ADA)
    await asyncio.sleep(0)
    lookups.swap(crm_of(new))
    lookups.begin("after", ADA)
    new.may_answer.set()
    assert (await told_by(lookups, "after")) == LookedUp("found", {"name": "New"}, 1)
    assert not old.is_closed
    old.may_answer.set()
    assert (await told_by(lookups, "before")) == LookedUp("found", {"name": "Old"}, 1)
    await lookups.aclose()
    assert (old.is_closed, new.is_closed) == (True, True)


async def test_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups_module, "ASKED_MAX", 3)
    monkeypatch.setattr(lookups_module, "CALLS_MAX", 5)
    connector = HeldConnector()
    lookups = Lookups(crm_of(connector))
    for number in range(10):
        lookups.begin(f"call{number}", f"+44207946010{number}")
    await asyncio.sleep(0)
    assert len(connector.asked) == 3
    assert await lookups.result("call9", 2.0) == NotLookedUp("too many questions are under way")
    assert await lookups.result("call4", 2.0) == NotLookedUp("nobody was asked about this call")
    assert len(lookups._calls) == 5
    await lookups.aclose()


async def test_the_end_waits_for_no_crm() -> None:
    connector = HeldConnector()
    lookups = Lookups(crm_of(connector))
    lookups.begin("call", ADA)
    waiting = asyncio.create_task(lookups.result("call", 60.0))
    await asyncio.sleep(0)
    await asyncio.wait_for(lookups.aclose(), 1.0)
    assert await asyncio.wait_for(waiting, 1.0) == NotLookedUp("given up")
    assert connector.is_closed


def test_what_is_noted_for_the_agents_screen() -> None:
    assert note_of(NotLookedUp("x")) == ("failed", {})
    assert note_of(LookedUp("none")) == ("none", {})
    assert note_of(LookedUp("found", {"name": "A"}, 1)) == ("found", {"name": "A"})
    several = LookedUp("several", {"name": "A"}, 3, ({"name": "B"}, {"name": "C"}))
    noted = {"name": "A", "matches": 3, "others": [{"name": "B"}, {"name": "C"}]}
    assert note_of(several) == ("several", noted)


@pytest.mark.parametrize("is_let_go", [False, True])
async def test_what_the_crm_says_late_is_noted_also_when_the_call_has_gone_on(
    tmp_path: Path, is_let_go: bool
) -> None:
    """As it has, to the dialplan, where an agent's phone rings for it."""
    connector, call = HeldConnector([customer("Ada")]), arrival().call
    async with machine(tmp_path) as house:
        floor = house.start("worker-0").floor
        callers = Callers(floor)
        callers.use(crm_of(connector))
        callers.arrived(call)
        noted = callers.note(call, ())
        floor.note(lambda connection: (floor.store.note_caller(connection, now(), noted), Changes())[1])
        if is_let_go:
            callers.let_go(call.call_id)
        connector.may_answer.set()
        async with asyncio.timeout(30.0):
            while house.rows("SELECT lookup FROM callers") != [("found",)]:
                await asyncio.sleep(0.02)
        await callers.aclose()
