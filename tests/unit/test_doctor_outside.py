"""The checks `engine`, `clock`, `prompts`, `crm` and `versions`: real sockets, the real kernel, real sounds."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from cordboard.bootstrap.checks import clock, crm, engine, prompts, versions
from cordboard.bootstrap.checks.kernel_clock import is_synchronised
from cordboard.bootstrap.checks.premises import NotLookedAt
from cordboard.bootstrap.checks.result import Level
from cordboard.crm.customers_db import CustomersDb
from cordboard.store.database import open_database
from cordboard.store.tables import ledger
from tests.doubles.doctor_site import Site, as_nobody, only, open_folder
from tests.doubles.fake_crm import FakeCrm, answers, silent

CUSTOMER = "country: GB\ntimeout_s: {timeout_s}\nconnector: {connector}\ncustomer: {{name: text}}\n"


@asynccontextmanager
async def docker(path: Path, answer: bytes) -> AsyncIterator[None]:
    """A socket that says this to every question."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    listener = await asyncio.start_unix_server(talk, path)
    yield
    listener.close()


def http_answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


async def test_an_engine_that_answers_is_good(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    async with docker(path, http_answer("200 OK", '{"Version": "28.1.1"}')):
        assert (await engine.ask(f"unix://{path}")).seen == "Docker engine 28.1.1 answers"


async def test_an_engine_in_trouble_is_a_warning_at_most(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    async with docker(path, http_answer("500 Internal Server Error", '{"Version": "28"}')):
        assert (await engine.ask(f"unix://{path}")).level == Level.WARNING
    assert (await engine.ask(f"unix://{path}")).level in (Level.NOTE, Level.WARNING)  # whether Python unlinks it
    assert (await engine.ask(f"unix://{tmp_path}/none")).level == Level.NOTE
    assert (await engine.ask("tcp://127.0.0.1:1")).level == Level.WARNING
    assert (await engine.ask("ssh://somewhere")).level == Level.NOTE


async def test_an_engine_that_may_not_be_used_is_told_so() -> None:
    with open_folder() as folder:
        path = folder / "docker.sock"
        async with docker(path, b""):
            path.chmod(0o600)
            with as_nobody():
                result = await engine.ask(f"unix://{path}")
    if os.geteuid() == 0:
        assert result.level == Level.WARNING and "usermod -aG docker" in result.fix


def test_the_engine_of_the_environment_is_asked() -> None:
    assert engine.engine_address({"DOCKER_HOST": "tcp://10.0.0.1:2375"}) == "tcp://10.0.0.1:2375"
    assert engine.engine_address({}) == "unix:///var/run/docker.sock"


def test_the_kernel_tells_whether_its_clock_is_kept_right() -> None:
    assert is_synchronised() in (True, False)


def test_a_clock_that_nobody_keeps_is_a_warning() -> None:
    drifting = clock.judge_kernel(False)
    assert drifting is not None and drifting.level == Level.WARNING and "timedatectl" in drifting.fix
    assert clock.judge_kernel(True) is None
    assert clock.judge_kernel(None) is None


def test_a_clock_in_the_past_is_a_fault() -> None:
    past = clock.judge_time(86_400.0)
    assert past is not None and past.level == Level.FAULT and "1970-01-02" in past.seen
    assert clock.judge_time(time.time()) is None


def test_an_unknown_zone_is_a_fault() -> None:
    unknown = clock.judge_zone("Europe/Atlantis")
    assert unknown is not None and unknown.fix == "pip install tzdata"
    assert clock.judge_zone("Europe/London") is None


@pytest.mark.parametrize(("ahead_s", "is_fault"), [(-5.0, False), (600.0, True)])
async def test_an_event_in_the_future_is_a_fault(tmp_path: Path, ahead_s: float, is_fault: bool) -> None:
    site = Site(tmp_path)
    database = open_database(site.state / "cordboard.db")
    row = dict.fromkeys(("kind", "call_id", "entry_id", "offer_id", "queue", "agent", "party_ref"), "")
    with database.begin() as connection:
        connection.execute(insert(ledger), {**row, "event_id": "x", "at": time.time() + ahead_s, "data": {}})
    database.dispose()
    told = [result.seen for result in await clock.look(site.premises()) if result.level == Level.FAULT]
    assert len(told) == is_fault
    assert not told or "lies 9 min 59 s in the future" in told[0]


async def test_recordings_are_good_and_broken_ones_are_not(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.record()
    only(await prompts.look(site.premises()), Level.OK)
    path = site.config / "prompts" / "en" / "hello.wav"
    path.write_bytes(b"no sound")
    result = only(await prompts.look(site.premises()), Level.FAULT)
    assert f"{path}: not a WAV file" in result.seen and result.fix.startswith(f"sox {path} -r 8000")


async def test_a_prompt_without_sound_is_a_warning_and_without_a_voice_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    result = only(await prompts.look(site.premises()), Level.FAULT)
    assert "en/hello/hello" in result.seen and result.fix == "apt-get install espeak-ng sox"
    for name in prompts.VOICE_PROGRAMS:
        (programs / name).touch(mode=0o755)
    assert "prompts build" in only(await prompts.look(site.premises()), Level.WARNING).fix


async def test_the_voice_of_this_machine_makes_the_prompts_good(tmp_path: Path) -> None:
    site = Site(tmp_path)
    configuration = site.premises().configuration
    assert await configuration.library.prepare(configuration.prompts()) == []
    assert only(await prompts.look(site.premises()), Level.OK).seen == "all of 1 prompt can be played"


async def test_no_crm_is_good(tmp_path: Path) -> None:
    assert only(await crm.look(Site(tmp_path).premises()), Level.OK).seen == "none configured"


async def test_an_empty_directory_is_noted_and_not_made(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("crm.yaml", CUSTOMER.format(connector="directory", timeout_s=0.8))
    assert "customers import" in only(await crm.look(site.premises()), Level.NOTE).fix
    assert list(site.state.iterdir()) == []
    db = CustomersDb(site.state / "customers.db")
    db.put_all([])
    db.close()
    assert only(await crm.look(site.premises()), Level.OK).seen.startswith("directory answers in")


async def test_a_crm_is_asked_for_a_number_that_nobody_has(tmp_path: Path) -> None:
    async with FakeCrm(answers([])) as asked:
        site = with_http(tmp_path, asked.url)
        assert only(await crm.look(site.premises()), Level.OK).seen.startswith("http answers in")
    assert asked.requests[0].target == "/find?phone=%2B442079460999"


async def test_a_crm_that_fails_is_a_fault_each_in_its_words(tmp_path: Path) -> None:
    async with FakeCrm(answers({}, status=401)) as asked:
        site = with_http(tmp_path, asked.url)
        refused = only(await crm.look(site.premises()), Level.FAULT)
    gone = only(await crm.look(site.premises()), Level.FAULT)
    assert "401" in refused.seen and "`headers:`" in refused.fix
    assert "cannot connect" in gone.seen and "`url:`" in gone.fix


async def test_a_wrong_way_to_the_customers_is_a_fault_with_the_keys_that_are_there(tmp_path: Path) -> None:
    async with FakeCrm(answers({"id": 7, "name": "Ada"})) as asked:
        site = with_http(tmp_path, asked.url, timeout_s=0.8)
        text = (site.config / "crm.yaml").read_text()
        site.write("crm.yaml", text.replace("http: {", "http: {customers: data.items, "))
        refused = only(await crm.look(site.premises()), Level.FAULT)
    assert "the answer has no `data.items`; it has: id, name" in refused.seen
    assert "`customers:`" in refused.fix


async def test_a_crm_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm, "LONGEST_S", 0.2)
    async with FakeCrm(silent) as asked:
        result = only(await crm.look(with_http(tmp_path, asked.url, timeout_s=0.1).premises()), Level.FAULT)
    assert "no answer within 0.2 s" in result.seen


def test_a_slow_crm_is_told_apart_from_one_that_is_down() -> None:
    slow = crm.judge("http", 2.04, 0.8)
    assert slow.level == Level.WARNING and "takes 2.0 s" in slow.seen and "`timeout_s: 3.1`" in slow.fix
    assert crm.judge("http", 0.1, 0.8).level == Level.OK


async def test_a_faulty_crm_file_is_left_to_lint(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("crm.yaml", "country: Narnia\n")
    with pytest.raises(NotLookedAt, match=r"crm\.yaml has faults"):
        await crm.look(site.premises())


def test_an_sqlite_that_is_too_old_is_a_fault() -> None:
    assert versions.judge((3, 40, 1)).level == Level.OK
    assert versions.judge((3, 34, 9)).level == Level.FAULT


def with_http(folder: Path, url: str, timeout_s: float = 0.8) -> Site:
    site = Site(folder)
    connector = f"{{http: {{url: '{url}/find?phone={{number}}'}}}}"
    site.write("crm.yaml", CUSTOMER.format(connector=connector, timeout_s=timeout_s))
    return site
