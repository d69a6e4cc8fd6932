"""Who is told what after a transaction of the ACD: those of this process who listen, and other processes.

Used by `floor`, which has the transactions. Listeners say what they want to hear of, and look for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cordboard.service.wakes import DESK, Waker
from cordboard.store.acd_values import Changes

Listener = Callable[[], None]


class Bell:
    """name: of this process, whose own callers' offers are told here. look_by: has the floor look at what is due in
    so many seconds.
    """

    def __init__(self, name: str, wakes: Waker, look_by: Callable[[float | None], None]) -> None:
        self._name = name
        self._wakes = wakes
        self._look_by = look_by
        self._on_offers: list[Listener] = []
        self._on_changed: list[Listener] = []
        self._on_overdue: list[Listener] = []

    def on_offers(self, listener: Listener) -> None:
        """Call this when one of this process's callers may have an offer."""
        self._on_offers.append(listener)

    def on_changed(self, listener: Listener) -> None:
        """Call this when something that people look at may have changed."""
        self._on_changed.append(listener)

    def on_overdue(self, listener: Listener) -> None:
        """Call this when the store has offers of which the switch should have said more by now."""
        self._on_overdue.append(listener)

    def woken(self) -> None:
        """Another process says that there is something to see."""
        self.ask_for_offers()
        call(self._on_changed)

    def ask_for_offers(self) -> None:
        """There may be offers, though nothing has told of them."""
        call(self._on_offers)

    def tell(self, changes: Changes) -> None:
        """Tell everybody whom it concerns."""
        self.wake_owners(changes)
        self.tell_the_rest(changes)

    def wake_owners(self, changes: Changes) -> None:
        """Those elsewhere who have a phone to ring. In any thread."""
        self._wakes.wake(changes.owners - {self._name})

    def tell_the_rest(self, changes: Changes) -> None:
        """Tell all but those who are woken first."""
        if self._name in changes.owners:
            call(self._on_offers)
        if changes.overdue:
            call(self._on_overdue)
        if changes.changed:
            self._wakes.wake({DESK} - {self._name})
            call(self._on_changed)
        self._look_by(changes.next_due_in_s)


def call(listeners: Iterable[Listener]) -> None:
    """Call them all."""
    for listener in listeners:
        listener()
