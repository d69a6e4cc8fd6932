"""No name and no address leads a request of a flow into our own network: what is refused is never connected to."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cordboard.http_client import guarded_transport
from cordboard.http_client.addresses import refusal
from cordboard.http_client.client import NoAnswer, WebClient
from cordboard.http_client.guarded_transport import HostBook, LookUpHost
from cordboard.http_section import WebService
from tests.doubles.fake_crm import FakeCrm, answers, response

PUBLIC = "203.0.114.7"

# What must not be asked, as it may stand in an address or come from a resolver.
TARGETS = [
    "127.0.0.1", "127.1.2.3", "localhost", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.254", "192.168.0.1", "192.168.255.255", "100.64.0.1", "100.127.255.254", "169.254.169.254",
    "169.254.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "0x7f.1", "0x7f000001", "2130706433", "017700000001",
    "127.1", "0177.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::1]", "[fe80::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]",
]  # fmt: skip

TLS = ssl.create_default_context()  # made once: it reads all authorities of the system
_connected: list[Any] = []
_resolved: list[Any] = []
_is_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _is_watching and event == "socket.connect":
        _connected.append(arguments[1])
    if _is_watching and event == "socket.getaddrinfo":
        _resolved.append(arguments[0])


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[Any]]:
    """Where sockets of this process are connected to meanwhile."""
    global _is_watching
    _connected.clear()
    _resolved.clear()
    _is_watching = True
    try:
        yield _connected
    finally:
        _is_watching = False


def client_of(look_up: LookUpHost | None = None, *, allow_private: bool = False) -> WebClient:
    book = HostBook(allow_private=allow_private, look_up=look_up)
    return WebClient({}, TLS, answer_max_bytes=1_000, book=book)


def resolver(*answers_in_turn: Sequence[str]) -> LookUpHost:
    """A resolver that says something else each time; the last answer stays."""
    left = list(answers_in_turn)

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return look_up


async def fault_of(client: WebClient, url: str) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        await client.exchange("GET", url)
    await client.aclose()
    return caught.value


def test_there_are_enough_targets() -> None:
    assert len(set(TARGETS)) >= 40


@pytest.mark.parametrize("target", TARGETS)
async def test_an_address_of_our_own_is_never_connected_to(target: str) -> None:
    async with FakeCrm() as ours:
        with watched() as connected:
            fault = await fault_of(client_of(), f"http://{target}:{ours.port}/")
        assert connected == []
        assert ours.connections == 0
    assert (fault.is_passing, fault.was_sent) == (False, False)
    assert " leads to " in str(fault) or str(fault) == "there is no such address"


@pytest.mark.parametrize("target", TARGETS)
async def test_a_name_that_leads_there_is_never_connected_to(target: str) -> None:
    found = socket.getaddrinfo(target.strip("[]"), 80, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    for order in ([*addresses, PUBLIC], [PUBLIC, *addresses]):
        with watched() as connected:
            assert "orders.test leads to " in str(await fault_of(client_of(resolver(order)), "http://orders.test/"))
        assert connected == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_configuration_that_names_it_is_refused(target: str) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(ValidationError, match=r"this is a|address in disguise"):
            WebService(url=f"{scheme}://{target}/", allow_plain_http=True)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_an_address_of_the_outside_world_is_not_refused(address: str) -> None:
    assert refusal(address, allow_private=False) == ""


@pytest.mark.parametrize(
    ("address", "is_refused"),
    [
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("224.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("::ffff:127.0.0.1", True),
        ("255.255.255.255", True),
        ("nonsense", True),
    ],
)
def test_a_private_service_may_be_in_our_network_and_nowhere_stranger(address: str, is_refused: bool) -> None:
    assert bool(refusal(address, allow_private=True)) is is_refused


async def test_a_private_service_is_asked() -> None:
    """The control: were a connection made above, it would have been seen."""
    async with FakeCrm(answers({})) as ours:
        with watched() as connected:
            client = client_of(allow_private=True)
            assert (await client.exchange("GET", f"{ours.url}/")).status == 200
        assert connected == [("127.0.0.1", ours.port)]
        await client.aclose()


async def test_a_name_that_is_moved_meanwhile_is_asked_where_it_was_looked_at() -> None:
    async with FakeCrm(response(200, b"{}", Connection="close")) as ours:
        client = client_of(resolver(["127.0.0.1"], ["127.0.0.9"]), allow_private=True)
        with watched() as connected:
            for _ in range(2):
                assert (await client.exchange("GET", f"http://orders.test:{ours.port}/")).status == 200
        assert connected == [("127.0.0.1", ours.port)] * 2
        assert "orders.test" not in _resolved
        assert {one.headers["host"] for one in ours.requests} == {f"orders.test:{ours.port}"}
        await client.aclose()


async def test_a_name_that_is_moved_to_us_later_is_refused_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_transport, "FRESH_S", 0.0)
    async with FakeCrm(response(200, b"{}", Connection="close")) as ours:
        client = client_of(resolver(["127.0.0.1"], ["169.254.169.254"]), allow_private=True)
        await client.exchange("GET", f"http://orders.test:{ours.port}/")
        fault = await fault_of(client, f"http://orders.test:{ours.port}/")
        assert "orders.test leads to 169.254.169.254, a link-local address" in str(fault)
        assert ours.connections == 1


async def test_the_next_address_is_tried_where_the_first_one_takes_no_connection() -> None:
    async with FakeCrm(answers({})) as ours:
        client = client_of(resolver(["127.0.0.2", "127.0.0.1"]), allow_private=True)
        assert (await client.exchange("GET", f"http://orders.test:{ours.port}/")).status == 200
        await client.aclose()


async def test_without_an_answer_of_the_resolver_the_last_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_transport, "FRESH_S", 0.0)
    is_gone = False

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        if is_gone:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ["127.0.0.1"]

    async with FakeCrm(answers({})) as ours:
        client, url = client_of(look_up, allow_private=True), f"http://orders.test:{ours.port}/"
        await client.exchange("GET", url)
        is_gone = True
        assert (await client.exchange("GET", url)).status == 200
        await client.aclose()
        fault = await fault_of(client_of(look_up), url)
        assert str(fault) == (
            "cannot connect: the name orders.test is not known: Temporary failure in name resolution"
        )


# TLS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of orders.test, signed by itself; the key is in the same file."""
    path = tmp_path_factory.mktemp("tls") / "orders.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
        "2", "-subj", "/CN=orders", "-addext", "subjectAltName=DNS:orders.test", "-keyout", path, "-out",
        f"{path}.crt",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def served(certificate: Path, told: Callable[[str | None], None]) -> ssl.SSLContext:
    """A server's side of TLS. told: the name that the client asked for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: told(name)
    return context


async def test_tls_proves_the_name_and_not_the_address(certificate: Path) -> None:
    names: list[str | None] = []
    trusted = ssl.create_default_context(cafile=certificate)
    async with FakeCrm(answers({}), tls=served(certificate, names.append)) as ours:
        for name, is_proved in (("orders.test", True), ("parts.test", False)):
            book = HostBook(allow_private=True, look_up=resolver(["127.0.0.1"]))
            client = WebClient({}, trusted, answer_max_bytes=1_000, book=book)
            url = f"https://{name}:{ours.port}/"
            if is_proved:
                assert (await client.exchange("GET", url)).status == 200
            else:
                assert "certificate verify failed" in str(await fault_of(client, url))
            await client.aclose()
        assert names == ["orders.test", "parts.test"]
        assert len(ours.requests) == 1
