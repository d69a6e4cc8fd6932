"""The lab's own phone on real sockets: against a registrar of a few lines, and against a second phone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from cordboard.errors import LabError
from cordboard.lab.digest import Credentials, authorize, find_challenge
from cordboard.lab.party import Party
from cordboard.lab.sip import Request, Response, response_to
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.sip_wire import SipWire

DEADLINE_S = 5.0
CHALLENGE = ("WWW-Authenticate", 'Digest realm="lab", nonce="once", algorithm=MD5, qop="auth"')


@dataclass(frozen=True)
class At:
    """Where a phone looks for its PBX."""

    host: str
    sip_port: int


class Registrar:
    """Asks for digest, lets in who knows the secret. granted: seconds; `seen`: the Expires of each it let in."""

    def __init__(self, secret: str = "lab-secret", granted: str = "60") -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.is_silent = False
        self._secret = secret
        self._granted = granted
        self.wire: SipWire

    async def __aenter__(self) -> Registrar:
        loop = asyncio.get_running_loop()
        _, self.wire = await loop.create_datagram_endpoint(
            lambda: SipWire(lambda _: None, self._answer), ("127.0.0.1", 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wire.close()

    @property
    def at(self) -> At:
        return At(*self.wire.address)

    def _answer(self, request: Request, peer: tuple[str, int]) -> None:
        if self.is_silent:
            return
        given = request.header("authorization")
        if not given:
            self.wire.send(response_to(request, 401, "Unauthorized", extra=(CHALLENGE,)), peer)
        elif given == self._right_answer(request, given):
            self.seen.put_nowait(request.header("expires"))
            contact = ("Contact", f"{request.header('contact')};expires={self._granted}")
            self.wire.send(response_to(request, 200, "OK", extra=(contact,)), peer)
        else:
            self.wire.send(response_to(request, 403, "Forbidden"), peer)

    def _right_answer(self, request: Request, given: str) -> str:
        client_nonce = given.partition('cnonce="')[2].partition('"')[0]
        challenge = find_challenge(Response((CHALLENGE,), b"", 401, ""))
        return authorize(challenge, Credentials("1003", self._secret), "REGISTER", request.uri, client_nonce)[1]


async def next_seen(registrar: Registrar) -> str:
    return await asyncio.wait_for(registrar.seen.get(), DEADLINE_S)


async def test_a_phone_registers_and_takes_its_registration_back() -> None:
    async with Registrar() as registrar:
        async with SipPhone("1003", registrar.at):
            assert await next_seen(registrar) == "300"
        assert await next_seen(registrar) == "0"


async def test_a_registration_is_refreshed_before_it_ends() -> None:
    async with Registrar(granted="1") as registrar, SipPhone("1003", registrar.at):
        began = time.monotonic()
        assert [await next_seen(registrar) for _ in range(3)] == ["300"] * 3
        assert 0.9 <= time.monotonic() - began < 5.0


async def test_a_phone_that_unregisters_may_register_again() -> None:
    async with Registrar() as registrar, SipPhone("1003", registrar.at) as phone:
        await phone.unregister()
        await phone.registered()
        assert [await next_seen(registrar) for _ in range(3)] == ["300", "0", "300"]


async def test_a_wrong_secret_is_told_and_not_tried_for_ever() -> None:
    async with Registrar(secret="another") as registrar:
        with pytest.raises(LabError, match="1003 was not let in: 403 Forbidden"):
            async with SipPhone("1003", registrar.at):
                pass


async def test_a_silent_registrar_is_given_up_at_the_deadline() -> None:
    async with Registrar() as registrar:
        registrar.is_silent = True
        phone = SipPhone("1003", registrar.at)
        await phone.start()
        with pytest.raises(LabError, match=r"did not answer REGISTER within 0\.1 s"):
            await phone.registered(timeout_s=0.1)
        await phone.kill()


@pytest.fixture
async def bob() -> AsyncIterator[SipPhone]:
    phone = SipPhone("1004", At("127.0.0.1", 9))
    await phone.start()
    yield phone
    await phone.kill()


@pytest.fixture
async def alice(bob: SipPhone) -> AsyncIterator[SipPhone]:
    phone = SipPhone("1003", At(*bob._party.address))
    await phone.start()
    yield phone
    await phone.kill()


async def talk(alice: SipPhone, bob: SipPhone) -> None:
    await alice.dial("1004")
    await bob.answer()
    await alice.established()


async def test_two_phones_talk_press_keys_and_hang_up(alice: SipPhone, bob: SipPhone) -> None:
    await talk(alice, bob)
    assert bob.call is not None and bob.call.number == "1003"
    await alice.press("1")
    await alice.press("#")
    await alice.hang_up()
    call = await bob.closed()
    assert (call.keys, call.reason) == ("1#", "BYE")
    assert (await alice.closed()).reason == "hung up"


@pytest.mark.parametrize("status", [480, 486, 603])
async def test_a_phone_refuses_with_the_status_it_is_told(alice: SipPhone, bob: SipPhone, status: int) -> None:
    await alice.dial("1004")
    await bob.reject(status)
    assert (await alice.closed()).reason == str(status) == (await bob.closed()).reason
    with pytest.raises(LabError, match=f"ended unanswered: {status}"):
        await alice.established()


async def test_a_cancelled_call_stops_ringing_at_once(alice: SipPhone, bob: SipPhone) -> None:
    await alice.dial("1004")
    await bob.incoming()
    cancelled_at = time.monotonic()
    await alice.hang_up()
    call = await bob.closed()
    assert call.reason == "CANCEL"
    assert call.closed_at is not None and 0 <= call.closed_at - cancelled_at < 0.05


async def test_a_second_call_is_busy_and_does_not_disturb_the_first(alice: SipPhone, bob: SipPhone) -> None:
    await talk(alice, bob)
    await alice.dial("1004")
    assert (await alice.closed()).reason == "486"
    assert len(bob.turned_away) == 1 and len(bob.calls) == 1
    assert bob.call is not None and bob.call.closed_at is None


async def test_hold_is_a_re_invite_that_says_sendonly(alice: SipPhone, bob: SipPhone) -> None:
    bodies: list[bytes] = []
    await talk(alice, bob)
    receive = bob.leg.receive_request
    bob.leg.receive_request = lambda request: (bodies.append(request.body), receive(request))[1]  # type: ignore[method-assign]
    await alice.hold()
    await alice.hold(is_on=False)
    offers = [body for body in bodies if body]
    assert b"a=sendonly" in offers[0] and b" 1 2 IN IP4 " in offers[0]
    assert b"a=sendrecv" in offers[1] and b" 1 3 IN IP4 " in offers[1]
    assert bob.leg.end is None


async def test_a_dead_phone_answers_nothing(alice: SipPhone, bob: SipPhone) -> None:
    bob.go_dead()
    await alice.dial("1004")
    with pytest.raises(LabError, match=r"waited 0\.3 s for an answer in vain"):
        await alice.established(timeout_s=0.3)
    assert alice.leg.status == 0 and bob.calls == []


async def test_a_call_that_is_challenged_is_placed_again_with_digest(alice: SipPhone, bob: SipPhone) -> None:
    """Bob's side asks who is calling, as a PBX does that knows its phones."""
    party: Party = bob._party
    ring = party.on_invite
    assert ring is not None
    asked: list[str] = []

    def ask(invite: Request, peer: tuple[str, int]) -> None:
        asked.append(invite.header("authorization"))
        if asked[-1]:
            ring(invite, peer)
        else:
            party.say(response_to(invite, 401, "Unauthorized", extra=(CHALLENGE,), to_tag="x"), peer)

    party.on_invite = ask
    await talk(alice, bob)
    assert asked[0] == "" and 'username="1003"' in asked[1]
    await alice.hang_up()
    assert (await bob.closed()).reason == "BYE"


async def test_a_phone_without_a_call_says_so(alice: SipPhone) -> None:
    with pytest.raises(LabError, match="had no call yet"):
        await alice.hang_up()
    with pytest.raises(LabError, match="has consulted nobody"):
        await alice.transfer_attended()
