"""What an agent's page and the live queue page are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from cordboard.acd.model import OfferEnd, OfferState, Presence
from cordboard.crm.crm_file import ConnectorChoice, CrmSettings, Directory
from cordboard.desk.desk_page import Call, DeskPage, QueueLine, desk_page
from cordboard.desk.queue_page import queue_page
from cordboard.desk.why_you import why_you
from cordboard.store.acd_values import AgentView, FloorSnapshot, OfferView
from tests.doubles.fake_floor import PLAN, agent_view, queue_view

CRM = CrmSettings(
    country="GB",
    connector=ConnectorChoice(directory=Directory()),
    customer={"name": "text", "tier": "text", "balance": "number"},
)
ADA = {"name": "Ada Lovelace", "tier": "gold", "balance": 12.5}
OFFER = OfferView(
    offer_id="01OFFER", call_id="01CALL", queue="sales", state=OfferState.RINGING, reason="free longest",
    wait_s=4.0, made_at=9_999.0, ringing_at=9_999.0, answered_at=None, joined_at=None, talk_ended_at=None,
    wrap_up_left_s=None,
    disposition="", note="", dispositions=("sold",), ani="02079460123", caller_name="ADA L", dnis="5000",
    number="+442079460123", path=("support/menu",), lookup="found", customer=ADA,
)  # fmt: skip


def snapshot(*agents: AgentView, at: float = 10_000.0) -> FloorSnapshot:
    return FloorSnapshot(at, (queue_view("sales", 2, 30.0), queue_view("support")), agents)


def page(offer: OfferView | None, at: float = 10_000.0) -> DeskPage:
    shown = desk_page(snapshot(agent_view("alice", offer, "ringing"), at=at), PLAN, CRM, "alice")
    assert shown is not None
    return shown


def call(**changes: Any) -> Call:
    shown = page(replace(OFFER, **changes)).call
    assert shown is not None
    return shown


def test_the_page_has_who_i_am_what_i_may_choose_and_my_queues() -> None:
    shown = page(None)
    assert (shown.me.name, shown.me.queues) == ("Alice Ray", ("sales", "support"))
    assert shown.pause_reasons == PLAN.pause_reasons
    assert [(line.name, line.waiting, line.longest_since_at) for line in shown.queues] == [
        ("sales", 2, 9_970.0),
        ("support", 0, None),
    ]


def test_nobody_sees_another_agents_queue_or_call() -> None:
    shown = desk_page(snapshot(agent_view("alice", OFFER), agent_view("bob")), PLAN, CRM, "bob")
    assert shown is not None
    assert [line.name for line in shown.queues] == ["sales"]
    assert b"Ada" not in orjson.dumps(shown)


def test_the_caller_who_rings_here_is_not_counted_among_those_who_wait() -> None:
    queue = replace(queue_view("sales", 3, 30.0), longest_unoffered_s=7.0)
    alice = agent_view("alice", replace(OFFER, wait_s=30.0))
    bob = agent_view("bob", replace(OFFER, wait_s=12.0))
    for agents, longest_since_at in (((alice,), 9_993.0), ((alice, bob), 9_988.0)):
        shown = desk_page(FloorSnapshot(10_000.0, (queue,), agents), PLAN, CRM, "alice")
        assert shown is not None
        assert shown.queues[0] == QueueLine("sales", 2, longest_since_at)


def test_once_they_talk_nobody_is_taken_off_those_who_wait() -> None:
    assert page(replace(OFFER, state=OfferState.TALKING)).queues[0].waiting == 2
    assert page(OFFER).queues[0].waiting == 1


def test_a_rest_has_an_end_and_a_cause() -> None:
    view = replace(agent_view("alice"), missed=OfferEnd.BUSY, rests_s=4.0)
    shown = desk_page(snapshot(view), PLAN, CRM, "alice")
    assert shown is not None
    assert (shown.me.missed, shown.me.rests_until) == ("busy", 10_004.0)
    paused = desk_page(snapshot(replace(view, presence=Presence.PAUSED)), PLAN, CRM, "alice")
    assert paused is not None
    assert (paused.me.missed, paused.me.rests_until) == ("busy", None)


def test_the_accept_key_is_that_of_the_queue() -> None:
    assert call().accept_key == "1"
    assert call(queue="gone").accept_key == ""


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "alice was the only free agent of sales (for 0 s); the caller was first of 4 (for 12 s)",
            "You were the only free agent of sales; the caller was first of 4 (for 12 s)",
        ),
        (
            "alice has been free longest (0 s) of 2 free agents; the caller was the only one waiting (for 0 s)",
            "You have been free longest of 2 free agents; the caller was the only one waiting",
        ),
        ("alice was free (for 10 s)", "You were free (for 10 s)"),
        (
            "alice was free (for 0 s); alice has spanish 4, asked for 3; bob has not taken it before",
            "You were free; you have spanish 4, asked for 3; bob has not taken it before",
        ),
        (
            "bob was offered it; alice is the one to be tried first until 20 s",
            "bob was offered it; you are the one to be tried first until 20 s",
        ),
        ("bob was the only free agent", "bob was the only free agent"),
        ("alicette was free", "alicette was free"),
        ("", ""),
    ],
)
def test_the_reason_is_told_to_the_agent_as_you(reason: str, told: str) -> None:
    assert why_you(reason, "alice") == told


def test_an_agent_who_is_not_configured_has_no_page() -> None:
    assert desk_page(snapshot(agent_view("alice")), replace(PLAN, agents={}), CRM, "alice") is None
    assert desk_page(snapshot(agent_view("bob")), PLAN, CRM, "alice") is None


def test_the_pop_has_a_title_fields_in_order_the_path_and_the_reason() -> None:
    shown = call()
    assert shown.customer.title == "Ada Lovelace"
    assert [(line.label, line.value) for line in shown.customer.records[0].fields] == [
        ("Tier", "gold"),
        ("Balance", "12.5"),
    ]
    assert (shown.number, shown.caller_name, shown.dialled) == ("+44 20 7946 0123", "ADA L", "5000")
    assert (shown.path, shown.reason) == (("support/menu",), "free longest")


def test_a_late_crm_leaves_the_number_and_says_so() -> None:
    shown = call(lookup="pending", customer={})
    assert (shown.customer.title, shown.customer.records) == ("+44 20 7946 0123", ())
    assert shown.customer.notice


def test_several_customers_are_several_records_each_with_its_title() -> None:
    others = [{"name": "Charles Babbage", "tier": "", "balance": 0.0}, {"name": "", "tier": "tin", "balance": 1.0}]
    shown = call(lookup="several", customer={**ADA, "matches": 3, "others": others}).customer
    assert [record.title for record in shown.records] == ["Ada Lovelace", "Charles Babbage", "+44 20 7946 0123"]
    assert [line.label for line in shown.records[1].fields] == []
    assert [line.label for line in shown.records[2].fields] == ["Tier", "Balance"]
    assert shown.matches == 3


def test_a_withheld_number_is_said_to_be_withheld() -> None:
    shown = call(lookup="withheld", customer={}, ani="anonymous", number="", caller_name="")
    assert shown.number in ("", "anonymous")
    assert "withheld" in shown.customer.notice


def test_without_a_crm_there_is_the_number_and_nothing_of_it() -> None:
    shown = desk_page(snapshot(agent_view("alice", OFFER)), PLAN, None, "alice")
    assert shown is not None
    assert shown.call is not None
    assert (shown.call.customer.records, shown.call.customer.notice) == ((), "")


HOSTILE = "<script>alert('1')</script>\r\n\x00\x1b[31m\u202e\"&amp;" + "A" * 4_096


def test_a_hostile_name_stays_text_of_a_reasonable_length_without_controls() -> None:
    shown = call(caller_name=HOSTILE, dnis="5\u202e00", customer={**ADA, "name": HOSTILE})
    assert shown.caller_name.startswith("<script>alert('1')</script>")
    assert shown.dialled == "500"
    for text in (shown.caller_name, shown.customer.title.replace("\n", "")):
        assert text.isprintable()
        assert len(text) <= 2_000


def test_moments_do_not_move_between_two_readings() -> None:
    offer = replace(OFFER, state=OfferState.ENDED, joined_at=9_990.0, wait_s=4.0, wrap_up_left_s=15.0)
    first = page(offer, at=10_000.0)
    second = page(replace(offer, wrap_up_left_s=12.499_998), at=10_002.500_003)
    assert first.call == second.call
    assert first.call is not None
    assert (first.call.state, first.call.entered_at) == ("wrap_up", 9_986.0)
    assert first.call.wrap_up_ends_at == 10_015.0


def test_the_wait_runs_until_they_are_joined() -> None:
    assert call(wait_s=4.0).entered_at == 9_996.0
    assert call(wait_s=4.0, joined_at=9_950.0).entered_at == 9_946.0


def test_the_queue_page_has_figures_with_their_formula_and_no_person() -> None:
    alice = AgentView("alice", "Alice Ray", Presence.PAUSED, "lunch", 0.0, "talking", 0.0, OFFER)
    shown = queue_page(snapshot(alice), PLAN)
    sales, support = shown.queues
    assert (sales.waiting, sales.longest_since_at, sales.service_level) == (2, 9_970.0, 0.75)
    assert (sales.service_level_formula, support.service_level_formula) == ("of_offered", "excl_short_aban")
    assert sales.service_level_words == "answered within 20 s / (answered + abandoned)"
    assert support.service_level_words == "answered within 20 s / (answered + abandoned after more than 5 s)"
    assert (sales.offered, sales.answered, sales.abandoned, sales.elsewhere) == (12, 9, 2, 1)
    text = orjson.dumps(shown).decode()
    for personal in ("alice", "Alice", "Ada", "7946", "lunch"):
        assert personal not in text


def test_counts_by_activity_are_json_whatever_the_store_calls_them() -> None:
    queue = replace(queue_view("sales"), agents={Presence.LOGGED_OUT: 2})
    shown = queue_page(FloorSnapshot(0.0, (queue,), ()), PLAN)
    assert orjson.loads(orjson.dumps(shown))["queues"][0]["agents"] == {"logged_out": 2}


def test_a_queue_that_is_taken_out_is_shown_no_more() -> None:
    assert queue_page(snapshot(), replace(PLAN, queues={})).queues == ()
