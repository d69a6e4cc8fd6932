"""Pauses with limits, what others decide for an agent, RONA by cause and the modes of wrap-up, in a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.model import Agent, OfferEnd, PauseRule, Presence, RonaPolicy, RonaRule
from cordboard.acd.presence import PresenceRefused
from cordboard.acd.wrap_up import WrapUpRefused
from cordboard.store.acd_values import AgentView, Changes
from cordboard.store.address import Address
from cordboard.store.boot import forget_other_boots
from tests.doubles.floor_kit import PLAN, FloorKit

SALES = PLAN.queues["sales"]


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database, replace(PLAN, pauses={"lunch": PauseRule(600, "available", at_once=1)}))
    yield kit
    kit.close()


def with_sales(floor: FloorKit, **options: object) -> None:
    """Have the queue `sales` with other options."""
    sales = replace(SALES, **options)  # type: ignore[arg-type]
    floor.store.plan = replace(floor.store.plan, queues={**floor.store.plan.queues, "sales": sales})


def with_lunch(floor: FloorKit, **options: object) -> None:
    rule = replace(floor.store.plan.pauses["lunch"], **options)  # type: ignore[arg-type]
    floor.store.plan = replace(floor.store.plan, pauses={"lunch": rule})


def view(floor: FloorKit, agent: str = "alice") -> AgentView:
    found = floor.snapshot().agent(agent)
    assert found is not None
    return found


def force(floor: FloorKit, agent: str, presence: Presence, reason: str = "") -> Changes:
    return floor.do(lambda c: floor.store.force_presence(c, floor.now, agent, presence, reason, by="carol"))


def wrapping_up(floor: FloorKit, call_id: str = "c1") -> str:
    """Alice has talked for half a minute; the offer's id."""
    floor.presence("alice")
    offer = floor.enter(call_id).offer
    assert offer is not None
    floor.leg("answered", offer.offer_id)
    floor.leg("joined", offer.offer_id)
    floor.pass_time(30)
    floor.leg("gone", offer.offer_id)
    floor.settle(call_id, offer.offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - 30)
    return offer.offer_id


def fail(floor: FloorKit, call_id: str, end: OfferEnd) -> None:
    """An offer that comes to nothing; whoever called leaves, and the agent's rest is over."""
    offer = floor.enter(call_id).offer
    assert offer is not None
    floor.settle(call_id, offer.offer_id, end)
    floor.leave(call_id)
    floor.pass_time(31)
    floor.sweep()


# -- pauses --


def test_a_pause_ends_as_its_reason_says_at_its_second(floor: FloorKit) -> None:
    changes = floor.presence("alice", Presence.PAUSED, "lunch")
    assert changes.next_due_in_s == pytest.approx(600)
    floor.enter("c1")
    floor.renew("w1")
    floor.pass_time(599)
    floor.renew("w1")
    assert view(floor).pause_left_s == pytest.approx(1)
    floor.sweep()
    assert view(floor).presence is Presence.PAUSED
    floor.pass_time(1)
    assert floor.sweep().owners == {"w1"}, "who waited is offered in the same transaction"
    (row,) = floor.ledger("pause_limit_passed")
    assert (row.agent, row.data) == ("alice", {"reason": "lunch"})
    told = floor.ledger("presence_changed")[-1].data
    assert (told["presence"], told["by"]) == ("available", "cordboard")


def test_a_pause_without_consequence_is_told_once_and_goes_on(floor: FloorKit) -> None:
    with_lunch(floor, then="nothing")
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.pass_time(699)
    floor.sweep()
    floor.pass_time(1)
    floor.sweep()
    assert view(floor).presence is Presence.PAUSED
    assert view(floor).pause_left_s == pytest.approx(-100)
    assert len(floor.ledger("pause_limit_passed")) == 1


def test_a_pause_chosen_in_a_call_begins_with_its_end(floor: FloorKit) -> None:
    offer_id = wrapping_up(floor)
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.pass_time(15)
    assert view(floor).pause_left_s is None
    floor.dispose("alice", offer_id, "sold")
    assert view(floor).pause_left_s == pytest.approx(600)
    floor.pass_time(599)
    floor.sweep()
    assert view(floor).presence is Presence.PAUSED


def test_a_call_that_lasts_longer_than_the_pause_uses_up_none_of_it(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.pass_time(3_000)
    floor.sweep()
    assert (view(floor).presence_reason, floor.ledger("pause_limit_passed")) == ("lunch", [])


def test_who_finds_no_room_stays_what_they_are(floor: FloorKit) -> None:
    floor.presence("alice")
    floor.presence("bob", Presence.PAUSED, "lunch")
    with pytest.raises(PresenceRefused, match="1 agent is at lunch now"):
        floor.presence("alice", Presence.PAUSED, "lunch")
    assert view(floor).presence is Presence.AVAILABLE
    floor.presence("bob", Presence.PAUSED, "lunch")  # told twice: still there, and no second one
    floor.presence("bob")
    floor.presence("alice", Presence.PAUSED, "lunch")
    assert view(floor).presence_reason == "lunch"


def test_who_comes_back_early_is_not_sent_anywhere_later(floor: FloorKit) -> None:
    with_lunch(floor, then="logged_out")
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.pass_time(300)
    floor.presence("alice")
    floor.pass_time(400)
    floor.sweep()
    assert view(floor).presence is Presence.AVAILABLE


def test_after_a_restart_of_the_machine_a_pause_is_due(floor: FloorKit) -> None:
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.do(lambda c: forget_other_boots(c, "another boot"))
    floor.now = replace(floor.now, boot=5.0)
    floor.sweep()
    assert view(floor).presence is Presence.AVAILABLE


# -- what others decide --


def test_a_supervisor_decides_past_every_limit_and_the_agent_sees_who(floor: FloorKit) -> None:
    floor.presence("bob", Presence.PAUSED, "lunch")
    force(floor, "alice", Presence.PAUSED, "lunch")
    assert (view(floor).presence_reason, view(floor).forced_by, view(floor).pause_left_s) == (
        "lunch",
        "carol",
        None,
    )
    floor.pass_time(10_000)
    floor.sweep()
    assert view(floor).presence is Presence.PAUSED, "no limit of theirs"
    told = floor.ledger("presence_changed")[1].data
    assert (told["presence"], told["reason"], told["by"]) == ("paused", "lunch", "carol")
    floor.presence("alice")
    assert view(floor).forced_by == "", "what they choose is theirs again"


def test_a_talk_goes_on_whatever_a_supervisor_decides(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    force(floor, "alice", Presence.LOGGED_OUT)
    assert (view(floor).activity, view(floor).presence) == ("talking", Presence.LOGGED_OUT)


def test_who_is_made_available_wraps_up_no_longer(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="mandatory")
    wrapping_up(floor)
    floor.enter("c2", owner="w2")
    assert force(floor, "alice", Presence.AVAILABLE).owners == {"w2"}
    assert floor.ledger("wrap_up_ended")[0].data == {"wrap_up_s": 0.0, "disposition": ""}


@pytest.mark.parametrize(("agent", "reason"), [("zoe", "lunch"), ("alice", "golf")])
def test_what_is_not_configured_cannot_be_forced_either(floor: FloorKit, agent: str, reason: str) -> None:
    with pytest.raises(PresenceRefused):
        force(floor, agent, Presence.PAUSED, reason)


def test_who_is_forced_to_be_what_they_are_is_told_nothing(floor: FloorKit) -> None:
    floor.presence("alice")
    assert not force(floor, "alice", Presence.AVAILABLE).changed
    assert view(floor).forced_by == ""


# -- RONA --


def test_who_was_paused_for_missed_calls_is_back_by_themselves(floor: FloorKit) -> None:
    with_sales(floor, rona=RonaPolicy(pause_after=2, retry_after_s=5, return_after_s=120))
    floor.presence("alice")
    fail(floor, "c1", OfferEnd.NO_ANSWER)
    fail(floor, "c2", OfferEnd.NO_KEY)
    assert (view(floor).presence_reason, view(floor).forced_by) == ("rona", "cordboard")
    assert (view(floor).pause_left_s, view(floor).pause_then) == (pytest.approx(89), "available")
    floor.pass_time(89)
    floor.sweep()
    assert view(floor).presence is Presence.AVAILABLE
    assert floor.agents()["alice"].rona_in_a_row == 0, "and the count begins anew"


def test_without_a_return_they_stay_paused(floor: FloorKit) -> None:
    with_sales(floor, rona=RonaPolicy(pause_after=1))
    floor.presence("alice")
    fail(floor, "c1", OfferEnd.NO_ANSWER)
    floor.pass_time(100_000)
    floor.sweep()
    assert view(floor).presence is Presence.PAUSED


def test_each_cause_counts_for_itself_and_a_talk_forgives(floor: FloorKit) -> None:
    causes = {OfferEnd.BUSY: RonaRule("rest", rest_s=10), OfferEnd.REJECTED: RonaRule("pause", after=2)}
    with_sales(floor, rona=RonaPolicy(pause_after=0, causes=causes))
    floor.presence("alice")
    for number, end in enumerate((OfferEnd.BUSY, OfferEnd.BUSY, OfferEnd.BUSY, OfferEnd.REJECTED)):
        fail(floor, f"c{number}", end)
    assert floor.agents()["alice"].rona_counts == '{"rejected": 1}'
    offer_id = wrapping_up(floor, "c8")
    floor.dispose("alice", offer_id, "sold")
    assert floor.agents()["alice"].rona_counts == "{}"
    fail(floor, "d1", OfferEnd.REJECTED)
    assert view(floor).presence is Presence.AVAILABLE
    fail(floor, "d2", OfferEnd.REJECTED)
    assert view(floor).presence_reason == "rona"


def test_who_becomes_available_begins_anew_with_each_cause(floor: FloorKit) -> None:
    with_sales(floor, rona=RonaPolicy(pause_after=0, causes={OfferEnd.REJECTED: RonaRule("pause", after=2)}))
    floor.presence("alice")
    fail(floor, "c1", OfferEnd.REJECTED)
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.presence("alice")
    fail(floor, "c2", OfferEnd.REJECTED)
    assert view(floor).presence is Presence.AVAILABLE


def test_who_took_a_pause_while_the_phone_rang_stays_in_that_one(floor: FloorKit) -> None:
    with_sales(floor, rona=RonaPolicy(pause_after=1, return_after_s=60))
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.settle("c1", offer.offer_id, OfferEnd.NO_ANSWER)
    assert view(floor).presence_reason == "lunch"


# -- wrap-up --


def test_a_mandatory_disposition_holds_the_next_call_back(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="mandatory")
    offer_id = wrapping_up(floor)
    floor.pass_time(5_000)
    floor.sweep()
    shown = view(floor)
    assert shown.activity == "wrap_up"
    assert shown.offer is not None
    assert (shown.offer.needs_disposition, shown.offer.wrap_up_left_s) == (True, None)
    with pytest.raises(WrapUpRefused, match="choose what came of it"):
        floor.dispose("alice", offer_id, "")
    floor.dispose("alice", offer_id, "sold")
    assert view(floor).activity == "idle"


def test_one_with_a_limit_ends_with_it(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="mandatory", wrap_up_at_most_s=60.0)
    wrapping_up(floor)
    floor.pass_time(60)
    floor.sweep()
    assert floor.ledger("wrap_up_ended")[0].data == {"wrap_up_s": 60.0, "disposition": ""}


def test_one_that_was_chosen_while_they_talked_leaves_time_for_notes(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="mandatory")
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.dispose("alice", offer.offer_id, "sold")
    floor.leg("gone", offer.offer_id)
    assert view(floor).activity == "wrap_up"
    floor.pass_time(20)
    floor.sweep()
    assert view(floor).activity == "idle"


def test_more_time_moves_the_end_up_to_the_most(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="extendable", wrap_up_at_most_s=50.0)
    offer_id = wrapping_up(floor)
    for _ in range(2):
        floor.do(lambda c: floor.store.extend_wrap_up(c, floor.now, "alice", offer_id))
    with pytest.raises(WrapUpRefused, match="as long as it can be"):
        floor.do(lambda c: floor.store.extend_last(c, floor.now, "alice"))
    floor.pass_time(49)
    floor.sweep()
    assert view(floor).activity == "wrap_up"
    floor.pass_time(1)
    floor.sweep()
    assert floor.ledger("wrap_up_ended")[0].data["wrap_up_s"] == pytest.approx(50)
    with pytest.raises(WrapUpRefused, match="is over"):
        floor.do(lambda c: floor.store.extend_wrap_up(c, floor.now, "alice", offer_id))


def test_the_next_call_begins_with_all_its_time(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="extendable", wrap_up_at_most_s=40.0)
    first = wrapping_up(floor)
    floor.do(lambda c: floor.store.extend_wrap_up(c, floor.now, "alice", first))
    floor.dispose("alice", first, "sold")
    second = wrapping_up(floor, "c2")
    shown = view(floor).offer
    assert shown is not None
    assert (shown.wrap_up_left_s, shown.can_extend) == (20.0, True)
    floor.do(lambda c: floor.store.extend_wrap_up(c, floor.now, "alice", second))


def test_without_an_early_exit_a_disposition_is_kept_and_the_time_goes_on(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_early_exit=False)
    offer_id = wrapping_up(floor)
    floor.dispose("alice", offer_id, "sold", "a note")
    assert (view(floor).activity, floor.offers()[offer_id].disposition) == ("wrap_up", "sold")
    floor.pass_time(20)
    floor.sweep()
    assert view(floor).activity == "idle"


def test_by_telephone_it_is_the_last_call_that_is_disposed_of(floor: FloorKit) -> None:
    first = wrapping_up(floor)
    floor.dispose("alice", first, "no interest")
    second = wrapping_up(floor, "c2")
    floor.do(lambda c: floor.store.dispose_last(c, floor.now, "alice", "sold"))
    assert [floor.offers()[one].disposition for one in (first, second)] == ["no interest", "sold"]
    assert view(floor).activity == "idle"
    floor.pass_time(4_000)
    for agent in ("alice", "bob"):
        with pytest.raises(ValueError, match="has not talked with a caller lately"):
            floor.do(lambda c, agent=agent: floor.store.dispose_last(c, floor.now, agent, "sold"))


def test_an_agent_of_several_queues_wraps_up_by_the_rules_of_the_calls_queue(floor: FloorKit) -> None:
    with_sales(floor, wrap_up_mode="mandatory")
    carol = Agent("carol", "Carol Hale", "PJSIP/1003", ("sales", "support"))
    floor.store.plan = replace(floor.store.plan, agents={"carol": carol})
    floor.presence("carol")
    offer = floor.enter("c1", "support").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.leg("gone", offer.offer_id)
    assert view(floor, "carol").activity == "idle", "support has no wrap-up"


def test_what_an_agent_has_done_today_is_shown_until_midnight(floor: FloorKit) -> None:
    floor.dispose("alice", wrapping_up(floor), "sold")
    assert (view(floor).calls_today, view(floor).talk_s_today) == (1, pytest.approx(30))
    floor.pass_time(24 * 3600)
    assert (view(floor).calls_today, view(floor).talk_s_today) == (0, 0)
