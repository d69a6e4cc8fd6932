"""The connection which we make to FreeSWITCH. Used by the link; lives in the hub thread, connects in a greenlet."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Protocol

import gevent
import gevent.socket
from greenswitch.esl import InboundESL, NotConnectedError

from cordboard.errors import OutcomeUnknown, SwitchError, SwitchRefused, SwitchUnavailable
from esl_apps import messages
from esl_apps.hub import EslHub
from esl_apps.safe_esl import ANSWER_S, Answer, SafeProtocol, prepare

CONNECT_S = 5.0


class LinkOwner(Protocol):
    """Whose link it is. Called in the hub thread, so it tells asyncio."""

    def connected(self, line: SafeInbound) -> None: ...

    def lost(self, line: SafeInbound, fault: Exception | None) -> None: ...


class SafeInbound(SafeProtocol, InboundESL):  # type: ignore[misc]
    """A connection which we make to FreeSWITCH."""

    def __init__(self, hub: EslHub, host: str, port: int, password: str, owner: LinkOwner) -> None:
        SafeProtocol.__init__(self, hub, messages.BODY_MAX_BYTES)
        self.host, self.port, self.password = host, port, password
        self._owner = owner
        self._is_connecting = True
        self._fault: Exception | None = None

    def begin(self, lines: Sequence[bytes], answer: Answer) -> None:
        """Connect, log in and send these lines, in a greenlet of its own. `answer` hears of each."""
        gevent.spawn(self._begin, lines, answer)

    def connect(self) -> None:
        """Connect and log in. Raises OSError, SwitchError, NotConnectedError; ValueError on a wrong password."""
        connecting = gevent.socket.create_connection((self.host, self.port), timeout=CONNECT_S)
        self.sock = socket.socket(fileno=connecting.detach())
        prepare(self.sock)
        self.start_event_handlers()
        if not self._auth_request_event.wait(ANSWER_S):
            raise SwitchUnavailable("no greeting from FreeSWITCH", switch="freeswitch")
        self.authenticate()

    def on_lost(self, fault: Exception | None) -> None:
        """While `connect` waits, it ends with this, and may know better why: a refusal comes with the end."""
        self._fault = fault
        if self._is_connecting:
            self._auth_request_event.set()
        else:
            self._owner.lost(self, fault)

    def evict(self, reason: Exception) -> tuple[Any, ...]:
        """Nobody is left who would tell of it later."""
        self._is_connecting = False
        return super().evict(reason)

    def _begin(self, lines: Sequence[bytes], answer: Answer) -> None:
        try:
            self.connect()
            if not self.connected:  # it said yes, and left
                raise NotConnectedError("closed")
        except ValueError:
            self._fail(SwitchRefused("FreeSWITCH refused the event socket's password", switch="freeswitch"))
        except (OSError, SwitchError, NotConnectedError) as fault:
            self._fail(self._fault or fault)
        else:
            self._is_connecting = False
            for line in lines:
                self.post(line, answer)
            self._owner.connected(self)

    def _fail(self, fault: Exception) -> None:
        self.lose(fault)
        self._is_connecting = False
        if isinstance(fault, NotConnectedError | OutcomeUnknown):
            fault = SwitchUnavailable("closed by FreeSWITCH while logging in", switch="freeswitch")
        self._owner.lost(self, fault)
