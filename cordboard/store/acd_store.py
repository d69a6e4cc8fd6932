"""The ACD's transactions: every fact about callers and agents goes through one of these methods.

Each runs inside a transaction of a `StoreThread` (which holds the write lock from its start) and is complete in
itself: the state, the ledger, and the offers which the change makes possible. All are idempotent: the same fact
told again changes nothing. Used by the floor of every process, its observer and its dialler.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from cordboard.acd import reviewing
from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferResult, Presence
from cordboard.store import (
    acd_agents,
    acd_away,
    acd_devices,
    acd_dispositions,
    acd_entering,
    acd_entries,
    acd_leaving,
    acd_offer_making,
    acd_offers,
    acd_presence,
    acd_review,
    acd_wrap_up,
    callers,
    leases,
)
from cordboard.store.acd_entering import Place
from cordboard.store.acd_entries import LEASE_S
from cordboard.store.acd_looks import Looks
from cordboard.store.acd_matching import match_waiting
from cordboard.store.acd_offer_making import RING_BY_S
from cordboard.store.acd_reconcile import Listed, overdue_offers, reconcile
from cordboard.store.acd_values import (
    CallerNote,
    Changes,
    Entered,
    Entering,
    HeldPlace,
    LookupStatus,
    OfferToRing,
    Verdict,
)
from cordboard.store.turn import Turn
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState

__all__ = ["LEASE_S", "RING_BY_S", "AcdStore"]


class AcdStore:
    """plan: queues and agents as configured; may be swapped at any time.

    needs_lease: the name of a lease without whose holder nobody is offered a call ("": offers are always made).
    With it a floor whose switch nobody observes makes no offer it could not follow.
    """

    def __init__(self, plan: FloorPlan, *, needs_lease: str = "") -> None:
        self.plan = plan
        self.needs_lease = needs_lease
        self._looks = Looks()

    # -- callers --

    def enter(self, c: Connection, now: Moment, entering: Entering) -> Entered:
        """Give a caller a place in a queue, or back the one they have, and an agent if one is free for them.

        An offer to this caller is marked ringing at once and returned: whoever enters must ring it. A caller who
        comes back after their longest wait has left by that (`left`), and so has one whom the queue's rules send
        out at once, if no agent is free. Whom the queue does not let in has no place (`refused`).
        """
        turn = Turn(c, now, self.plan)
        place = acd_entering.enter(turn, entering)
        self.match(turn)
        if place.left is None and place.refused is None:
            place = self._after_review(turn, entering, place)
        rung = acd_offer_making.ring_offers(turn, entering.owner, (entering.call_id,))
        return _entered(place, next(iter(rung), None), self._finish(turn))

    def review(
        self, c: Connection, now: Moment, owner: str, call_ids: Collection[str]
    ) -> tuple[list[Verdict], Changes]:
        """Apply the rules of their queues to the owner's waiting calls: who must leave, who goes on elsewhere.

        An offer to one who has gone on is marked ringing at once and comes with the place.
        """
        turn = Turn(c, now, self.plan)
        found = acd_review.review(turn, owner, call_ids)
        self.match(turn)
        moved = frozenset(one.call_id for one in found if one.place is not None)
        rung = {offer.call_id: offer for offer in acd_offer_making.ring_offers(turn, owner, moved)} if moved else {}
        changes = self._finish(turn)
        verdicts = [
            Verdict(
                one.call_id,
                one.left,
                None if one.place is None else _entered(one.place, rung.get(one.call_id), changes),
                one.position,
            )
            for one in found
        ]
        return verdicts, changes

    def take_offers(
        self, c: Connection, now: Moment, owner: str, call_ids: Collection[str], *, again: bool = True
    ) -> tuple[list[OfferToRing], Changes]:
        """Mark the owner's offers to these callers as ringing and return them: each must be rung.

        call_ids: callers whom the owner holds now, and rings nobody for. again: an offer handed out before for one
        of them has not been rung, and is handed out again.
        """
        turn = Turn(c, now, self.plan)
        rung = acd_offer_making.ring_offers(turn, owner, frozenset(call_ids), again=again)
        # Between an offer and its ringing nothing is done that need not be. A phone that is rung frees nobody, and
        # brings no deadline.
        return rung, self._finish(turn) if turn.touched else turn.finish(brings_dues=False)

    def pending_offers(self, c: Connection, owner: str) -> list[str]:
        """The call ids of the owner's callers who have an offer that nobody has rung yet."""
        turn = Turn(c, Moment(0.0, 0.0), self.plan)
        return [row.call_id for row in acd_offer_making.unrung_offers(turn, owner)]

    def position(self, c: Connection, call_id: str) -> int | None:
        """A waiting caller's place in line, from 1; None if they do not wait."""
        return acd_entries.position(Turn(c, Moment(0.0, 0.0), self.plan), call_id)

    def note_told_place(self, c: Connection, now: Moment, call_id: str, queue: str, place: int) -> Changes:
        """A caller who waits there is told their place in line."""
        turn = Turn(c, now, self.plan)
        acd_entries.note_told_place(turn, call_id, queue, place)
        return turn.finish(brings_dues=False)

    def leave(
        self,
        c: Connection,
        now: Moment,
        call_id: str,
        because: LeftBecause,
        at: float | None = None,
        *,
        held: HeldPlace | None = None,
        key: str = "",
    ) -> Changes:
        """The caller waits no more; an open offer ends with that. A talk, once begun, is not ended by it.

        at: when that was, seconds since 1970; now by default. held: when it is that stay which is over, as seen by
        that holder. Without it the call is over, wherever it waits. key: pressed to leave.
        """
        turn = Turn(c, now, self.plan)
        at = now.wall if at is None else at
        acd_leaving.leave(turn, call_id, because, at, held=held, key=key)
        return self._finish(turn)

    def step_out(
        self,
        c: Connection,
        now: Moment,
        call_id: str,
        held_until: float | None,
        *,
        kind: str = "call",
        key: str = "",
        held: HeldPlace | None = None,
    ) -> Changes:
        """The caller is elsewhere for a while, and the place is kept until `held_until` (boot clock; None: until
        somebody gives it up). `enter` brings them back into it.

        kind: `call` for one who stays on the phone, `callback`, `cut_off`; key: what they pressed. held: as for
        `leave`.
        """
        turn = Turn(c, now, self.plan)
        acd_away.step_out(turn, call_id, held_until, kind=kind, key=key, held=held)
        return self._finish(turn)

    def come_and_go(
        self, c: Connection, now: Moment, entering: Entering, because: LeftBecause, left_at: float
    ) -> Changes:
        """A caller waited, and left, while nothing could be written. Counts like any other."""
        turn = Turn(c, now, self.plan)
        acd_leaving.come_and_go(turn, entering, because, left_at)
        return self._finish(turn)

    def settle(
        self,
        c: Connection,
        now: Moment,
        call_id: str,
        result: OfferResult,
        caller_is_here: bool,
        others: Sequence[OfferResult] = (),
    ) -> Changes:
        """The switch's word on how an offer's ringing ended. If they talked the caller is served; otherwise the
        caller waits again in the old place, or, no longer here, has abandoned. others: of those who were rung at
        the same time, if there were any.
        """
        turn = Turn(c, now, self.plan)
        for one in (result, *others):
            offer = acd_offers.find_offer(turn, one.offer_id)
            if offer is not None:
                acd_offers.settle_offer(turn, offer, one)
        if not caller_is_here:
            acd_leaving.leave(turn, call_id, LeftBecause.ABANDONED, result.ended_at)
        return self._finish(turn)

    def renew(self, c: Connection, now: Moment, owner: str, call_ids: Collection[str] | None = None) -> None:
        """The owner lives: so do the leases of its callers, or of these of them. To be called each second."""
        turn = Turn(c, now, self.plan)
        self._looks.note_lapse(turn, owner, call_ids)
        acd_entries.renew_leases(turn, owner, call_ids)

    # -- agents --

    def agent_leg(self, c: Connection, now: Moment, event: AgentLegEvent) -> Changes:
        """What an agent's leg does. In any order, repeated, and with gaps."""
        turn = Turn(c, now, self.plan)
        acd_offers.note_agent_leg(turn, event)
        return self._finish(turn)

    def set_presence(self, c: Connection, now: Moment, agent: str, presence: Presence, reason: str = "") -> Changes:
        """What the agent has chosen. A ringing, talk or wrap-up goes on. Raises ValueError for an unknown agent, or
        a reason that is not configured.
        """
        turn = Turn(c, now, self.plan)
        acd_presence.set_presence(turn, agent, presence, reason)
        return self._finish(turn)

    def force_presence(
        self, c: Connection, now: Moment, agent: str, presence: Presence, reason: str = "", *, by: str
    ) -> Changes:
        """What somebody else has decided for an agent, past the limits of pauses. Who is made available wraps up no
        longer. by: the supervisor's name, which the agent is shown. Raises ValueError as `set_presence`.
        """
        turn = Turn(c, now, self.plan)
        acd_presence.force_presence(turn, agent, presence, reason, by)
        if presence is Presence.AVAILABLE:
            acd_wrap_up.end(turn, agent)
        return self._finish(turn)

    def log_out_unknown(self, c: Connection, now: Moment) -> tuple[list[str], Changes]:
        """Log out agents that are configured no more, and name them. Their ringing, talk or wrap-up goes on."""
        turn = Turn(c, now, self.plan)
        removed = acd_presence.log_out_unknown(turn)
        return removed, self._finish(turn)

    def dispose(
        self, c: Connection, now: Moment, agent: str, offer_id: str, disposition: str, note: str = ""
    ) -> Changes:
        """What came of a call, as its agent says: kept while they talk, and after it the end of the wrap-up.

        disposition: one of the queue's, or "" for none. Raises ValueError for another, and for a call that is not
        the agent's.
        """
        turn = Turn(c, now, self.plan)
        acd_dispositions.dispose(turn, agent, offer_id, disposition, note)
        return self._finish(turn)

    def extend_wrap_up(self, c: Connection, now: Moment, agent: str, offer_id: str) -> Changes:
        """More time for the notes on a call. Raises ValueError where there is none to be had, and for a call the
        agent does not wrap up.
        """
        turn = Turn(c, now, self.plan)
        acd_wrap_up.extend(turn, agent, offer_id)
        return self._finish(turn)

    def dispose_last(self, c: Connection, now: Moment, agent: str, disposition: str) -> Changes:
        """What came of the call the agent has, or has had last. Raises ValueError as `dispose`, and for none."""
        turn = Turn(c, now, self.plan)
        acd_dispositions.dispose_last(turn, agent, disposition)
        return self._finish(turn)

    def extend_last(self, c: Connection, now: Moment, agent: str) -> Changes:
        """More time for the notes on the call the agent wraps up. Raises ValueError."""
        turn = Turn(c, now, self.plan)
        acd_wrap_up.extend_last(turn, agent)
        return self._finish(turn)

    def device_changed(self, c: Connection, now: Moment, device: str, state: DeviceState) -> Changes:
        """What a device can do now."""
        turn = Turn(c, now, self.plan)
        acd_devices.note_device(turn, device, state)
        return self._finish(turn)

    def devices_listed(
        self, c: Connection, now: Moment, states: Mapping[str, DeviceState], switch: str = ""
    ) -> Changes:
        """What every device of a switch can do now; others of it are forgotten. switch: "" for the only one."""
        turn = Turn(c, now, self.plan)
        acd_devices.note_all_devices(turn, states, switch)
        return self._finish(turn)

    # -- time --

    def sweep(self, c: Connection, now: Moment) -> Changes:
        """Do what is due: end wrap-ups, withdraw offers that nobody has rung, match those whose rest is over, give
        up places that were kept for long enough.
        """
        turn = Turn(c, now, self.plan)
        self._looks.mark(turn)
        acd_leaving.give_up_held(turn)
        acd_agents.end_wrap_ups_due(turn)
        acd_presence.end_pauses_due(turn)
        acd_offer_making.withdraw_unrung(turn)
        turn.overdue = overdue_offers(turn)
        return self._finish(turn, tells_due=True)

    def take_lease(
        self, c: Connection, now: Moment, name: str, holder: str, for_s: float, *, over_for_s: float = 0.0
    ) -> bool:
        """Become or stay the holder of a role. False: another one is. over_for_s: see `leases`."""
        return leases.take_lease(c, now, name, holder, for_s, over_for_s=over_for_s)

    def release_lease(self, c: Connection, name: str, holder: str) -> None:
        """Give a role up."""
        leases.release_lease(c, name, holder)

    def reconcile(
        self,
        c: Connection,
        now: Moment,
        legs: Sequence[AgentLeg],
        live_leg_ids: Collection[str],
        listed_at: float,
        *,
        switch: str = "",
        listed_boot: float | None = None,
        switch_started_at: float | None = None,
    ) -> Changes:
        """Make the store agree with what the switch had at `listed_at` (seconds since 1970).

        legs: of agents; live_leg_ids: all; switch: whose they are, "" if there is only one. listed_boot: the same
        as listed_at by the boot clock, reckoned from it if None. switch_started_at: callers from before it whose
        leg is gone were lost by the switch; None if it is not known.
        """
        turn = Turn(c, now, self.plan)
        boot = now.boot - (now.wall - listed_at) if listed_boot is None else listed_boot
        reconcile(turn, Listed(legs, frozenset(live_leg_ids), listed_at, boot, switch, switch_started_at))
        return self._finish(turn)

    # -- who calls --

    def note_caller(self, c: Connection, now: Moment, caller: CallerNote) -> str:
        """Keep what is known of a caller; the reference under which the ledger knows them."""
        return callers.note_caller(Turn(c, now, self.plan), caller)

    def note_lookup(
        self, c: Connection, now: Moment, call_id: str, status: LookupStatus, customer: Mapping[str, Any]
    ) -> Changes:
        """Keep what the CRM has said about a caller."""
        turn = Turn(c, now, self.plan)
        callers.note_lookup(turn, call_id, status, customer)
        return self._finish(turn)

    def erase_party(self, c: Connection, now: Moment, party_ref: str) -> bool:
        """Forget who this was, and keep what they did. False if nobody is known by that reference."""
        turn = Turn(c, now, self.plan)
        is_known = callers.erase_party(turn, party_ref)
        turn.finish()
        return is_known

    # -- inside --

    def _after_review(self, turn: Turn, entering: Entering, place: Place) -> Place:
        """The place that the rules leave to one who has just come, and is offered to nobody."""
        if not reviewing.has_rules(turn.queue(place.queue)):
            return place
        for found in acd_review.review(turn, entering.owner, (entering.call_id,)):
            if found.place is not None:
                self.match(turn)
                return found.place
            if found.left is not None:
                return replace(place, left=found.left)
        return place

    def match(self, turn: Turn) -> None:
        """Make the offers that this transaction has made possible; for those who have a turn of their own."""
        if not match_waiting(turn, self.needs_lease):
            self._looks.miss()

    def _finish(self, turn: Turn, *, tells_due: bool = False) -> Changes:
        self.match(turn)
        return turn.finish(tells_due=tells_due)


def _entered(place: Place, offer: OfferToRing | None, changes: Changes) -> Entered:
    return Entered(
        entry_id=place.entry_id,
        fence=place.fence,
        entered_at=place.entered_at,
        offer=offer,
        changes=changes,
        entered_boot=place.entered_boot,
        left=place.left,
        kind=place.kind,
        queue=place.queue,
        refused=place.refused,
        key=place.key,
        told_place=place.told_place,
    )
