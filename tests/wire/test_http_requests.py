"""What flows ask web services, against a real one on a socket, with every fault that one can have."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from cordboard.crm.breaker import Breaker
from cordboard.http_client.client import WebClient
from cordboard.http_client.guarded_transport import HostBook
from cordboard.http_section import WebService
from cordboard.service import http_requests as http_requests_module
from cordboard.service.http_requests import HttpRequests
from cordboard.service.metrics import Metrics
from cordboard.service.web_services import ANSWER_MAX_BYTES, OpenService
from cordboard.telephony.outcomes import HttpAnswered, HttpFailed
from cordboard.telephony.verbs import AnswerField, HttpRequest
from tests.doubles.fake_crm import Behaviour, FakeCrm, Request, answers, drips, in_turn, raw, response, silent

ORDER = {"data": {"state": "sent", "items": [{"no": 7}, {"no": 8}], "weight": 12.5, "paid": True, "gone": None}}
STATE = (AnswerField("state", "data.state", "string"),)
TLS = ssl.create_default_context()  # made once: it reads all authorities of the system
LONG_S = 8.0  # of what ends by itself
SHORT_S = 0.3


@pytest.fixture
async def web() -> AsyncIterator[FakeCrm]:
    async with FakeCrm(answers(ORDER)) as fake:
        yield fake


def service_at(url: str, breaker: Breaker | None = None, **options: Any) -> OpenService:
    section = WebService(url=url, private=True, **options)
    client = WebClient(
        {"X-Key": "s3cret"}, TLS, answer_max_bytes=ANSWER_MAX_BYTES, book=HostBook(allow_private=True)
    )
    return OpenService("orders", section, client, breaker)


def requests_to(web: FakeCrm, path: str = "", breaker: Breaker | None = None) -> HttpRequests:
    return HttpRequests({"orders": service_at(f"{web.url}{path}", breaker)}, Metrics())


def request(method: Any = "GET", timeout_s: float = LONG_S, **options: Any) -> HttpRequest:
    return HttpRequest(
        method, "orders", options.pop("path", "/orders/17"), timeout_s, **{"answer": STATE, **options}
    )


async def outcome_of(web: FakeCrm, verb: HttpRequest) -> HttpAnswered | HttpFailed:
    http = requests_to(web)
    try:
        return await http.request("call", verb)
    finally:
        await http.aclose()


# what is asked


async def test_the_request_is_what_the_flow_said_with_the_headers_of_the_settings(web: FakeCrm) -> None:
    http = requests_to(web, "/v1/")
    verb = request("POST", path="/orders/a%2Fb", query=(("q", "ä &=?#\n"), ("n", "1")), body='{"a":1}')
    assert await http.request("call", verb) == HttpAnswered(200, {"state": "sent"})
    (asked,) = web.requests
    assert (asked.method, asked.target) == ("POST", "/v1/orders/a%2Fb?q=%C3%A4%20%26%3D%3F%23%0A&n=1")
    assert asked.body == b'{"a":1}'
    assert asked.headers["x-key"] == "s3cret"
    assert asked.headers["host"] == f"127.0.0.1:{web.port}"
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    await http.aclose()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_only_what_is_no_repeatable_method_carries_a_key(web: FakeCrm, method: str) -> None:
    assert isinstance(await outcome_of(web, request(method)), HttpAnswered)
    (asked,) = web.requests
    assert asked.method == method
    assert ("idempotency-key" in asked.headers) is (method in ("POST", "PATCH"))


# what is answered


@pytest.mark.parametrize(
    ("path", "kind", "value"),
    [
        ("data.state", "string", "sent"),
        ("data.items[1].no", "int", 8),
        ("data.items.0.no", "int", 7),
        ("data.weight", "double", 12.5),
        ("data.items[0].no", "double", 7.0),
        ("data.paid", "bool", True),
    ],
)
async def test_values_are_typed(web: FakeCrm, path: str, kind: str, value: object) -> None:
    outcome = await outcome_of(web, request(answer=(AnswerField("x", path, kind),)))
    assert outcome == HttpAnswered(200, {"x": value})
    assert isinstance(outcome, HttpAnswered)
    assert type(outcome.values["x"]) is type(value)


@pytest.mark.parametrize(
    "path", ["data.lost", "data.gone", "data.items[2].no", "data.state.more", "data.items[99999]"]
)
async def test_what_is_not_there_is_left_out(web: FakeCrm, path: str) -> None:
    assert await outcome_of(web, request(answer=(AnswerField("x", path, "string"),))) == HttpAnswered(200)


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("data.items", "string", "`data.items` is no text of at most 1000 characters"),
        ("data.weight", "string", "`data.weight` is no text of at most 1000 characters"),
        ("data.weight", "int", "`data.weight` is no whole number"),
        ("data.paid", "int", "`data.paid` is no whole number"),
        ("data.paid", "double", "`data.paid` is no number"),
        ("data.state", "double", "`data.state` is no number"),
        ("data.state", "bool", "`data.state` is no true or false"),
        ("data", "bool", "`data` is no true or false"),
    ],
)
async def test_a_value_of_another_type_is_a_fault(web: FakeCrm, path: str, kind: str, reason: str) -> None:
    verb = request(answer=(AnswerField("x", path, kind),))
    assert await outcome_of(web, verb) == HttpFailed(reason, 200)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x" * 1001, "string"), (2**63, "int"), (-(2**63) - 1, "int"), (1e301, "double")],
)
async def test_a_value_that_is_too_large_is_a_fault(web: FakeCrm, value: object, kind: str) -> None:
    web.behave = response(200, b'{"x": %s}' % str(value).encode() if kind == "int" else orjson.dumps({"x": value}))
    outcome = await outcome_of(web, request(answer=(AnswerField("x", "x", kind),)))
    assert isinstance(outcome, HttpFailed)
    assert outcome.reason.startswith("`x` is no ")


async def test_what_does_not_print_is_left_out_of_texts(web: FakeCrm) -> None:
    web.behave = answers({"x": "A\x00d\x1b[2Ja\u202e\nL"})
    assert await outcome_of(web, request(answer=(AnswerField("x", "x", "string"),))) == HttpAnswered(
        200, {"x": "Ad[2JaL"}
    )


@pytest.mark.parametrize("behaviour", [response(204), response(201, b"created"), response(200, b"")])
async def test_an_answer_that_nobody_wants_to_read_may_be_anything(web: FakeCrm, behaviour: Behaviour) -> None:
    web.behave = behaviour
    assert isinstance(await outcome_of(web, request("DELETE", answer=())), HttpAnswered)


# faults

HTML = b"<html><body>Ada Lovelace 918273</body></html>"


async def floods(_request: Request, writer: asyncio.StreamWriter) -> None:
    """100 MB of JSON, its length not told before."""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
    for _ in range(1_600):
        writer.write(b'"' + b"x" * 65_530 + b'",')
        await writer.drain()


async def resets(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Ends the connection the hard way."""
    writer.transport.abort()


TOO_MUCH = f"the answer has more than {ANSWER_MAX_BYTES} bytes"
BROKEN = "the connection broke"
FAULTS: list[tuple[str, Behaviour, str, int]] = [
    ("500", response(500, HTML), "it answered with status 500", 500),
    ("503", response(503), "it answered with status 503", 503),
    ("429", response(429), "it answered with status 429", 429),
    ("404", response(404, HTML), "it answered with status 404", 404),
    ("401", response(401), "it answered with status 401", 401),
    ("redirect", response(302, Location="http://127.0.0.2/"), "redirects are not followed", 302),
    ("silent", silent, "no answer within 0.3 s", 0),
    ("drips", drips, "no answer within 0.3 s", 0),
    ("hangs up", raw(b""), BROKEN, 0),
    ("resets", resets, BROKEN, 0),
    ("garbage", raw(b"\x00\xff Lovelace\r\n\r\n"), BROKEN, 0),
    ("cut short", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{"), BROKEN, 0),
    ("endless head", raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), BROKEN, 0),
    ("html", response(200, HTML), "the answer is no JSON", 200),
    ("empty", response(200), "the answer is no JSON", 200),
    ("cut JSON", response(200, b'{"data": Lovelace'), "the answer is no JSON", 200),
    ("NaN", response(200, b'{"data": {"state": NaN}}'), "the answer is no JSON", 200),
    ("latin-1", response(200, b'{"data": {"state": "\xe9"}}'), "the answer is no JSON", 200),
    ("deep", response(200, b"[" * 100_000), "the answer is no JSON", 200),
    ("100 MB", floods, TOO_MUCH, 200),
    ("100 MB told", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b" " * 2_000_000), TOO_MUCH, 200),
    ("compressed", response(200, b"x", Content_Encoding="gzip"), "compressed", 200),
    ("wrong type", answers({"data": {"state": 918273}}), "`data.state` is no text", 200),
]  # fmt: skip


@pytest.mark.parametrize(
    ("behaviour", "words", "status"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
async def test_a_fault_is_one_outcome_and_one_line_without_what_was_asked_or_answered(
    web: FakeCrm, behaviour: Behaviour, words: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    web.behave = behaviour
    timeout_s = SHORT_S if "no answer" in words else LONG_S
    http = requests_to(web)
    verb = request(path="/orders/918273", query=(("who", "Lovelace"),), timeout_s=timeout_s)
    began_at = asyncio.get_running_loop().time()
    with capture_logs() as lines:
        outcome = await http.request("call", verb)
    assert asyncio.get_running_loop().time() - began_at < LONG_S
    assert isinstance(outcome, HttpFailed)
    assert words in outcome.reason
    assert outcome.status == status
    (line,) = lines
    assert line == {
        "event": "http_failed", "log_level": "warning", "call_id": "call", "service": "orders", "method": "GET",
        "status": status, "reason": outcome.reason,
    }  # fmt: skip
    shown = f"{outcome} {lines} {verb} {capfd.readouterr()}"
    assert not [secret for secret in ("918273", "Lovelace", "s3cret") if secret in shown]
    await http.aclose()


async def test_nobody_listens() -> None:
    async with FakeCrm() as web:
        http = requests_to(web)
    outcome = await http.request("call", request())
    assert isinstance(outcome, HttpFailed)
    assert "cannot connect" in outcome.reason
    await http.aclose()


async def test_a_redirect_leads_nowhere(web: FakeCrm) -> None:
    async with FakeCrm() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            web.behave = response(status, Location=f"{elsewhere.url}/orders")
            assert isinstance(await outcome_of(web, request()), HttpFailed)
        assert elsewhere.connections == 0


async def test_a_proxy_of_the_environment_is_told_nothing(web: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeCrm() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert isinstance(await outcome_of(web, request()), HttpAnswered)
        assert proxy.connections == 0


# attempts


@pytest.mark.parametrize("first", [response(503), raw(b""), resets], ids=["503", "hangs up", "resets"])
async def test_a_passing_fault_is_asked_again_if_the_flow_says_so(web: FakeCrm, first: Behaviour) -> None:
    for retries, kind in ((1, HttpAnswered), (0, HttpFailed)):
        web.behave = in_turn(first, answers(ORDER))
        assert type(await outcome_of(web, request(retries=retries))) is kind


async def test_all_attempts_of_a_post_have_one_key_and_the_next_post_another(web: FakeCrm) -> None:
    http = requests_to(web)
    for _ in range(2):
        web.behave = in_turn(response(503), response(503), answers(ORDER))
        assert isinstance(await http.request("call", request("POST", retries=2)), HttpAnswered)
    keys = [one.headers["idempotency-key"] for one in web.requests]
    assert len(keys) == 6
    assert len(set(keys[:3])) == len(set(keys[3:])) == 1
    assert keys[0] != keys[3]
    await http.aclose()


@pytest.mark.parametrize("behaviour", [response(404), response(429), response(302), response(200, HTML)])
async def test_what_will_not_pass_is_not_asked_again(web: FakeCrm, behaviour: Behaviour) -> None:
    web.behave = behaviour
    await outcome_of(web, request(retries=3))
    assert len(web.requests) == 1


async def test_one_deadline_holds_for_all_attempts(web: FakeCrm) -> None:
    web.behave = in_turn(response(503), silent)
    outcome = await outcome_of(web, request(retries=3, timeout_s=SHORT_S))
    assert outcome == HttpFailed("no answer within 0.3 s")
    assert len(web.requests) == 2


# the breaker, and many at once


async def test_a_service_that_fails_rests_and_another_one_does_not(web: FakeCrm) -> None:
    async with FakeCrm(answers(ORDER)) as other:
        http = HttpRequests(
            {
                "orders": service_at(web.url, Breaker(threshold=3, rest_s=600.0)),
                "parts": service_at(other.url, Breaker(threshold=3, rest_s=600.0)),
            },
            Metrics(),
        )
        web.behave = response(500)
        for _ in range(3):
            await http.request("call", request())
        assert await http.request("call", request()) == HttpFailed("not asked, as the last requests failed")
        assert len(web.requests) == 3
        assert isinstance(
            await http.request("call", HttpRequest("GET", "parts", "/", LONG_S, answer=STATE)), HttpAnswered
        )
        await http.aclose()


async def test_an_answer_of_no_use_does_not_make_it_rest(web: FakeCrm) -> None:
    http = requests_to(web, breaker=Breaker(threshold=2))
    web.behave = response(404)
    for _ in range(5):
        assert await http.request("call", request()) == HttpFailed("it answered with status 404", 404)
    await http.aclose()


async def test_a_hundred_callers_of_a_silent_service_all_go_on(web: FakeCrm) -> None:
    web.behave = silent
    http = requests_to(web)
    outcomes = await asyncio.gather(*(http.request(str(n), request(timeout_s=SHORT_S)) for n in range(100)))
    assert set(outcomes) == {HttpFailed("no answer within 0.3 s")}
    await http.aclose()


async def test_there_are_never_too_many_under_way(web: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_requests_module, "UNDER_WAY_MAX", 2)
    web.behave = silent
    http = requests_to(web)
    under_way = [asyncio.create_task(http.request(str(n), request())) for n in range(2)]
    await asyncio.sleep(0)
    assert await http.request("call", request()) == HttpFailed("too many requests are under way")
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    web.behave = answers(ORDER)
    assert isinstance(await http.request("call", request()), HttpAnswered)
    await http.aclose()


# a reload


async def test_a_reload_lets_what_is_under_way_end(web: FakeCrm) -> None:
    may_answer, was_asked = asyncio.Event(), asyncio.Event()

    async def behave(asked: Request, writer: asyncio.StreamWriter) -> None:
        was_asked.set()
        await may_answer.wait()
        await answers(ORDER)(asked, writer)

    web.behave = behave
    http = requests_to(web)
    under_way = asyncio.create_task(http.request("call", request()))
    await was_asked.wait()
    async with FakeCrm(answers({"data": {"state": "new"}})) as fresh:
        await http.use({"orders": service_at(fresh.url)})
        assert await http.request("call", request()) == HttpAnswered(200, {"state": "new"})
        may_answer.set()
        assert await under_way == HttpAnswered(200, {"state": "sent"})
        await http.use({})
        gone = HttpFailed("there is no such service in the settings any more")
        assert await http.request("call", request()) == gone
    await http.aclose()
