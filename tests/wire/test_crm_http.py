"""The HTTP connector against a CRM on a real socket, with every fault a CRM can have."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cordboard.crm.breaker import Breaker
from cordboard.crm.connector import CrmResting
from cordboard.crm.connectors import http as connector_module
from cordboard.crm.connectors.http import ANSWER_MAX_BYTES, HttpConnector
from cordboard.crm.customer import Fields
from cordboard.crm.http_section import Http
from cordboard.crm.lookups import Crm, Lookups
from cordboard.errors import CrmError, CrmRejected, CrmUnavailable
from cordboard.http_client.client import CONNECTIONS_MAX
from cordboard.telephony.outcomes import LookedUp, NotLookedUp
from tests.doubles.fake_crm import (
    ADA,
    Behaviour,
    FakeCrm,
    Request,
    answers,
    drips,
    floods,
    in_turn,
    raw,
    response,
    silent,
)

NUMBER = "+442079460123"
FIELDS: Fields = {
    "name": "text", "tier": "text", "visits": "whole", "balance": "number", "vip": "yes_no", "since": "date"
}  # fmt: skip
ADAS_FIELDS = {name: ADA[name] for name in FIELDS}
DEADLINE_S = 10.0  # for what comes at once: not reached even on a loaded machine
SHORT_S = 0.4  # for what never comes
PRECISION_S = 5.0  # the same machine


@pytest.fixture
async def crm() -> AsyncIterator[FakeCrm]:
    async with FakeCrm() as fake:
        yield fake


def connector_to(
    crm: FakeCrm, path: str = "/customers?phone={number}", breaker: Breaker | None = None, **options: Any
) -> HttpConnector:
    http = Http(url=f"{crm.url}{path}", **options)
    return HttpConnector(http, FIELDS, {"X-Key": "s3cret"}, breaker=breaker)


async def fault_of(connector: HttpConnector, timeout_s: float = DEADLINE_S) -> tuple[CrmError, float]:
    """The error of one question, and how long it took."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    with pytest.raises(CrmError) as caught:
        await connector.find(NUMBER, timeout_s)
    return caught.value, loop.time() - began_at


# answers


async def test_a_customer_is_found_with_typed_fields(crm: FakeCrm) -> None:
    connector = connector_to(crm)
    (found,) = await connector.find(NUMBER, DEADLINE_S)
    assert found.fields == ADAS_FIELDS
    assert found.customer_id == "7"
    (request,) = crm.requests
    assert (request.method, request.target) == ("GET", "/customers?phone=%2B442079460123")
    assert request.headers["x-key"] == "s3cret"
    assert request.headers["accept-encoding"] == "identity"
    await connector.close()


async def test_a_question_may_be_posted_and_the_answer_lie_deep_inside(crm: FakeCrm) -> None:
    crm.behave = answers({"data": {"hits": [{"who": {"full": "Ada"}, "rank": ["gold"]}]}})
    connector = connector_to(
        crm,
        "/search",
        method="POST",
        body={"query": {"phones": ["{number}", "00{digits}"], "limit": 5}},
        customers="data.hits",
        fields={"name": "who.full", "tier": "rank.0"},
    )
    (found,) = await connector.find(NUMBER, DEADLINE_S)
    assert (found.fields["name"], found.fields["tier"], found.fields["visits"]) == ("Ada", "gold", 0)
    assert crm.requests[0].body == b'{"query":{"phones":["+442079460123","00442079460123"],"limit":5}}'
    await connector.close()


async def test_several_matches_come_with_the_last_updated_first(crm: FakeCrm) -> None:
    crm.behave = answers(
        [
            {**ADA, "name": name, "at": at}
            for name, at in (("old", "2020-01-01"), ("new", "2026-01-01"), ("?", None))
        ]
    )
    connector = connector_to(crm, updated="at")
    assert [one.fields["name"] for one in await connector.find(NUMBER, DEADLINE_S)] == ["new", "old", "?"]
    await connector.close()


@pytest.mark.parametrize(
    "behaviour", [answers([]), answers(None), answers({}), response(404, b"no"), response(204)],
    ids=["empty list", "null", "empty object", "404", "204"],
)  # fmt: skip
async def test_nobody(crm: FakeCrm, behaviour: Behaviour) -> None:
    crm.behave = behaviour
    connector = connector_to(crm)
    assert await connector.find(NUMBER, DEADLINE_S) == []
    await connector.close()


async def test_what_does_not_print_is_left_out_and_long_notes_are_cut(crm: FakeCrm) -> None:
    crm.behave = answers([{**ADA, "name": "A\x00d\x1b[2Ja\u202e\nL", "tier": "x" * 9_000}])
    connector = connector_to(crm)
    (found,) = await connector.find(NUMBER, DEADLINE_S)
    assert found.fields["name"] == "Ad[2Ja\nL"
    assert found.fields["tier"] == "x" * 1_999 + "…"
    await connector.close()


# faults

HTML = b"<html><body>+442079460123 Ada Lovelace: please sign in</body></html>"
FAULTS: list[tuple[str, Behaviour, type[CrmError], str]] = [
    ("500", response(500, HTML), CrmUnavailable, "status 500"),
    ("503", response(503), CrmUnavailable, "status 503"),
    ("429", response(429), CrmUnavailable, "status 429"),
    ("hangs up", raw(b""), CrmUnavailable, "the connection broke"),
    ("garbage", raw(b"\x00\xff +442079460123\r\n\r\n"), CrmUnavailable, "the connection broke"),
    ("cut short", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{"), CrmUnavailable, "the connection broke"),
    ("html", response(200, HTML), CrmRejected, "no JSON"),
    ("empty", response(200), CrmRejected, "no JSON"),
    ("not json", response(200, b'{"name": Ada'), CrmRejected, "no JSON"),
    ("NaN", response(200, b'[{"balance": NaN}]'), CrmRejected, "no JSON"),
    ("deep", response(200, b"[" * 100_000), CrmRejected, "no JSON"),
    ("10 MB", floods, CrmRejected, f"more than {ANSWER_MAX_BYTES} bytes"),
    ("10 MB told", response(200, b" " * 10_000_000), CrmRejected, f"more than {ANSWER_MAX_BYTES} bytes"),
    ("compressed", response(200, b"x", Content_Encoding="gzip"), CrmRejected, "compressed"),
    ("text", answers("Ada Lovelace"), CrmRejected, "no customer or list"),
    ("texts", answers(["Ada Lovelace"]), CrmRejected, "no customer or list"),
    ("wrong type", answers([{**ADA, "visits": "Ada"}]), CrmRejected, "`visits` is no whole number"),
    ("yes for text", answers([{**ADA, "name": True}]), CrmRejected, "`name` is no text"),
    ("object for text", answers([{**ADA, "name": {"x": 1}}]), CrmRejected, "`name` is no text"),
    ("redirect", response(302, Location="http://127.0.0.2/"), CrmRejected, "redirects are not followed"),
    ("401", response(401, HTML), CrmRejected, "status 401; look at `headers` in crm.yaml"),
    ("403", response(403, HTML), CrmRejected, "status 403; look at `headers` in crm.yaml"),
    ("400", response(400), CrmRejected, "status 400"),
]


@pytest.mark.parametrize(
    ("behaviour", "kind", "words"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
async def test_a_fault_is_one_error_in_time_and_one_line_without_customer_data(
    crm: FakeCrm, behaviour: Behaviour, kind: type[CrmError], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    crm.behave = behaviour
    connector = connector_to(crm)
    fault, took_s = await fault_of(connector)
    assert type(fault) is kind
    assert words in str(fault)
    assert took_s < DEADLINE_S + PRECISION_S

    lookups = Lookups(Crm(connector, "GB", DEADLINE_S))
    with capture_logs() as lines:
        answer = await lookups.look_up(NUMBER, 2 * DEADLINE_S)
    assert isinstance(answer, NotLookedUp)
    (line,) = lines
    assert line["event"] == "crm_failed"
    assert words in line["reason"]
    shown = f"{fault} {lines} {answer!r} {capfd.readouterr()}"
    assert not [secret for secret in ("9460123", "Lovelace", "s3cret") if secret in shown]
    await lookups.aclose()


@pytest.mark.parametrize("behaviour", [silent, drips], ids=["silent", "drips"])
async def test_what_never_comes_is_one_error_in_time_and_one_line(crm: FakeCrm, behaviour: Behaviour) -> None:
    crm.behave = behaviour
    connector = connector_to(crm)
    fault, took_s = await fault_of(connector, SHORT_S)
    assert type(fault) is CrmUnavailable
    assert f"no answer within {SHORT_S} s" in str(fault)
    assert took_s < SHORT_S + PRECISION_S

    lookups = Lookups(Crm(connector, "GB", SHORT_S))
    with capture_logs() as lines:
        answer = await lookups.look_up(NUMBER, 2 * DEADLINE_S)
    assert isinstance(answer, NotLookedUp)
    (line,) = lines
    assert line["event"] == "crm_failed"
    assert f"no answer within {SHORT_S} s" in line["reason"]
    shown = f"{fault} {lines} {answer!r}"
    assert not [secret for secret in ("9460123", "s3cret") if secret in shown]
    await lookups.aclose()


async def test_nobody_listens() -> None:
    async with FakeCrm() as crm:
        connector = connector_to(crm)
    fault, took_s = await fault_of(connector)
    assert type(fault) is CrmUnavailable
    assert "cannot connect" in str(fault)
    assert took_s < DEADLINE_S + PRECISION_S
    await connector.close()


async def test_a_redirect_leads_nowhere(crm: FakeCrm) -> None:
    async with FakeCrm() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            crm.behave = response(status, Location=f"{elsewhere.url}/customers")
            connector = connector_to(crm)
            assert isinstance((await fault_of(connector))[0], CrmRejected)
            await connector.close()
        assert elsewhere.connections == 0


async def test_a_proxy_of_the_environment_is_not_told_who_calls(
    crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeCrm() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        connector = connector_to(crm)
        assert await connector.find(NUMBER, DEADLINE_S)
        await connector.close()
        assert proxy.connections == 0


async def test_the_wrong_way_to_the_customers_is_an_error_and_none_if_is_none(crm: FakeCrm) -> None:
    connector = connector_to(crm, customers="data.items")
    crm.behave = answers(ADA)
    fault, _ = await fault_of(connector)
    assert type(fault) is CrmRejected
    assert "the answer has no `data.items`; it has: id, name" in str(fault)
    crm.behave = response(404, b"{}")
    assert await connector.find(NUMBER, DEADLINE_S) == []
    await connector.close()


async def test_the_command_says_what_is_wrong_once_and_logs_nothing(crm: FakeCrm, tmp_path: Path) -> None:
    crm.behave = response(403, HTML)
    (tmp_path / "cordboard.yaml").write_text("state: state\n")
    (tmp_path / "crm.yaml").write_text(
        f"country: GB\nconnector: {{http: {{url: '{crm.url}/{{number}}'}}}}\ncustomer: {{name: text}}\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from cordboard.cli import main; main()", "customers", "find", NUMBER,
        "-c", str(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 20)
    host = crm.url.removeprefix("http://")
    words = f"cordboard: {host}, http: it answered with status 403; look at `headers` in crm.yaml\n"
    assert (process.returncode, out.decode(), err.decode()) == (3, "", words)


# tries


@pytest.mark.parametrize("first", [response(503), raw(b""), response(500)], ids=["503", "hangs up", "500"])
async def test_a_passing_fault_is_asked_again_within_the_deadline(crm: FakeCrm, first: Behaviour) -> None:
    crm.behave = in_turn(first, answers([ADA]))
    connector = connector_to(crm)
    assert len(await connector.find(NUMBER, DEADLINE_S)) == 1
    assert len(crm.requests) == 2
    await connector.close()


async def test_there_are_three_tries_and_no_more(crm: FakeCrm) -> None:
    crm.behave = response(500)
    connector = connector_to(crm)
    await fault_of(connector, 5.0)
    assert len(crm.requests) == connector_module.TRIES == 3
    await connector.close()


@pytest.mark.parametrize("behaviour", [response(429), response(400), response(200, HTML)])
async def test_what_will_not_pass_is_not_asked_again(crm: FakeCrm, behaviour: Behaviour) -> None:
    crm.behave = behaviour
    connector = connector_to(crm)
    await fault_of(connector)
    assert len(crm.requests) == 1
    await connector.close()


@pytest.mark.parametrize(("repeatable", "tries"), [(None, 1), (True, 3)])
async def test_a_post_is_asked_again_only_if_it_is_said_to_be_harmless(
    crm: FakeCrm, repeatable: bool | None, tries: int
) -> None:
    crm.behave = response(503)
    connector = connector_to(crm, "/search", method="POST", body={"q": "{number}"}, repeatable=repeatable)
    await fault_of(connector)
    assert len(crm.requests) == tries
    await connector.close()


async def test_a_post_that_was_never_sent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeCrm() as crm:
        connector = connector_to(crm, "/search", method="POST", body={"q": "{number}"})
    tries = 0
    ask_once = connector._ask_once

    async def counted(number: str) -> Any:
        nonlocal tries
        tries += 1
        return await ask_once(number)

    monkeypatch.setattr(connector, "_ask_once", counted)
    await fault_of(connector)
    assert tries == 3
    await connector.close()


# the deadline


@pytest.mark.parametrize("timeout_s", [0.1, 0.25])
@pytest.mark.parametrize("behaviour", [silent, drips, response(503)], ids=["silent", "drips", "503"])
async def test_a_late_crm_holds_nobody_up(crm: FakeCrm, behaviour: Behaviour, timeout_s: float) -> None:
    crm.behave = behaviour
    lookups = Lookups(Crm(connector_to(crm), "GB", 5.0))
    lookups.begin("call", NUMBER)
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert isinstance(await lookups.result("call", timeout_s), NotLookedUp)
    assert loop.time() - began_at < timeout_s + PRECISION_S
    if behaviour is silent:
        assert loop.time() - began_at >= timeout_s - 0.01
    await lookups.aclose()


async def test_a_late_answer_still_reaches_whoever_wants_to_know(crm: FakeCrm) -> None:
    may_answer = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await answers([ADA])(request, writer)

    crm.behave = behave
    told: asyncio.Queue[tuple[str, object]] = asyncio.Queue()
    lookups = Lookups(Crm(connector_to(crm), "GB", 5.0), lambda *what: told.put_nowait(what))
    lookups.begin("call", NUMBER)
    assert await lookups.result("call", 0.05) == NotLookedUp("no answer within 0.05 s")
    may_answer.set()
    found = LookedUp("found", ADAS_FIELDS, 1)
    assert await asyncio.wait_for(told.get(), 2) == ("call", found)
    assert await lookups.result("call", 0.05) == found
    await lookups.aclose()


# the breaker


async def test_the_breaker_opens_asks_nobody_and_recovers(crm: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1_000.0
    monkeypatch.setattr(connector_module, "_now", lambda: clock)
    crm.behave = response(500)
    connector = connector_to(crm, breaker=Breaker(threshold=3, rest_s=5.0))
    with capture_logs() as lines:
        for _ in range(3):
            await fault_of(connector)
        asked = len(crm.requests)
        for _ in range(20):
            fault, took_s = await fault_of(connector)
            assert type(fault) is CrmResting
            assert took_s < PRECISION_S
        assert len(crm.requests) == asked
        clock += 5.0
        await fault_of(connector)  # one question, which fails
        assert len(crm.requests) == asked + 3
        assert type((await fault_of(connector))[0]) is CrmResting
        clock += 5.0
        crm.behave = answers([ADA])
        assert len(await connector.find(NUMBER, DEADLINE_S)) == 1
        assert len(await connector.find(NUMBER, DEADLINE_S)) == 1
    assert [line["event"] for line in lines] == ["crm_rests", "crm_rests", "crm_answers_again"]
    await connector.close()


async def test_an_answer_of_no_use_does_not_open_the_breaker(crm: FakeCrm) -> None:
    crm.behave = response(401)
    connector = connector_to(crm, breaker=Breaker(threshold=2))
    for _ in range(5):
        assert type((await fault_of(connector))[0]) is CrmRejected
    await connector.close()


async def test_a_hundred_callers_of_a_silent_crm_all_go_on_in_time(crm: FakeCrm) -> None:
    crm.behave = silent
    lookups = Lookups(Crm(connector_to(crm), "GB", 5.0))
    for number in range(100):
        lookups.begin(f"call{number}", f"+4420794601{number:02}")
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    outcomes = await asyncio.gather(*(lookups.result(f"call{number}", 0.2) for number in range(100)))
    assert loop.time() - began_at < 2.0  # together; one behind the other takes 20 s
    assert all(isinstance(outcome, NotLookedUp) for outcome in outcomes)
    assert crm.connections <= CONNECTIONS_MAX
    await lookups.aclose()


# TLS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; the key is in the same file."""
    path = tmp_path_factory.mktemp("tls") / "crm.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
        "2", "-subj", "/CN=crm", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


async def test_a_crm_that_cannot_prove_who_it_is_is_told_nothing(certificate: Path) -> None:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    async with FakeCrm(tls=served) as crm:
        stranger = connector_to(crm)
        fault, _ = await fault_of(stranger, 2.0)
        assert "certificate verify failed" in str(fault)
        assert crm.requests == []
        await stranger.close()

        trusted = ssl.create_default_context(cafile=certificate)
        connector = HttpConnector(Http(url=f"{crm.url}/?p={{number}}"), FIELDS, {}, trusted)
        assert len(await connector.find(NUMBER, 2.0)) == 1
        await connector.close()
