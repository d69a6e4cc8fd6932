"""Kept revisions: what is live, what was, and how the flow of an old call is made from its text again."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.bootstrap import revisions as module
from cordboard.bootstrap.flow_files import flow_files, written_name
from cordboard.bootstrap.kept_files import KeptFiles
from cordboard.bootstrap.older_flows import OlderFlows
from cordboard.bootstrap.revisions import Cause, Revisions
from cordboard.bootstrap.whole_files import read_json, write_whole
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flows
from cordboard.flows.run import FlowRun
from cordboard.flows.surroundings import Surroundings
from cordboard.prompts.library import PromptLibrary
from cordboard.telephony.outcomes import Done, Gathered
from cordboard.telephony.verbs import Enqueue, Hangup, Play
from tests.doubles.flow_kit import AROUND, CALL, NOON

START, WATCH = Cause("start"), Cause("watch")
SUPPORT = """\
# who to ask: Ada
flow: support
on_failure: bye
prompts: {hello: Hello, sorry: Sorry}
nodes:
  who: {lookup: crm, next: gold, on_error: gold}
  gold: {branch: [{if: "customer.tier == 'gold'", then: desk}], else: check}
  check: {subflow: identify, with: {count: 1}, save: done, next: ring}
  ring: {dial: "1001", otherwise: desk}
  desk: {queue: sales, otherwise: hello}
  hello: {play: hello, next: bye}
  bye: {hangup: normal}
"""
IDENTIFY = """\
flow: identify
params: {count: whole}
returns: {ok: yes_no}
prompts: {ask: Your number}
nodes:
  ask: {gather: ask, save: number, max_digits: 4, next: back}
  back: {return: {ok: {cel: "number == '1234' && count == 1"}}}
"""


class Site:
    """A folder of flows, and what is kept of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "flows"
        self.folder.mkdir(parents=True)
        self.revisions = Revisions(folder / "state")

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.yaml").write_text(text)

    def publish(self, cause: Cause = WATCH, around: Surroundings = AROUND) -> dict[str, Flow]:
        """Make the files live."""
        flows = load_flows(self.folder, around)
        self.revisions.keep(flows, self.folder, cause)
        self.revisions.go_live(flows, cause)
        return flows

    def find(self, flow: Flow, around: Surroundings | None = AROUND) -> Flow | None:
        return OlderFlows(self.revisions, lambda: around, None).find(flow.name, flow.revision)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.write("support", SUPPORT)
    site.write("identify", IDENTIFY)
    return site


def test_what_is_live_is_known_with_its_text_and_why(site: Site) -> None:
    first = site.publish(START)["support"]
    site.write("support", SUPPORT.replace("1001", "1002"))
    second = site.publish(Cause("publish", "another phone", "ada"))["support"]
    assert site.revisions.live()["support"] == second.revision
    now, before = site.revisions.of("support")
    assert (now.revision, now.is_live, now.cause.message, now.cause.who) == (
        second.revision, True, "another phone", "ada",
    )  # fmt: skip
    assert (before.revision, before.is_live, before.gone_at) == (first.revision, False, now.live_at)
    text = site.revisions.text_file("support", first.revision)
    assert text is not None and text.read_text() == SUPPORT, "comments and all"
    assert list(now.subflows) == ["identify"]


def test_a_changed_subflow_is_another_revision_of_who_calls_it(site: Site) -> None:
    before = site.publish(START)
    site.write("identify", IDENTIFY.replace("1234", "4321"))
    after = site.publish()
    assert before["support"].revision != after["support"].revision
    old = site.find(before["support"])
    assert old is not None
    assert old.subflows["identify"].revision == before["identify"].revision


def test_the_same_again_is_no_entry_and_a_comment_replaces_the_text(site: Site) -> None:
    flow = site.publish(START)["support"]
    site.write("support", SUPPORT.replace("Ada", "Bob"))
    site.publish()
    assert len(list(site.revisions.entries())) == 1
    text = site.revisions.text_file("support", flow.revision)
    assert text is not None and "Bob" in text.read_text()


def test_going_back_makes_an_earlier_revision_live_again(site: Site) -> None:
    first = site.publish(START)["support"].revision
    site.write("support", SUPPORT.replace("1001", "1002"))
    second = site.publish()["support"].revision
    site.write("support", SUPPORT)
    site.publish(Cause("rollback"))
    assert [one.revision for one in site.revisions.of("support")] == [first, second]
    assert site.revisions.of("support")[0].cause.by == "rollback"


def test_a_line_of_the_log_that_was_cut_off_spoils_nothing(site: Site, tmp_path: Path) -> None:
    site.publish(START)
    log = tmp_path / "state" / "revisions" / "log.jsonl"
    log.write_text(log.read_text() + '{"at": 1, "flo\n[]\n')
    (live,) = site.revisions.of("support")
    assert live.is_live


def test_only_what_nobody_can_need_is_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PER_FLOW", 1)
    made = []
    for number in range(1, 6):
        site.write("support", SUPPORT.replace("1001", f"100{number}"))
        made.append(site.publish()["support"].revision)
    on_a_call = [("support", made[0])]
    assert site.revisions.drop_old(on_a_call, time.time()) == 0, "they have just gone"
    later = time.time() + module.KEPT_FOR_S + 60
    assert site.revisions.drop_old(on_a_call, later) == 2
    assert {one.revision for one in site.revisions.of("support")} == {made[0], made[3], made[4]}
    assert site.revisions.find("support", made[1]) is None
    assert site.revisions.text_file("support", made[1]) is None


def test_an_old_revision_goes_as_it_went(site: Site) -> None:
    flow = site.publish(START)["support"]
    site.write("support", SUPPORT.replace("1001", "1002"))
    site.publish()
    old = site.find(flow)
    assert old is not None
    assert (old.revision, old.start, list(old.nodes)) == (flow.revision, flow.start, list(flow.nodes))
    assert old.nodes == flow.nodes


def test_what_an_old_revision_refers_to_may_be_gone(site: Site) -> None:
    """Extension, queue, customer fields: the nodes that need them break when a call comes to them, only they."""
    flow = site.publish(START)["support"]
    bare = Surroundings()
    old = site.find(flow, bare)
    assert old is not None
    run = replace(FlowRun.begin(old, CALL), answered=True, node="gold")
    step = run.resume(NOON)
    assert step.verb == Hangup(), "the condition cannot be worked out: on_failure"
    assert "cannot be worked out any more" in step.faults[0]
    step = replace(run, node="ring").resume(NOON)
    assert isinstance(step.verb, Enqueue), "nobody to ring: otherwise"
    step = replace(run, node="desk").resume(NOON)
    assert isinstance(step.verb, Enqueue) and step.verb.queue == "sales"
    step = replace(run, node="hello").resume(NOON)
    assert isinstance(step.verb, Play)
    assert step.run.advance(Done(), NOON).verb == Hangup()


def test_an_old_revision_is_found_while_the_settings_are_faulty(site: Site) -> None:
    assert site.find(site.publish(START)["support"], None) is not None


def test_a_call_in_a_subflow_finds_back_into_it(site: Site) -> None:
    flow = site.publish(START)["support"]
    run = replace(FlowRun.begin(flow, CALL), answered=True, node="check")
    asked = run.resume(NOON)
    site.write("identify", IDENTIFY.replace("ask: {gather", "other: {gather").replace("1234", "0"))
    site.write("support", SUPPORT.replace("check", "test"))
    site.publish()
    old = site.find(flow)
    assert old is not None
    back = FlowRun.restore(old, CALL, json.loads(json.dumps(asked.run.snapshot())))
    step = back.resume(NOON).run.advance(Gathered("1234", "full"), NOON)
    assert step.run.variables["done.ok"] is True
    assert step.run.node == "ring"


def test_what_is_not_kept_is_not_found(site: Site) -> None:
    flow = site.publish(START)["support"]
    assert site.find(replace(flow, revision="0" * 12)) is None
    text = site.revisions.text_file("support", flow.revision)
    assert text is not None
    text.write_text("flow: [")
    assert site.find(flow) is None


async def test_prompts_of_an_old_revision_can_be_heard_again(site: Site, tmp_path: Path) -> None:
    flow = site.publish(START)["support"]
    recordings, spoken = tmp_path / "prompts", tmp_path / "state" / "prompts"
    (recordings / "en").mkdir(parents=True)
    for name in ("hello", "sorry", "ask"):
        _tone(recordings / "en" / f"{name}.wav")
    every = [*flow.all_prompts(), *flow.subflows["identify"].all_prompts()]
    assert await PromptLibrary(recordings, spoken).prepare(every) == []
    (recordings / "en" / "sorry.wav").unlink()
    fresh = PromptLibrary(recordings, spoken)
    assert OlderFlows(site.revisions, lambda: AROUND, fresh).find(flow.name, flow.revision) is not None
    assert [fresh.find(prompt) is not None for prompt in every] == [True] * 3


def _tone(path: Path) -> None:
    sound = b"\x00\x10" * 800
    head = b"RIFF" + (36 + len(sound)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    path.write_bytes(head + form + b"data" + len(sound).to_bytes(4, "little") + sound)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("flow: support\nnodes: {", "support"),
        ('# flow: old\n"x": 1\nflow: "support"  # ours\n', "support"),
        ("nodes:\n  flow: {play: x}\n", ""),
        ("flow: Not A Name\n", ""),
        ("", ""),
        ("{flow: support, nodes: {}}", ""),
    ],
)
def test_a_files_flow_is_told_by_its_line_whatever_else_is_in_it(text: str, name: str) -> None:
    assert written_name(text) == name


def test_a_flow_in_braces_has_a_name_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{flow: support, nodes: {}}")
    (tmp_path / "b.yaml").write_text("{flow: [")
    assert list(flow_files(tmp_path)) == ["support"]


def test_what_a_revision_in_use_calls_is_in_use(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_PER_FLOW", 0)
    old = site.publish(START)
    site.write("identify", IDENTIFY.replace("1234", "4321"))
    site.publish()
    later = time.time() + module.KEPT_FOR_S + 60
    assert site.revisions.drop_old([("support", old["support"].revision)], later) == 0
    assert site.revisions.drop_old([], later) == 2


def test_only_the_flows_that_are_named_are_taken(tmp_path: Path) -> None:
    config, kept = tmp_path / "config", KeptFiles(tmp_path / "config", tmp_path / "state")
    (config / "flows").mkdir(parents=True)

    def write(name: str, text: str, file: str = "") -> None:
        (config / "flows" / f"{file or name}.yaml").write_text(f"flow: {name}\n# {text}\n")

    (config / "numbers.yaml").write_text("default: a\n")
    for name in ("a", "b", "gone"):
        write(name, "old")
    with kept.candidate():
        pass
    (config / "numbers.yaml").write_text("default: b\n")
    for name in ("a", "b"):
        write(name, "new")
    (config / "flows" / "gone.yaml").unlink()
    write("fresh", "new", "elsewhere")
    with kept.candidate(["a", "gone", "fresh"]):
        pass
    files = flow_files(kept.active / "flows")
    words = {name: path.read_text().split("# ")[1].strip() for name, path in files.items()}
    assert words == {"a": "new", "b": "old", "fresh": "new"}
    assert (kept.active / "numbers.yaml").read_text() == "default: a\n"
    assert not kept.is_current()
    with kept.candidate():
        pass
    assert kept.is_current()


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "hello.yaml"
    write_whole(file, "one")
    file.chmod(0o600)
    write_whole(file, "two")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("two", 0o600)
    assert [path.name for path in file.parent.iterdir()] == ["hello.yaml"]
    with pytest.raises(OSError, match="File exists"):
        write_whole(tmp_path / "folder" / "hello.yaml" / "below", "three")
    assert read_json(file) is None
