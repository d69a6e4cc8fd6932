"""Callers, offers and agents in the store: each rule of the ACD as one short story on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cordboard.acd.model import FloorPlan, LeftBecause, OfferEnd, Presence
from cordboard.store import (
    acd_devices,
    acd_entries,
    acd_matching,
    acd_needs,
    acd_offer_making,
    acd_offers,
    callers,
    turn,
)
from cordboard.store.acd_reconcile import LOST_TRACK_S
from cordboard.store.acd_store import LEASE_S, RING_BY_S
from cordboard.store.address import Address
from cordboard.telephony.ports import AgentLeg, DeviceState
from tests.doubles.floor_kit import PLAN, FloorKit


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def ringing(floor: FloorKit, call_id: str = "c1", agent: str = "alice") -> str:
    """A call whose offer to a free agent rings; the offer's id."""
    floor.presence(agent)
    offer = floor.enter(call_id).offer
    assert offer is not None
    assert offer.agent == agent
    return offer.offer_id


def talking(floor: FloorKit, call_id: str = "c1", agent: str = "alice") -> str:
    offer_id = ringing(floor, call_id, agent)
    floor.leg("answered", offer_id)
    floor.leg("joined", offer_id)
    return offer_id


# -- served at once --


def test_a_caller_who_finds_a_free_agent_is_offered_in_the_same_transaction(floor: FloorKit) -> None:
    floor.presence("alice")
    entered = floor.enter("c1")
    assert entered.offer is not None
    assert (entered.offer.agent, entered.offer.device, entered.offer.queue) == ("alice", "PJSIP/1001", "sales")
    assert entered.changes.owners == frozenset(), "the owner has it in hand already"
    assert floor.agents()["alice"].activity == "ringing"
    assert floor.told()[1:] == ["entered_queue", "offer_made", "offer_ringing"]


def test_the_whole_life_of_a_served_call_is_in_the_ledger_once(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.pass_time(30)
    floor.leg("gone", offer_id)
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - 30)
    floor.pass_time(5)
    floor.dispose("alice", offer_id, "sold", "wants two")
    rows = {row.kind: row for row in floor.ledger()}
    assert list(rows) == [
        "presence_changed", "entered_queue", "offer_made", "offer_ringing", "agent_answered", "joined",
        "left_queue", "talk_ended", "offer_ended", "disposition_set", "wrap_up_ended",
    ]  # fmt: skip
    assert rows["left_queue"].data == {"because": "served", "wait_s": 0.0}
    assert rows["talk_ended"].data == {"talk_s": 30.0}
    assert rows["wrap_up_ended"].data == {"wrap_up_s": 5.0, "disposition": "sold"}
    assert floor.agents()["alice"].activity == "idle"
    assert [entry.state for entry in floor.entries()] == ["left"]


def test_an_agent_who_becomes_free_gets_the_head_and_its_owner_is_named(floor: FloorKit) -> None:
    floor.enter("c1", owner="w1")
    floor.pass_time(1)
    floor.enter("c2", owner="w2", priority=5)
    changes = floor.presence("alice")
    assert changes.owners == {"w2"}, "priority goes first"
    assert changes.next_due_in_s == pytest.approx(RING_BY_S)
    assert floor.take("w1", "c1", "c2") == [], "w1 does not hold it"
    assert [offer.call_id for offer in floor.take("w2", "c1", "c2")] == ["c2"]


def test_an_offer_waits_for_a_caller_who_hears_an_announcement(floor: FloorKit) -> None:
    floor.enter("c1")
    floor.presence("alice")
    assert floor.take("w1") == []
    assert floor.do(lambda c: floor.store.pending_offers(c, "w1")) == ["c1"]
    entered = floor.enter("c1", owner="w2")
    assert entered.offer is not None
    assert entered.fence == 2


# -- not served --


@pytest.mark.parametrize("end", ["no_answer", "busy", "rejected", "declined", "no_key", "left_whisper"])
def test_a_rona_puts_the_caller_back_at_the_head_and_rests_the_agent(floor: FloorKit, end: str) -> None:
    offer_id = ringing(floor)
    entered_at = floor.now.wall
    floor.pass_time(5)
    floor.enter("c2")
    floor.pass_time(10)
    changes = floor.settle("c1", offer_id, OfferEnd(end))
    assert changes.owners == frozenset()
    assert changes.next_due_in_s == pytest.approx(5.0), "the rest after a failed offer"
    floor.renew("w1")
    floor.pass_time(1)
    assert floor.presence("bob").owners == {"w1"}
    assert [offer.call_id for offer in floor.take("w1", "c1", "c2")] == ["c1"]
    (entry,) = (entry for entry in floor.entries() if entry.call_id == "c1")
    assert entry.entered_at == entered_at
    (ended,) = floor.ledger("offer_ended")
    assert ended.data == {"end": end, "ring_s": 15.0}


def test_after_the_rest_the_agent_is_matched_by_the_sweep(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.settle("c1", offer_id, OfferEnd.BUSY)
    floor.pass_time(4.9)
    floor.renew("w1")
    assert floor.sweep().owners == frozenset()
    floor.pass_time(0.2)
    assert floor.sweep().owners == {"w1"}


def test_the_second_rona_in_a_row_pauses_the_agent(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.settle("c1", offer_id, OfferEnd.NO_ANSWER)
    floor.pass_time(6)
    floor.renew("w1")
    floor.sweep()
    (again,) = floor.take("w1", "c1")
    floor.settle("c1", again.offer_id, OfferEnd.REJECTED)
    alice = floor.agents()["alice"]
    assert (alice.presence, alice.presence_reason, alice.activity) == ("paused", "rona", "idle")
    assert floor.told()[-3:] == ["offer_ended", "agent_paused_by_rona", "presence_changed"]
    assert floor.presence("alice").owners == {"w1"}, "saying `I am here` ends rest and count"
    assert floor.agents()["alice"].rona_in_a_row == 0


def test_a_talk_forgives_earlier_ronas(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.settle("c1", offer_id, OfferEnd.NO_ANSWER)
    floor.pass_time(6)
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    assert floor.agents()["alice"].rona_in_a_row == 0


def test_an_agent_is_not_blamed_for_a_caller_who_left(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    idle_since = floor.agents()["alice"].idle_since_at
    floor.pass_time(3)
    floor.settle("c1", offer_id, OfferEnd.CALLER_LEFT, here=False)
    alice = floor.agents()["alice"]
    assert (alice.activity, alice.rona_in_a_row, alice.blocked_until) == ("idle", 0, 0.0)
    assert alice.idle_since_at == idle_since, "still the first in line"
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["abandoned"]


def test_a_device_the_switch_cannot_ring_is_not_tried_in_a_tight_loop(floor: FloorKit) -> None:
    floor.store.plan = FloorPlan(PLAN.queues, {"bob": PLAN.agents["bob"]})
    floor.presence("bob")
    offer = floor.enter("c1", "support").offer
    assert offer is not None
    assert floor.settle("c1", offer.offer_id, OfferEnd.FAILED).owners == frozenset()
    assert floor.agents()["bob"].rona_in_a_row == 0


def test_max_wait_withdraws_an_offer_that_is_not_rung(floor: FloorKit) -> None:
    floor.enter("c1")
    floor.presence("alice")
    floor.pass_time(0.1)
    floor.leave("c1", LeftBecause.MAX_WAIT)
    assert [row.data["end"] for row in floor.ledger("offer_ended")] == ["withdrawn"]
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["max_wait"]
    assert floor.agents()["alice"].activity == "idle"


def test_leaving_in_a_talk_leaves_it_served_and_the_talk_alone(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.leave("c1", LeftBecause.ABANDONED)
    (entry,) = floor.entries()
    assert (entry.state, entry.left_because) == ("left", "served")
    assert floor.offers()[offer_id].state == "talking"


# -- who is free --


def test_wrap_up_keeps_the_agent_out_until_it_is_over(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.enter("c2")
    changes = floor.leg("gone", offer_id)
    assert (changes.owners, changes.next_due_in_s) == (frozenset(), 20.0)
    floor.pass_time(19.9)
    floor.renew("w1")
    assert floor.sweep().owners == frozenset()
    floor.pass_time(0.2)
    assert floor.sweep().owners == {"w1"}
    (ended,) = floor.ledger("wrap_up_ended")
    assert ended.data["wrap_up_s"] == pytest.approx(20.0), "until it was due, not until somebody looked"


def test_a_queue_without_wrap_up_frees_the_agent_at_once(floor: FloorKit) -> None:
    floor.presence("bob")
    offer = floor.enter("c1", "support").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.enter("c2", "support")
    assert floor.leg("gone", offer.offer_id).owners == {"w1"}
    assert [row.data["wrap_up_s"] for row in floor.ledger("wrap_up_ended")] == [0.0]


def test_a_disposition_chosen_in_the_talk_does_not_skip_the_wrap_up(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.dispose("alice", offer_id, "sold")
    assert floor.agents()["alice"].activity == "talking"
    floor.leg("gone", offer_id)
    assert floor.agents()["alice"].activity == "wrap_up"
    floor.dispose("alice", offer_id, "sold")
    assert floor.agents()["alice"].activity == "idle"
    assert len(floor.ledger("disposition_set")) == 1


def test_pausing_in_a_talk_takes_effect_after_it(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.enter("c2")
    floor.presence("alice", Presence.PAUSED, "lunch")
    assert floor.agents()["alice"].activity == "talking"
    floor.leg("gone", offer_id)
    floor.pass_time(21)
    floor.renew("w1")
    assert floor.sweep().owners == frozenset()


@pytest.mark.parametrize(
    "state", [DeviceState.IN_USE, DeviceState.UNAVAILABLE, DeviceState.RINGING, DeviceState.BUSY]
)
def test_an_agent_whose_phone_is_not_free_gets_no_offer(floor: FloorKit, state: DeviceState) -> None:
    floor.device("PJSIP/1001", state)
    floor.presence("alice")
    assert floor.enter("c1").offer is None
    assert floor.device("PJSIP/1001", DeviceState.IDLE).owners == {"w1"}


def test_a_device_that_vanished_from_the_list_is_not_known_any_more(floor: FloorKit) -> None:
    floor.device("PJSIP/1001", DeviceState.UNAVAILABLE)
    floor.presence("alice")
    floor.enter("c1")
    changes = floor.do(lambda c: floor.store.devices_listed(c, floor.now, {"PJSIP/1002": DeviceState.IDLE}))
    assert changes.owners == {"w1"}


def test_an_agent_who_is_not_configured_any_more_gets_no_offer(floor: FloorKit) -> None:
    floor.presence("alice")
    floor.store.plan = FloorPlan(PLAN.queues, {"bob": PLAN.agents["bob"]})
    assert floor.enter("c1").offer is None


def test_a_caller_whose_worker_is_silent_is_offered_to_nobody(floor: FloorKit) -> None:
    floor.enter("c1", owner="w1")
    floor.pass_time(LEASE_S)
    floor.enter("c2", owner="w2")
    assert floor.presence("alice").owners == {"w2"}


def test_without_an_observer_nobody_is_offered_a_call_they_could_not_be_followed_in(floor: FloorKit) -> None:
    floor.store.needs_lease = "observer:asterisk"
    floor.presence("alice")
    assert floor.enter("c1").offer is None
    assert floor.do(lambda c: floor.store.take_lease(c, floor.now, "observer:asterisk", "w1", 3.0))
    assert floor.sweep().owners == {"w1"}


# -- workers that die --


def test_an_offer_nobody_rings_is_withdrawn_and_its_worker_gets_no_other(floor: FloorKit) -> None:
    floor.enter("c1", owner="hung")
    floor.enter("c2", owner="w2")
    floor.presence("alice")
    floor.pass_time(RING_BY_S)
    assert floor.sweep().owners == {"w2"}, "the hung worker's caller is passed over"
    (ended,) = floor.ledger("offer_ended")
    assert ended.data == {"end": "withdrawn", "ring_s": 0.0}
    floor.renew("hung")
    assert floor.presence("bob").owners == {"hung"}


def test_a_call_that_comes_back_without_a_result_was_never_rung(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    entered = floor.enter("c1", owner="w2")
    assert entered.offer is not None
    assert entered.offer.offer_id != offer_id
    assert floor.offers()[offer_id].end == "withdrawn"
    assert floor.agents()["alice"].rona_in_a_row == 0
    floor.leg("joined", offer_id)
    assert floor.agents()["alice"].offer_id == entered.offer.offer_id, "late news of the old offer says nothing"


def test_a_call_in_another_queue_leaves_the_first(floor: FloorKit) -> None:
    floor.enter("c1", "sales")
    floor.pass_time(601)
    floor.enter("c1", "support")
    floor.enter("c1", "sales")
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["max_wait", "lost"]
    assert [entry.queue for entry in floor.entries() if entry.state != "left"] == ["sales"]


def test_a_served_caller_who_comes_back_waits_anew(floor: FloorKit) -> None:
    offer_id = talking(floor)
    first = floor.entries()[0]
    entered = floor.enter("c1")
    assert entered.entry_id != first.entry_id
    floor.leg("gone", offer_id)
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["served"]


# -- facts out of order --


def test_a_talk_only_the_dialplan_tells_of_is_filled_in(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(40)
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - 30)
    assert floor.offers()[offer_id].state == "talking", "until the agent's own leg ends"
    assert floor.agents()["alice"].activity == "talking"
    floor.pass_time(10)
    floor.leg("gone", offer_id)
    assert [row.data["talk_s"] for row in floor.ledger("talk_ended")] == [40.0]
    assert floor.agents()["alice"].activity == "wrap_up"


def test_a_leg_that_is_gone_before_the_talk_is_known_ends_it_when_it_was(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(40)
    floor.leg("gone", offer_id)
    assert floor.agents()["alice"].activity == "ringing", "why it ended is the dialplan's to say"
    joined_at = floor.now.wall - 30
    floor.pass_time(2)
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=joined_at, here=False)
    assert [row.data["talk_s"] for row in floor.ledger("talk_ended")] == [30.0]
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["served"]


def test_a_talk_the_observer_saw_was_one_whatever_the_dialplan_says(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.settle("c1", offer_id, OfferEnd.NO_ANSWER, here=False)
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["served"]
    assert floor.agents()["alice"].activity == "talking"


def test_a_caller_who_talked_with_an_offer_given_up_is_served(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(60)
    floor.reconcile(live=["leg-c1"])
    assert floor.offers()[offer_id].end == "withdrawn"
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - 50)
    assert [entry.state for entry in floor.entries()] == ["left"]
    assert [row.data for row in floor.ledger("left_queue")] == [{"because": "served", "wait_s": 10.0}]


def test_a_caller_who_waits_again_is_not_taken_for_served_by_old_news(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.presence("alice", Presence.PAUSED)
    floor.enter("c1", owner="w2")
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall)
    assert [entry.state for entry in floor.entries()] == ["waiting"]


def test_the_same_fact_told_again_changes_nothing(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.leg("gone", offer_id)
    before = (floor.told(), floor.agents(), floor.offers(), floor.entries())
    for kind in ("ringing", "answered", "joined", "gone"):
        assert not floor.leg(kind, offer_id).changed
    floor.settle("c1", offer_id, OfferEnd.SERVED, joined_at=floor.now.wall)
    floor.settle("c1", offer_id, OfferEnd.NO_ANSWER)
    floor.leave("c1")
    floor.presence("alice")
    assert (floor.told(), floor.agents(), floor.offers(), floor.entries()) == before


def test_news_of_an_unknown_offer_is_no_fault(floor: FloorKit) -> None:
    assert not floor.leg("joined", "nobody's").changed
    assert not floor.settle("c1", "nobody's", OfferEnd.SERVED).changed


# -- the observer's list --


def test_what_the_switch_does_not_know_any_more_has_ended(floor: FloorKit) -> None:
    offer_id = talking(floor)
    floor.pass_time(30)
    floor.reconcile()
    assert floor.offers()[offer_id].state == "ended"
    assert floor.agents()["alice"].activity == "wrap_up"
    assert [entry.state for entry in floor.entries()] == ["left"]


def test_a_talk_that_goes_on_is_left_alone_and_a_missed_one_filled_in(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(10)
    leg = AgentLeg(offer_id, "agent-1", "leg-c1", joined_at=floor.now.wall - 4)
    floor.reconcile([leg], ["leg-c1", "agent-1"])
    assert floor.offers()[offer_id].joined_at == floor.now.wall - 4
    assert not floor.reconcile([leg], ["leg-c1", "agent-1"]).changed


def test_a_phone_that_has_just_begun_to_ring_is_not_missed_yet(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(1)
    floor.reconcile(live=["leg-c1"])
    assert floor.offers()[offer_id].state == "ringing"


def test_a_caller_who_vanished_with_the_worker_has_abandoned(floor: FloorKit) -> None:
    floor.enter("c1")
    floor.pass_time(1)
    floor.reconcile()
    assert floor.entries()[0].state == "waiting", "the worker lives, and will say so itself"
    floor.pass_time(LEASE_S)
    floor.reconcile()
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["abandoned"]


def test_a_caller_of_whose_leg_a_living_worker_has_lost_track_has_abandoned(floor: FloorKit) -> None:
    floor.enter("c1")
    floor.pass_time(LOST_TRACK_S)
    floor.renew("w1")
    floor.reconcile()
    assert floor.entries()[0].state == "waiting"
    floor.pass_time(1)
    floor.renew("w1")
    floor.reconcile()
    assert [row.data["because"] for row in floor.ledger("left_queue")] == ["abandoned"]


def test_a_ringing_that_cannot_last_so_long_is_reported_by_the_sweep(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    floor.pass_time(30)
    assert floor.sweep().overdue == frozenset()
    floor.pass_time(60)
    assert floor.sweep().overdue == {offer_id}


# -- refusals --


def test_what_is_not_configured_is_refused_by_name(floor: FloorKit) -> None:
    offer_id = talking(floor)
    with pytest.raises(ValueError, match="no agent carol"):
        floor.presence("carol")
    with pytest.raises(ValueError, match="'siesta' is no reason to pause; there are: break, lunch, training"):
        floor.presence("alice", Presence.PAUSED, "siesta")
    with pytest.raises(ValueError, match="'won' is no disposition of sales; there are: sold, no interest"):
        floor.dispose("alice", offer_id, "won")
    with pytest.raises(ValueError, match="no call of bob"):
        floor.dispose("bob", offer_id, "sold")


def test_a_call_that_was_not_answered_has_no_disposition(floor: FloorKit) -> None:
    offer_id = ringing(floor)
    with pytest.raises(ValueError, match="has not talked"):
        floor.dispose("alice", offer_id, "sold")


# -- place in line --


def test_the_place_counts_priority_then_time(floor: FloorKit) -> None:
    for call_id, priority in (("c1", 0), ("c2", 0), ("c3", 9)):
        floor.enter(call_id, priority=priority)
        floor.pass_time(0.1)

    def places() -> list[int | None]:
        return [floor.do(lambda c, call=call: floor.store.position(c, call)) for call in ("c1", "c2", "c3", "c4")]

    assert places() == [2, 3, 1, None]
    floor.presence("alice")
    floor.take("w1", "c3")
    assert places() == [2, 3, 1, None], "an offer is not yet a talk"


# -- speed --


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (acd_matching._FREE, {"b_boot": 1.0}, "agent_states_free"),
        (
            acd_matching._HEADS,
            {"b_queue": "sales", "b_asks": "", "b_boot": 1.0, "b_most": 3},
            "queue_entries_waiting (queue=? AND asks=?)",
        ),
        (acd_matching._KINDS, {}, "COVERING INDEX queue_entries_waiting"),
        (acd_needs._RELAX_DUE, {"b_boot": 1.0}, "queue_entries_relaxing"),
        (acd_devices._NOT_FREE, {}, "COVERING INDEX devices_not_free"),
        (acd_offer_making._UNRUNG_OF, {"b_owner": "w1"}, "offers_to_ring"),
        (acd_offers._OPEN_OF_ENTRY, {"b_entry": "e1"}, "offers_open_entry"),
        (acd_entries._LIVE_OF_CALL, {"b_call": "c1"}, "queue_entries_live"),
        (
            acd_entries._AHEAD,
            {"b_queue": "sales", "b_minus_rank": 0, "b_stands_at": 1.0, "b_call": "c1"},
            "queue_entries_in_line (queue=?)",
        ),
        (callers._FORGET_NOTES, {"b_ref": "p1"}, "ix_offers_party_ref"),
        (acd_offer_making._HANDED_OUT, {"b_owner": "w1"}, "offers_handed_out"),
        (acd_entries._RENEW, {"b_owner": "w1", "b_until": 1.0}, "queue_entries_owned"),
        (turn._NEXT_DUE, {"b_boot": 1.0}, "agent_states_wrap_up"),
    ],
)
def test_what_runs_for_every_call_reads_no_whole_table(
    floor: FloorKit, statement: Any, values: dict[str, Any], index: str
) -> None:
    sql = statement.compile(floor.engine, compile_kwargs={"render_postcompile": True})
    plan = floor.do(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", _in_order(sql, values)).all())
    steps = [row.detail for row in plan]
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN") and "INDEX" not in step and "anon" not in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps


def _in_order(sql: Any, values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple((sql.params | values)[name] for name in sql.positiontup)
