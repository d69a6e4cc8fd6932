"""Saved files, `cordboard flow` and SIGHUP: what goes live, when, and what a call under way hears of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.requests import ask_service
from cordboard.bootstrap.revisions import Cause
from tests.doubles.fake_asterisk import FakeAsterisk, header_block, new_call
from tests.doubles.running_service import FLOW, PLAYED, Service, caller, plays

PUBLISH = Cause("publish")
NEW = FLOW.replace("next: again", "next: bye")
BAD = FLOW.replace("next: bye", "next: by")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path)
    yield service
    await service.kill()


def flow_file(service: Service) -> Path:
    return service.config / "flows" / "hello.yaml"


async def loaded(service: Service, count: int = 1) -> None:
    """Until a worker has loaded so many configurations after its first."""
    await service.events("configuration_loaded", count)


async def rows(service: Service, *arguments: str) -> list[dict[str, Any]]:
    """What a listing command says, line by line."""
    code, out, complaints = await service.command(*arguments, "--json")
    assert code == 0, complaints
    return [json.loads(line) for line in out.splitlines()]


async def prompts_heard(service: Service) -> int:
    """How many prompts a new call hears."""
    count = 0
    async with await caller(service) as asterisk:
        while await plays(asterisk):
            count += 1
            asterisk.reply(PLAYED)
    return count


@pytest.mark.parametrize("how", ["written", "renamed", "in pieces"])
async def test_a_saved_file_is_live_at_once(service: Service, how: str) -> None:
    await service.start()
    file = flow_file(service)
    if how == "written":
        file.write_text(NEW)
    elif how == "renamed":
        (part := file.with_name("4913")).write_text(NEW)
        file.rename(file.with_name("hello.yaml~"))
        part.rename(file)
    else:
        half = NEW.index("nodes:") + 8  # a node with nothing in it
        file.write_text(NEW[:half])
        with file.open("a") as rest:
            rest.write(NEW[half:])
    await loaded(service)
    assert await prompts_heard(service) == 1
    assert not service.journal.find("configuration_refused")
    published = await service.events("flow_published", 2)  # the supervisor's line may come after the worker's
    assert [(entry["by"], entry["flow"]) for entry in published] == [("start", "hello"), ("watch", "hello")]


async def test_a_bad_file_changes_nothing_and_is_told_wherever_somebody_looks(service: Service) -> None:
    await service.start()
    flow_file(service).write_text(BAD)
    refused = await service.journal.wait("configuration_refused", 10)
    assert (refused["file"], refused["line"]) == (str(flow_file(service)), 6)
    told = json.loads((service.state / "last_refusal.json").read_text())
    assert (told["by"], [one["code"] for one in told["findings"]]) == ("watch", ["unknown-node"])
    code, out, complaints = await service.command("flow", "list")
    assert code == 0
    assert "the file differs" in out
    assert f"{flow_file(service)}:6:" in complaints and "did you mean `bye`?" in complaints
    assert await prompts_heard(service) == 2
    flow_file(service).write_text(NEW)
    await loaded(service)
    assert not (service.state / "last_refusal.json").exists()
    assert await prompts_heard(service) == 1


async def test_a_fault_that_was_taken_back_is_told_no_longer(service: Service) -> None:
    await service.start()
    flow_file(service).write_text(BAD)
    await service.journal.wait("configuration_refused", 10)
    (part := flow_file(service).with_name("4913")).write_text(FLOW)  # as it was before
    part.rename(flow_file(service))
    await loaded(service)
    assert not (service.state / "last_refusal.json").exists()


async def test_a_file_that_was_only_touched_is_no_news(service: Service) -> None:
    (service.config / "cordboard.yaml").write_text("log: {format: json, level: debug}\ndrain_s: 6\n")
    await service.start()
    flow_file(service).write_text(FLOW)
    await service.journal.wait("saved_unchanged", 10)
    (service.config / "flows" / "second.yaml").write_text(FLOW.replace("flow: hello", "flow: second"))
    await loaded(service)
    assert len(service.journal.find("configuration_loaded")) == 1
    assert [entry["flow"] for entry in await service.events("flow_published", 1, by="watch")] == ["second"]


async def test_folders_that_come_and_go_are_watched_too(service: Service) -> None:
    await service.start()
    flows, aside = service.config / "flows", service.config / "flows.next"
    aside.mkdir()
    (aside / "hello.yaml").write_text(NEW)
    flows.rename(service.config / "flows.before")
    aside.rename(flows)
    await loaded(service)
    assert await prompts_heard(service) == 1
    (flows / "hello.yaml").write_text(FLOW)
    await loaded(service, 2)
    assert await prompts_heard(service) == 2


async def test_without_watching_only_a_command_makes_files_live(service: Service) -> None:
    (service.config / "cordboard.yaml").write_text("log: {format: json}\ndrain_s: 6\nwatch: false\n")
    await service.start()
    flow_file(service).write_text(NEW)
    (service.config / "flows" / "other.yaml").write_text(NEW.replace("flow: hello", "flow: other"))
    assert [(row["flow"], row["note"]) for row in await rows(service, "flow", "list")] == [
        ("hello", "the file differs"),
        ("other", "not live yet"),
    ]
    assert await prompts_heard(service) == 2
    code, out, complaints = await service.command("flow", "publish", "hello", "-m", "shorter")
    assert (code, complaints) == (0, "")
    (now,) = [row for row in await rows(service, "flow", "list", "hello") if row["note"] == "live"]
    assert (now["by"], now["message"]) == ("publish", "shorter")
    assert now["revision"] in out
    await loaded(service)
    assert await prompts_heard(service) == 1
    assert "other" not in os.listdir(service.state / "active" / "flows")
    assert (await service.command("flow", "publish"))[0] == 0
    assert {row["flow"]: row["note"] for row in await rows(service, "flow", "list")} == {"hello": "", "other": ""}


async def test_what_cannot_be_published_is_refused_with_its_place(service: Service) -> None:
    (service.config / "cordboard.yaml").write_text("log: {format: json}\ndrain_s: 6\nwatch: false\n")
    await service.start()
    flow_file(service).write_text(BAD)
    code, out, complaints = await service.command("flow", "publish")
    assert (code, out) == (1, "")
    assert f"{flow_file(service)}:6:" in complaints
    assert "what was live stays live" in complaints
    assert list((service.state / "requests").iterdir()) == []


async def test_a_rollback_brings_the_earlier_text_back_comments_and_all(service: Service) -> None:
    flow_file(service).write_text(f"# as it should be\n{FLOW}")
    await service.start()
    flow_file(service).write_text(NEW)
    await loaded(service)
    broken = NEW.replace("hangup: normal", "hangup: tomorrow")
    flow_file(service).write_text(broken)
    await service.journal.wait("configuration_refused", 10)
    code, _, complaints = await service.command("flow", "rollback", "hello", "-m", "too short")
    assert (code, complaints) == (0, "")
    assert flow_file(service).read_text() == f"# as it should be\n{FLOW}"
    await loaded(service, 2)
    assert await prompts_heard(service) == 2
    listed = await rows(service, "flow", "list", "hello")
    assert [(row["note"], row["by"], row["message"]) for row in listed[:2]] == [
        ("live", "rollback", "too short"),
        ("never live", "rollback", f"replaced by {listed[0]['revision']}"),
    ]
    kept = service.state / "revisions" / "hello" / f"{listed[1]['revision']}.yaml"
    assert kept.read_text() == broken
    assert not (service.state / "last_refusal.json").exists()
    (back,) = await rows(service, "flow", "diff", "hello", listed[2]["revision"], "live")
    assert back["text"] == "hello: `next` now leads to again instead of bye"


OLD = FLOW.replace("prompts: {", 'prompts: {later: {en: "later"}, ').replace(
    "again: {play: hello", "again: {play: later"
)


async def test_a_call_ends_on_the_revision_it_began_with_though_its_worker_dies(service: Service) -> None:
    """Also if what it refers to is gone, its recording for instance; and its trace tells all of it."""
    flow_file(service).write_text(OLD)
    later, hello = (service.config / "prompts" / "en" / f"{name}.wav" for name in ("later", "hello"))
    later.write_bytes(hello.read_bytes())
    await service.start()
    async with await caller(service) as asterisk:
        assert await plays(asterisk)
        flow_file(service).write_text(NEW)
        later.unlink()
        await loaded(service)
        os.kill(service.worker_pid(), signal.SIGKILL)
    await service.events("worker_ready", 2)
    place = new_call(
        call_id=asterisk.variables["CORDBOARD_CALL"],
        checkpoint=asterisk.variables["CORDBOARD_CP"],
        token=agi_token("s3cret"),
    )
    async with await FakeAsterisk.connect(service.agi_port, header_block("call", place)) as back:
        assert await plays(back)
        back.reply(PLAYED)
        assert await plays(back)
        assert b"/hello-later-" in back.received
        back.reply(PLAYED)
        assert not await plays(back)
    await service.journal.wait("call_ended", 10, result="finished")
    assert service.journal.find("revision_recalled", flow="hello")
    (entry,) = await written_traces(service, 1)
    code, out, complaints = await service.command("replay", entry["call_id"])
    assert (code, out.split(":")[0], complaints) == (0, "Identical", "")
    code, out, _ = await service.command("trace", entry["call_id"])
    assert code == 0
    assert "another worker has taken the call over" in out
    assert "play later" in out
    code, out, _ = await service.command("replay", entry["call_id"], "--revision", "draft")
    assert (code, "recorded 'hello/again', replayed 'hello/bye'" in out) == (1, True)


async def test_the_trace_of_a_call_is_there_when_it_is_over(service: Service) -> None:
    await service.start()
    assert await prompts_heard(service) == 2
    (listed,) = await written_traces(service, 1)
    assert (listed["flow"], listed["dnis"], listed["ani"]) == ("hello", "5000", "442079460123")
    steps = await rows(service, "trace", listed["call_id"][:8])
    assert [step["kind"] for step in steps] == ["start", "advance", "advance", "advance", "advance"]
    assert [step["node"] for step in steps] == [
        "hello/hello",
        "hello/hello",
        "hello/again",
        "hello/bye",
        "hello/bye",
    ]
    assert steps[2]["passed"] == [["hello", "hello", "next", {}]]
    code, out, _ = await service.command("replay", listed["call_id"], "--json")
    assert (code, json.loads(out)["identical"]) == (0, True)


async def written_traces(service: Service, count: int) -> list[dict[str, Any]]:
    """The list of calls, when so many have ended: what is written soon is written when the service has ended."""
    service.send(signal.SIGTERM)
    assert await service.ended() == 0
    listed = await rows(service, "trace", "--last", "10")
    assert [one["result"] for one in listed] == ["finished"] * count
    return listed


async def test_publishing_without_a_service_checks_the_files_and_says_so(service: Service) -> None:
    code, _, complaints = await service.command("flow", "publish")
    assert code == 3
    assert "No service runs" in complaints
    flow_file(service).write_text(BAD)
    code, _, complaints = await service.command("flow", "publish")
    assert code == 1
    assert "did you mean `bye`?" in complaints
    code, _, complaints = await service.command("flow", "rollback", "hello")
    assert (code, "no other revision" in complaints) == (1, True)


async def test_many_who_publish_at_once_are_all_answered(service: Service) -> None:
    await service.start()
    answers = await asyncio.gather(*(asyncio.to_thread(ask_service, service.state, PUBLISH) for _ in range(4)))
    assert [answer is not None and answer.is_live for answer in answers] == [True] * 4
    assert list((service.state / "requests").iterdir()) == []
