"""What a scenario expects at its end, against a real ledger and pages as the desk sends them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cordboard.acd.model import Agent, FloorPlan, Queue
from cordboard.errors import LabError
from cordboard.lab import scenario_expectations as expectations
from cordboard.lab.agents import SceneAgent
from cordboard.lab.checks import Checks
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.evidence import Evidence, LedgerReader
from cordboard.lab.journal import Journal
from cordboard.lab.phone_calls import PhoneCall
from cordboard.lab.scenario_agents import AgentPart
from cordboard.lab.sip_phone import SipPhone
from cordboard.store.database import open_database
from cordboard.store.ledger import append

PLAN = FloorPlan(
    queues={"sales": Queue("sales")}, agents={"alice": Agent("alice", "Alice Ray", "PJSIP/1003", ("sales",))}
)
NOW_S = 0.0  # what is not true at once stays untrue in these tests

SERVED = ["entered_queue", "offer_ended", "offer_made", "joined", "left_queue"]
DATA: dict[str, dict[str, Any]] = {
    "joined": {"wait_s": 4.0},
    "left_queue": {"because": "served", "wait_s": 4.0},
    "offer_ended": {"end": "no_answer", "ring_s": 15.0},
}


class NoPbx:
    """What the checks of a ledger never ask."""

    host, sip_port = "127.0.0.1", 9

    async def wait_for_no_channels(self, timeout_s: float = 5.0) -> None:
        raise LabError("1 channel is left: PJSIP/trunk-1")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "cordboard.db"
    engine = open_database(path)
    with engine.begin() as connection:
        append(connection, [row("earlier", "entered_queue", at=5.0)])
        append(connection, [row("call-1", kind) for kind in SERVED])
    engine.dispose()
    return path


def row(call: str, kind: str, at: float = 1_000.0) -> dict[str, Any]:
    """A row of the ledger."""
    agent = "alice" if kind.startswith("offer") else ""
    return {
        "event_id": f"{call}:{kind}", "at": at, "kind": kind, "call_id": call, "entry_id": f"entry-{call}",
        "offer_id": "offer-1" if agent else "", "queue": "sales", "agent": agent, "party_ref": "p",
        "data": DATA.get(kind, {}),
    }  # fmt: skip


@pytest.fixture
def evidence() -> Evidence:
    made = Evidence()
    made.place("+442079460123", "Ada")
    made.take({"event": "call_arrived", "call_id": "call-1", "ani": "+442079460123"})
    return made


@pytest.fixture
def checks(database: Path, evidence: Evidence) -> Iterator[Checks]:
    ledger = LedgerReader(database, since=500.0)
    yield Checks(evidence, NoPbx(), Journal(), PLAN, ledger)
    ledger.close()


async def test_the_kinds_of_a_call_are_compared_one_by_one(checks: Checks) -> None:
    assert await checks.find_fault(expectations.LedgerExpected(ledger=tuple(SERVED))) == ""
    fault = await checks.find_fault(expectations.LedgerExpected(ledger=tuple(SERVED[:-1]), within_s=NOW_S))
    assert fault.startswith(
        "expected 1 call(s) with entered_queue > offer_ended > offer_made > joined in the ledger"
    )
    assert "Ada: entered_queue > offer_ended > offer_made > joined > left_queue" in fault


async def test_offers_are_counted_by_their_end(checks: Checks) -> None:
    offers = expectations.OffersExpected(offers="alice", ended="no_answer")
    assert await checks.find_fault(offers) == ""
    twice = expectations.OffersExpected(offers="alice", ended="no_answer", times=2, within_s=NOW_S)
    assert await checks.find_fault(twice) == (
        "expected 2 offer(s) to alice that ended no_answer, there were: no_answer 1"
    )
    nobody = expectations.OffersExpected(offers="bob", ended="busy", within_s=NOW_S)
    assert (await checks.find_fault(nobody)).endswith("there were: none ended")


async def test_figures_are_those_of_this_scenario_alone(checks: Checks) -> None:
    right = expectations.KpiExpected(kpi="sales", offered=1, answered=1, abandoned=0, rona=1, service_level=1.0)
    assert await checks.find_fault(right) == ""
    wrong = expectations.KpiExpected(kpi="sales", offered=2, abandoned=1, within_s=NOW_S)
    assert await checks.find_fault(wrong) == "expected of sales: offered 2, it is 1; abandoned 1, it is 0"
    unknown = expectations.KpiExpected(kpi="sails", within_s=NOW_S)
    assert await checks.find_fault(unknown) == "there is no queue `sails`; known: sales"


async def test_a_row_that_comes_in_time_counts(checks: Checks, database: Path) -> None:
    """The ledger is looked at again until the time is over."""
    later = expectations.OffersExpected(offers="alice", ended="no_answer", times=2, within_s=5.0)
    looks = 0
    rows = checks._rows

    async def rows_and_one_more() -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            engine = open_database(database)
            with engine.begin() as connection:
                append(connection, [row("call-2", "offer_ended")])
            engine.dispose()
        return await rows()

    checks._rows = rows_and_one_more  # type: ignore[method-assign]
    assert await checks.find_fault(later) == ""
    assert looks == 2


async def test_what_a_bare_stage_cannot_know_is_an_error(evidence: Evidence) -> None:
    bare = Checks(evidence, NoPbx(), Journal(), PLAN, None)
    with pytest.raises(LabError, match="there is no ledger"):
        await bare.find_fault(expectations.KpiExpected(kpi="sales"))


async def test_channels_and_errors_are_told(checks: Checks, evidence: Evidence) -> None:
    left = expectations.NoChannelsLeft(no_channels_left=True, within_s=NOW_S)
    assert await checks.find_fault(left) == "1 channel is left: PJSIP/trunk-1"
    clean = expectations.NoErrorsLogged(no_errors_logged=True)
    assert await checks.find_fault(clean) == ""
    evidence.take({"event": "desk_fault", "level": "error"})
    assert await checks.find_fault(clean) == "expected no errors in the service's log, there are 1: desk_fault"


# Screen-pops


def page(status: str = "found", joined_at: float | None = None) -> dict[str, Any]:
    """Alice's page with a call, as the desk sends it."""
    fields = [{"label": "Tier", "value": "gold"}, {"label": "Open tickets", "value": "1"}]
    records = [{"title": "Ada Lovelace", "fields": fields}] if status == "found" else []
    card = {"status": status, "title": "Ada Lovelace" if records else "+44 20", "notice": "", "records": records}
    call = {"offer_id": "o", "queue": "sales", "dialled": "5002", "joined_at": joined_at, "customer": card}
    return {"call": call}


@pytest.fixture
async def alice(evidence: Evidence) -> SceneAgent:
    agent = SceneAgent(
        "alice", AgentPart(), PLAN, SipPhone("1003", NoPbx()), DeskClient("http://desk", "alice", ""), 520.0
    )
    evidence.agents = {"alice": agent}
    return agent


def pop(before: Any = None, **shown: str) -> expectations.PopExpected:
    values = {f"customer.{name}": value for name, value in shown.items()}
    return expectations.PopExpected.model_validate({"pop": "alice", "before": before, "within_s": NOW_S, **values})


async def test_a_pop_is_compared_by_the_fields_of_the_customer(checks: Checks, alice: SceneAgent) -> None:
    assert alice.desk is not None
    assert await checks.find_fault(pop(name="Ada Lovelace")) == (
        "expected on the desk of alice: customer.name 'Ada Lovelace'; it showed no call"
    )
    alice.desk._take(page("pending"), 10.0)
    assert '{"customer.name": ""}' in await checks.find_fault(pop(name="Ada Lovelace"))
    alice.desk._take(page(), 11.0)
    assert await checks.find_fault(pop(name="Ada Lovelace", tier="gold", open_tickets="1", status="found")) == ""
    assert await checks.find_fault(pop(name="Ada Lovelace", tier="silver")) != ""


async def test_a_pop_that_came_after_the_answer_is_too_late(checks: Checks, alice: SceneAgent) -> None:
    assert alice.desk is not None
    call = PhoneCall("c", True, "sip:1@x", began_at=9.5, established_at=10.5)
    alice.phone.calls.append(call)
    alice.desk._take(page("pending"), 10.0)
    alice.desk._take(page(), 11.0)
    assert await checks.find_fault(pop("answered", status="pending")) == ""
    fault = await checks.find_fault(pop("answered", name="Ada Lovelace"))
    assert fault.endswith("before the call was answered, it came 0.50 s after that")
    call.established_at = 11.5
    assert await checks.find_fault(pop("answered", name="Ada Lovelace")) == ""


async def test_a_pop_that_came_after_the_join_is_too_late(checks: Checks, alice: SceneAgent) -> None:
    assert alice.desk is not None
    alice.desk._take(page(joined_at=time.time() - 2.0), time.monotonic())
    assert "it came 2.0" in await checks.find_fault(pop("joined", name="Ada Lovelace"))
    alice.desk.pops.clear()
    alice.desk._take(page(joined_at=time.time() + 2.0), time.monotonic())
    assert await checks.find_fault(pop("joined", name="Ada Lovelace")) == ""
