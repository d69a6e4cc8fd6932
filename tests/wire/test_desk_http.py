"""The desk over real sockets: who may come in, who may not, and what every answer carries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import time

import httpx2
import pytest

from cordboard.desk import body_limit
from cordboard.desk.body_limit import BODY_MAX
from cordboard.desk.logging_in import WRONG_OF_ONE_AGENT
from cordboard.errors import StoreUnavailable
from cordboard.service.passwords import hash_password
from tests.doubles.running_desk import ASK_S, PASSWORD, RunningDesk, running_desk

CREDENTIALS = {"agent": "alice", "password": PASSWORD}


@pytest.fixture
async def desk() -> AsyncIterator[RunningDesk]:
    async with running_desk() as desk:
        yield desk


def is_problem(answer: httpx2.Response, status: int, kind: str) -> bool:
    """Whether it is a refusal in the form of RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert body["title"]
    assert body["detail"]
    return bool(body["type"] == f"urn:cordboard:problem:{kind}")


# -- logging in and out --


async def test_who_logs_in_gets_a_cookie_only_this_site_and_no_script_can_use(desk: RunningDesk) -> None:
    answer = await desk.log_in()
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= set(cookie.split("; "))
    assert "secure" not in cookie
    assert (await desk.browser.get("/api/v1/snapshot")).json()["view"]["me"]["name"] == "Alice Ray"


async def test_a_name_may_be_typed_with_capitals(desk: RunningDesk) -> None:
    assert (await desk.log_in(" Alice ")).status_code == 204
    assert (await desk.browser.get("/api/v1/snapshot")).json()["view"]["me"]["agent"] == "alice"


async def test_guesses_with_other_capitals_are_guesses_at_one_agent(desk: RunningDesk) -> None:
    for name in ("alice", "Alice") * (WRONG_OF_ONE_AGENT // 2):
        await desk.browser.post("/api/v1/login", json={"agent": name, "password": "wrong"})
    assert (await desk.log_in("ALICE")).status_code == 429


async def test_whoever_asks_is_told_that_the_desk_is_alive(desk: RunningDesk) -> None:
    desk.accounts.is_down = True
    async with desk.stranger() as probe:
        answer = await probe.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


async def test_behind_https_the_cookie_is_secure_and_bound_to_the_host() -> None:
    async with running_desk(https=True) as desk:
        answer = await desk.log_in()
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "secure" in cookie.lower().split("; ")
        assert "max-age=" in answer.headers["strict-transport-security"]


async def test_the_store_never_holds_a_token(desk: RunningDesk) -> None:
    answer = await desk.log_in()
    token = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    (kept,) = desk.accounts.sessions
    assert len(token) == 43
    assert token not in kept
    stranger = desk.stranger(Cookie=f"cordboard={kept}")
    assert is_problem(await stranger.get("/api/v1/snapshot"), 401, "not-logged-in")
    await stranger.aclose()


WRONG = [
    {"agent": "alice", "password": "wrong"},
    {"agent": "nobody", "password": PASSWORD},
    {"agent": "gone", "password": PASSWORD},  # has a password, is not in agents.yaml any more
]


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(desk: RunningDesk) -> None:
    answers = [await desk.browser.post("/api/v1/login", json=wrong) for wrong in WRONG]
    assert all(is_problem(answer, 401, "wrong-credentials") for answer in answers)
    assert len({answer.text for answer in answers}) == 1
    assert desk.accounts.sessions == {}


async def test_a_wrong_name_takes_as_long_as_a_wrong_password(desk: RunningDesk) -> None:
    desk.accounts.hashes["alice"] = hash_password(PASSWORD)
    took: dict[str, list[float]] = {"alice": [], "nobody": []}
    for _ in range(4):
        for agent, times in took.items():
            began_at = time()
            await desk.browser.post("/api/v1/login", json={"agent": agent, "password": "wrong"})
            times.append(time() - began_at)
    known_s, unknown_s = min(took["alice"]), min(took["nobody"])
    assert unknown_s > known_s / 3  # without a hash to check it is a hundredth


async def test_logging_out_ends_the_session_and_takes_the_agent_out(desk: RunningDesk) -> None:
    await desk.log_in()
    assert (await desk.browser.post("/api/v1/logout")).status_code == 204
    assert desk.floor.asked == [("alice", "logged_out", "")]
    assert desk.accounts.sessions == {}
    assert is_problem(await desk.browser.get("/api/v1/snapshot"), 401, "not-logged-in")


async def test_a_session_ends_after_its_time(desk: RunningDesk) -> None:
    await desk.log_in()
    (session,) = desk.accounts.sessions.values()
    assert session.expires_at == pytest.approx(time() + 12 * 3600, abs=60)
    desk.accounts.sessions[session.token_hash] = type(session)(session.token_hash, "alice", time() - 1)
    assert is_problem(await desk.browser.get("/api/v1/snapshot"), 401, "not-logged-in")


async def test_an_agent_taken_out_of_the_configuration_is_out(desk: RunningDesk) -> None:
    await desk.log_in()
    desk.floor.plan = type(desk.floor.plan)(desk.floor.plan.queues, {})
    assert is_problem(await desk.browser.get("/api/v1/snapshot"), 401, "not-logged-in")


# -- guessing --


async def test_guessing_a_password_is_stopped_and_the_right_one_waits_too(desk: RunningDesk) -> None:
    wrong = {"agent": "alice", "password": "wrong"}
    first = [(await desk.browser.post("/api/v1/login", json=wrong)).status_code for _ in range(WRONG_OF_ONE_AGENT)]
    assert first == [401] * WRONG_OF_ONE_AGENT
    stopped = await desk.browser.post("/api/v1/login", json=CREDENTIALS)
    assert is_problem(stopped, 429, "too-many-attempts")
    assert 0 < int(stopped.headers["retry-after"]) <= 30
    assert (await desk.log_in("bob")).status_code == 204


async def test_many_guesses_at_once_are_many(desk: RunningDesk) -> None:
    wrong = {"agent": "alice", "password": "wrong"}
    answers = await asyncio.gather(*(desk.browser.post("/api/v1/login", json=wrong) for _ in range(14)))
    looked_at = [answer for answer in answers if answer.status_code == 401]
    assert len(looked_at) <= WRONG_OF_ONE_AGENT


async def test_the_right_password_does_not_count(desk: RunningDesk) -> None:
    for _ in range(WRONG_OF_ONE_AGENT + 2):
        assert (await desk.log_in()).status_code == 204


# -- requests from elsewhere --

FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "ftp://{host}"},
    {"Origin": "http://["},
    {"Origin": "http://{host}.evil.example"},
    {"Origin": "http://{host}", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://{host}", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin"},
]
CHANGES = [
    ("POST", "/api/v1/login", CREDENTIALS),
    ("POST", "/api/v1/logout", None),
    ("PUT", "/api/v1/presence", {"presence": "available"}),
    ("POST", "/api/v1/offers/x/disposition", {"disposition": "sold"}),
    ("DELETE", "/nowhere", None),
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_nothing_is_changed_for_another_site(desk: RunningDesk, headers: dict[str, str]) -> None:
    await desk.log_in()
    cookie = "; ".join(f"{name}={value}" for name, value in desk.browser.cookies.items())
    host = desk.url.removeprefix("http://")
    filled = {name: value.replace("{host}", host) for name, value in headers.items()}
    async with desk.stranger(Cookie=cookie, **filled) as stranger:
        for method, path, body in CHANGES:
            answer = await stranger.request(method, path, json=body)
            assert is_problem(answer, 403, "foreign-origin")
    assert desk.floor.asked == []
    assert len(desk.accounts.sessions) == 1


async def test_a_page_of_the_desk_changes_things(desk: RunningDesk) -> None:
    await desk.log_in()
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = await desk.browser.put("/api/v1/presence", json={"presence": "available"}, headers=headers)
    assert answer.status_code == 204


async def test_http_is_foreign_where_people_come_by_https() -> None:
    async with running_desk(https=True) as desk:
        answer = await desk.browser.post("/api/v1/login", json=CREDENTIALS, headers={"Origin": desk.url})
        assert is_problem(answer, 403, "foreign-origin")


# -- what every answer carries --

ADDRESSES = ["/", "/login", "/queues", "/static/desk.js", "/api/v1/snapshot", "/nowhere", "/api/v1/openapi.json"]


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_answer_ties_the_browsers_hands(desk: RunningDesk, path: str) -> None:
    headers = (await desk.browser.get(path)).headers
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


async def test_pages_are_for_who_is_logged_in(desk: RunningDesk) -> None:
    assert (await desk.browser.get("/")).headers["location"] == "/login"
    assert (await desk.browser.get("/queues")).headers["location"] == "/login?to=queues"
    await desk.log_in()
    assert "Desk" in (await desk.browser.get("/")).text
    assert "Queues" in (await desk.browser.get("/queues")).text


async def test_only_what_belongs_to_the_pages_is_served(desk: RunningDesk) -> None:
    for name in ("desk.html", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "app.py"):
        assert (await desk.browser.get(f"/static/{name}")).status_code == 404


async def test_an_unchanged_script_is_not_sent_twice(desk: RunningDesk) -> None:
    etag = (await desk.browser.get("/static/desk.js")).headers["etag"]
    again = await desk.browser.get("/static/desk.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


# -- what is wrong is told as a problem --


async def test_a_body_that_is_too_large_is_refused_announced_or_not(desk: RunningDesk) -> None:
    big = {"agent": "alice", "password": "x" * BODY_MAX}
    assert is_problem(await desk.browser.post("/api/v1/login", json=big), 413, "too-large")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * (BODY_MAX // 8)

    headers = {"Content-Type": "application/json"}
    chunked = await desk.browser.post("/api/v1/login", content=pieces(), headers=headers)
    assert is_problem(chunked, 413, "too-large")


async def test_a_body_that_comes_too_slowly_is_not_waited_for(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "BODY_S", 0.1)
    host, port = desk.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["POST /api/v1/login HTTP/1.1", f"Host: {host}:{port}", f"Origin: {desk.url}"]
    lines += ["Content-Type: application/json", "Content-Length: 100", "", '{"agent"']
    writer.write("\r\n".join(lines).encode())
    answer = await asyncio.wait_for(reader.readuntil(b"}"), ASK_S)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:cordboard:problem:too-slow" in answer
    writer.close()


async def test_a_malformed_request_is_told_its_fault_and_not_its_password(desk: RunningDesk) -> None:
    secret = "p" * 300
    answer = await desk.browser.post("/api/v1/login", json={"agent": "alice", "password": secret, "x": 1})
    assert is_problem(answer, 422, "malformed")
    assert {error["at"] for error in answer.json()["errors"]} == {"body.password", "body.x"}
    assert secret[:20] not in answer.text


async def test_a_form_of_another_page_is_no_login(desk: RunningDesk) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", ""):
        headers = {"Content-Type": content_type} if content_type else {}
        body = b'{"agent":"alice","password":"correct horse battery"}'
        answer = await desk.browser.post("/api/v1/login", content=body, headers=headers)
        assert is_problem(answer, 422, "malformed")


async def test_unknown_addresses_and_methods_are_problems(desk: RunningDesk) -> None:
    assert is_problem(await desk.browser.get("/nowhere"), 404, "not-found")
    assert is_problem(await desk.browser.get("/api/v1/login"), 405, "method-not-allowed")


async def test_an_unknown_pause_reason_is_refused_in_words(desk: RunningDesk) -> None:
    await desk.log_in()
    answer = await desk.browser.put("/api/v1/presence", json={"presence": "paused", "reason": "nap"})
    assert is_problem(answer, 422, "not-possible")
    assert "nap" in answer.json()["detail"]


Ask = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]
NEED_THE_FLOOR: list[Ask] = [
    lambda browser: browser.get("/api/v1/snapshot"),
    lambda browser: browser.get("/api/v1/queues"),
    lambda browser: browser.put("/api/v1/presence", json={"presence": "available"}),
    lambda browser: browser.post("/api/v1/offers/x/disposition", json={"disposition": "sold"}),
]


@pytest.mark.parametrize("ask", NEED_THE_FLOOR)
async def test_without_a_database_the_desk_says_so(desk: RunningDesk, ask: Ask) -> None:
    await desk.log_in()
    desk.floor.fault = StoreUnavailable("locked by /secret/path")
    answer = await ask(desk.browser)
    assert is_problem(answer, 503, "store-unavailable")
    assert "secret" not in answer.text
    assert answer.headers["retry-after"]


async def test_without_a_database_the_pages_still_open(desk: RunningDesk) -> None:
    await desk.log_in()
    desk.accounts.is_down = True
    assert (await desk.browser.get("/")).status_code == 200
    assert is_problem(await desk.log_in(), 503, "store-unavailable")


async def test_a_fault_of_ours_is_a_problem_without_its_words(desk: RunningDesk) -> None:
    await desk.log_in()
    desk.floor.fault = RuntimeError("a secret")
    answer = await desk.browser.get("/api/v1/snapshot")
    assert is_problem(answer, 500, "fault")
    assert "secret" not in answer.text


# -- what is whose --


async def test_what_an_agent_does_is_done_as_that_agent(desk: RunningDesk) -> None:
    await desk.log_in("bob")
    await desk.browser.put("/api/v1/presence", json={"presence": "paused", "reason": "lunch"})
    await desk.browser.post("/api/v1/offers/01OFFER/disposition", json={"disposition": "sold", "note": "ok"})
    assert desk.floor.asked == [("bob", "paused", "lunch"), ("bob", "01OFFER", "sold", "ok")]
    answer = await desk.browser.put("/api/v1/presence", json={"presence": "available", "agent": "alice"})
    assert is_problem(answer, 422, "malformed")


async def test_the_api_is_described_and_its_description_loads_nothing(desk: RunningDesk) -> None:
    described = (await desk.browser.get("/api/v1/openapi.json")).json()["paths"]
    assert {"/api/v1/login", "/api/v1/presence", "/api/v1/offers/{offer_id}/disposition"} <= set(described)
    assert (await desk.browser.get("/docs")).status_code == 404
