"""How much an agent can have at a time: the rule, what an admin writes for it, and what matching makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.acd.availability import is_free
from cordboard.acd.capacity import A_CALL, WHOLE, Contact, has_room
from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.matching import match
from cordboard.acd.model import Activity, Agent, AgentState, FloorPlan, Moment, Presence, Queue, WaitingCall
from cordboard.errors import ConfigurationError
from cordboard.telephony.ports import DeviceState

A_CHAT = Contact("chat", 1)
NOW = Moment(1_795_000_000.0, 1000.0)
contacts = st.builds(Contact, st.sampled_from(("voice", "chat")), st.integers(0, 3))


@pytest.mark.parametrize(
    ("capacity", "held", "wanted", "fits"),
    [
        (1, [], A_CALL, True),
        (1, [A_CALL], A_CALL, False),
        (9, [A_CALL], A_CHAT, False),
        (9, [A_CHAT], A_CALL, False),
        (3, [A_CHAT, A_CHAT], A_CHAT, True),
        (3, [A_CHAT] * 3, A_CHAT, False),
        (4, [A_CHAT], Contact("voice", 2), True),
        (4, [A_CHAT] * 3, Contact("voice", 2), False),
        (9, [Contact("voice", 2)], Contact("voice", 2), False),
        (1, [], Contact("chat", 2), False),
    ],
)
def test_what_fits_beside_what(capacity: int, held: list[Contact], wanted: Contact, fits: bool) -> None:
    assert has_room(capacity, held, wanted) is fits


@given(st.integers(1, 6), st.lists(contacts, max_size=12))
def test_taken_one_after_the_other_they_never_exceed_it_and_no_two_are_calls(
    capacity: int, offered: list[Contact]
) -> None:
    held: list[Contact] = []
    for wanted in offered:
        if has_room(capacity, held, wanted):
            held.append(wanted)
    assert sum(one.units for one in held) <= capacity
    assert sum(one.medium == "voice" for one in held) <= 1
    assert len(held) == 1 or all(one.units != WHOLE for one in held)


@given(st.integers(1, 6), st.lists(contacts, max_size=6), contacts)
def test_who_has_less_has_no_less_room(capacity: int, held: list[Contact], wanted: Contact) -> None:
    if has_room(capacity, held, wanted):
        assert all(has_room(capacity, held[:n] + held[n + 1 :], wanted) for n in range(len(held)))
        assert has_room(capacity + 1, held, wanted)


# -- who is free --

PLAN = FloorPlan(
    {"sales": Queue("sales"), "letters": Queue("letters", medium="chat", units=1)},
    {"alice": Agent("alice", "Alice", "PJSIP/1001", ("sales", "letters"), capacity=2)},
)


def alice(*held: Contact, device: DeviceState = DeviceState.IDLE) -> AgentState:
    activity = Activity.TALKING if held else Activity.IDLE
    return AgentState("alice", Presence.AVAILABLE, activity, device=device, held=held)


def test_the_phone_counts_for_calls_and_not_for_chats() -> None:
    away = alice(device=DeviceState.UNAVAILABLE)
    assert not is_free(away, PLAN, NOW)
    assert is_free(away, PLAN, NOW, A_CHAT)


def test_matching_gives_what_there_is_room_for() -> None:
    calls = {
        queue: [WaitingCall(f"e-{queue}", f"c-{queue}", queue, 0, NOW.wall - wait_s)]
        for queue, wait_s in (("sales", 9.0), ("letters", 1.0))
    }

    def given_to(state: AgentState) -> list[str]:
        return [one.call.queue for one in match(calls, [state], PLAN, NOW)]

    assert given_to(alice()) == ["sales"], "who has waited longest"
    assert given_to(alice(A_CHAT)) == ["letters"]
    assert given_to(alice(A_CHAT, A_CHAT)) == given_to(alice(A_CALL)) == []


# -- what is written --


def site(folder: Path, queue: str, agent: str) -> FloorPlan:
    (folder / "queues.yaml").write_text(f"queues:\n  sales: {queue}\n")
    (folder / "agents.yaml").write_text(f"agents:\n  alice: {{device: PJSIP/1001, queues: [sales]{agent}}}\n")
    return load_floor_plan(folder)


def test_by_itself_a_call_fills_an_agent(tmp_path: Path) -> None:
    plan = site(tmp_path, "{}", "")
    assert plan.queues["sales"].contact == A_CALL and plan.agents["alice"].capacity == 1
    assert not plan.has_room_beside


def test_a_chat_takes_one_unit_unless_it_is_said(tmp_path: Path) -> None:
    assert site(tmp_path, "{medium: chat}", ", capacity: 3").queues["sales"].contact == A_CHAT
    plan = site(tmp_path, "{medium: chat, units: 2}", ", capacity: 3")
    assert plan.queues["sales"].contact == Contact("chat", 2) and plan.has_room_beside


def test_overflow_leads_to_the_same_medium(tmp_path: Path) -> None:
    (tmp_path / "queues.yaml").write_text(
        "queues:\n  sales: {overflow: [{wait_s: 9, to: letters}]}\n  letters: {medium: chat}\n"
    )
    (tmp_path / "agents.yaml").write_text("agents: {al: {device: PJSIP/1001, queues: [sales, letters]}}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_floor_plan(tmp_path)
    (fault,) = refused.value.findings
    assert (fault.code, fault.line) == ("not-for-calls", 2)
    assert "`sales` is for voice, and `letters` for chat" in str(fault)


def test_units_that_nobody_has_are_refused_at_their_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        site(tmp_path, "{units: 3}", ", capacity: 2")
    (fault,) = refused.value.findings
    assert (fault.code, fault.line, fault.column) == ("too-many-units", 2, 18)
    assert "no agent of `sales` has 3 units, the most is 2" in str(fault)
