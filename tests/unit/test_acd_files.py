"""`queues.yaml` and `agents.yaml`: what they mean, and how everything wrong with them is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import AcceptStep, Agent, FloorPlan, Membership, PositionAnnouncement, Queue, RonaPolicy
from cordboard.acd.prompts import number_prompt, position_prompt, queue_prompts, whisper_prompt
from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError
from cordboard.telephony.verbs import Prompt

ROOT = Path(__file__).parents[2]
ALICE = "agents:\n  alice: {device: PJSIP/1001, queues: [sales]}\n"


def write(directory: Path, queues: str | None, agents: str | None = ALICE) -> Path:
    for name, text in (("queues.yaml", queues), ("agents.yaml", agents)):
        if text is not None:
            (directory / name).write_text(text)
    return directory


def sales(directory: Path, options: str) -> Queue:
    """The queue `sales` with these options."""
    return load_floor_plan(write(directory, f"queues:\n  sales: {options}\n")).queues["sales"]


def findings(directory: Path, queues: str | None, agents: str | None = ALICE) -> tuple[Finding, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load_floor_plan(write(directory, queues, agents))
    return refused.value.findings


# what they mean

FULL = """
queues:
  sales:
    strategy: longest_idle
    ring_s: 12
    max_wait_s: 300
    wrap_up: {s: 30}
    service_level: {s: 15, formula: excl_short_aban, short_abandon_s: 3}
    music: jazz
    accept: {key: "#", within_s: 5, whisper: {es: Una llamada., en: A call.}, language: en}
    rona: {pause_after: 3, retry_after_s: 0}
    announce: {position: {first_after_s: 10, every_s: 45, say: {en: You are number, es: Usted es el numero}}}
    dispositions: [sold, no sale]
"""
TEAM = """
pause_reasons: [lunch]
agents:
  alice: {name: Alice Ray, device: PJSIP/1001, queues: [sales]}
  bob: {device: PJSIP/bob-desk}
"""


def test_every_key_means_what_it_says(tmp_path: Path) -> None:
    assert load_floor_plan(write(tmp_path, FULL, TEAM)) == FloorPlan(
        queues={
            "sales": Queue(
                name="sales",
                strategy="longest_idle",
                ring_s=12.0,
                max_wait_s=300.0,
                wrap_up_s=30.0,
                service_level_s=15.0,
                service_level_formula="excl_short_aban",
                short_abandon_s=3.0,
                music="jazz",
                accept=AcceptStep("#", 5.0, {"es": "Una llamada.", "en": "A call."}, "en"),
                rona=RonaPolicy(3, 0.0),
                announce=PositionAnnouncement(10.0, 45.0, {"en": "You are number", "es": "Usted es el numero"}),
                dispositions=("sold", "no sale"),
            )
        },
        agents={
            "alice": Agent("alice", "Alice Ray", "PJSIP/1001", ("sales",), memberships={"sales": Membership()}),
            "bob": Agent("bob", "bob", "PJSIP/bob-desk", ()),
        },
        pause_reasons=("lunch",),
    )


@pytest.mark.parametrize("options", ["", "{}"], ids=["nothing", "empty"])
def test_a_queue_without_a_key_has_the_defaults_and_a_whisper(tmp_path: Path, options: str) -> None:
    whisper = {"en": "A call for sales. Press 1 to take it."}
    assert sales(tmp_path, options) == Queue("sales", accept=AcceptStep(whisper=whisper))


@pytest.mark.parametrize(
    ("accept", "step"),
    [
        ("none", AcceptStep("")),
        ("{key: none}", AcceptStep("")),
        ("{key: none, whisper: {en: A call.}}", AcceptStep("", whisper={"en": "A call."})),
        ("{key: 5, whisper: {}}", AcceptStep("5")),
        ('{key: "*"}', AcceptStep("*", whisper={"en": "A call for sales. Press star to take it."})),
        ("{whisper: {es: Llamada.}}", AcceptStep(whisper={"es": "Llamada."}, language="es")),
    ],
)
def test_how_agents_accept(tmp_path: Path, accept: str, step: AcceptStep) -> None:
    assert sales(tmp_path, f"{{accept: {accept}}}").accept == step


def test_a_file_that_is_missing_or_empty_has_nothing_in_it(tmp_path: Path) -> None:
    assert load_floor_plan(tmp_path) == FloorPlan()
    assert load_floor_plan(write(tmp_path, "", "# nobody yet\n")) == FloorPlan()


def test_what_is_spoken_in_queues(tmp_path: Path) -> None:
    plan = load_floor_plan(write(tmp_path, FULL, TEAM))
    queue = plan.queues["sales"]
    whisper = Prompt("queue-sales", "whisper", "en", "A call.")
    position = Prompt("queue-sales", "position", "es", "Usted es el numero")
    assert whisper_prompt(queue) == whisper
    assert position_prompt(queue, "es") == position
    assert position_prompt(queue, "de") is None
    english = Prompt("queue-sales", "position", "en", "You are number")
    places = {number_prompt(place, language) for language in ("en", "es") for place in range(1, 21)}
    assert set(queue_prompts(plan)) == {whisper, english, position, *places}
    assert len(queue_prompts(plan)) == 43, "each once"
    assert queue_prompts(FloorPlan(queues={"plain": Queue("plain")})) == []


# what is wrong with them


@pytest.mark.parametrize(
    ("options", "column", "code", "message", "hint"),
    [
        ("{strategy: ring_every}", 21, "unknown-choice", "`ring_every` is not one of `longest_idle`", ""),
        ("{ring_s: 0}", 19, "out-of-range", "0 is too small; at least 1", ""),
        ("{ring_s: 15s}", 19, "wrong-type", "expected a number, found `15s`", "write 15 alone"),
        ("{max_wait_s: 0}", 23, "out-of-range", "0 is too small; it must be more than 0", ""),
        (
            "{wrap_up: 20}", 20, "wrong-type",
            "expected a mapping (`key: value`), found the number 20", "write `wrap_up: {s: 20}`",
        ),
        ("{wrap_up: 30s}", 20, "wrong-type", "found `30s`", "write `wrap_up: {s: 30}`"),
        ("{service_level: fast}", 26, "wrong-type", "found `fast`", "write `service_level: {s: 20}`"),
        ("{rona: 3}", 17, "wrong-type", "found the number 3", "write `rona: {pause_after: 3}`"),
        ("{announce: yes}", 21, "wrong-type", "found `yes`", "announce: {position: {say: {en:"),
        ("{announce: {position: yes}}", 32, "wrong-type", "found `yes`", "position: {say: {en:"),
        ("{announce: {position: {say: Hi}}}", 38, "wrong-type", "found `Hi`", 'write `{en: "Hi"}`'),
        ("{accept: {whisper: A call.}}", 29, "wrong-type", "found `A call.`", 'write `{en: "A call."}`'),
        ("{accept: no}", 19, "wrong-type", "found `no`", "write `accept: none`"),
        ("{accept: false}", 19, "wrong-type", "found `false`", "write `accept: none`"),
        ("{accept: 5}", 19, "wrong-type", "found the number 5", "write `accept: {key: 5}`"),
        ("20", 10, "wrong-type", "found the number 20", "{ring_s: 15}"),
        ("{wrap_up: {s: 20, until: 9}}", 28, "unknown-key", "unknown key `until`", "known here: s"),
        ("{service_level: {formula: sl2}}", 36, "unknown-choice", "`sl2` is not one of `of_offered`,", ""),
        ('{music: "a, b"}', 18, "bad-music", "`a, b` is no music class", "musiconhold.conf"),
        ("{accept: {key: 12}}", 25, "bad-key", "`12` is no key", "or none"),
        ("{accept: yes}", 19, "wrong-type", "expected a mapping (`key: value`), found `yes`", "accept: {key: 1}"),
        ("{accept: {within_s: 0.5}}", 30, "out-of-range", "0.5 is too small; at least 1", ""),
        (
            "{accept: {whisper: {en: A}, language: es}}", 19, "unknown-language",
            "there is no whisper in `es`", "write one of en",
        ),
        ("{rona: {pause_after: -1}}", 31, "out-of-range", "-1 is too small; at least 0", ""),
        ("{announce: {position: {every_s: 30}}}", 22, "missing-key", "`say` is missing", "add `say:`"),
        ("{announce: {position: {say: {}}}}", 38, "out-of-range", "a mapping must not be empty", ""),
        ("{announce: {position: {say: {en: x}, every_s: 1}}}", 56, "out-of-range", "is too small; at least 5", ""),
        ("{dispositions: [sold, sold]}", 25, "duplicate-entry", "`sold` is in the list twice", ""),
        ('{dispositions: ["a\\nb"]}', 26, "bad-label", "a label is one line of text", ""),
        ("{skills: {es: 3}}", 11, "unknown-key", "unknown key `skills`", "known here:"),
    ],
)  # fmt: skip
def test_a_faulty_queue(tmp_path: Path, options: str, column: int, code: str, message: str, hint: str) -> None:
    (fault,) = findings(tmp_path, f"queues:\n  sales: {options}\n")
    assert (fault.file, fault.line, fault.column, fault.code) == ("queues.yaml", 2, column, code)
    assert message in fault.message
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("agent", "column", "code", "message", "hint"),
    [
        ("{queues: [sales]}", 3, "missing-key", "`device` is missing", "add `device:`"),
        ("{device: 1001, queues: [sales]}", 17, "bad-device", "`1001` is no device", "PJSIP/1001"),
        (
            "{device: PJSIP/1001&PJSIP/1002, queues: [sales]}", 17, "bad-device",
            "`PJSIP/1001&PJSIP/1002` is not one device", "an agent has one",
        ),
        (
            '{device: "PJSIP/1001,30", queues: [sales]}', 17, "bad-device",
            "`PJSIP/1001,30` is not one device", "an agent has one",
        ),
        (
            "{device: Local/1004@internal, queues: [sales]}", 17, "bad-device",
            "`Local/1004@internal` vanishes when", "write Local/1004@internal/n",
        ),
        ("{device: PJSIP/1004/n, queues: [sales]}", 17, "bad-device", "`PJSIP/1004/n` is no device", "PJSIP/1001"),
        ("PJSIP/1004", 8, "wrong-type", "found `PJSIP/1004`", "write `{device: PJSIP/1004}`"),
        ("{device: PJSIP/1, queues: [salse]}", 35, "unknown-queue", "no queue `salse`", "did you mean `sales`?"),
        ("{device: PJSIP/1, queues: [x]}", 35, "unknown-queue", "there is no queue `x`", "known: sales"),
        ("{device: PJSIP/1, queues: [sales, sales]}", 34, "duplicate-entry", "`sales` is in the list twice", ""),
        ("{device: PJSIP/1, abilities: {es: 4}}", 26, "unknown-key", "unknown key `abilities`", "known here: n"),
        ("{device: PJSIP/1, device: PJSIP/2}", 26, "duplicate-key", "device", ""),
    ],
)  # fmt: skip
def test_a_faulty_agent(tmp_path: Path, agent: str, column: int, code: str, message: str, hint: str) -> None:
    found = findings(
        tmp_path, "queues:\n  sales:\n", f"agents:\n  bob: {agent}\n  zoe: {{device: PJSIP/9, queues: [sales]}}\n"
    )
    (fault,) = found
    assert (fault.file, fault.line, fault.column, fault.code) == ("agents.yaml", 2, column, code)
    assert message in fault.message
    assert hint in fault.hint


def test_a_local_channel_that_stays_is_a_device(tmp_path: Path) -> None:
    agents = "agents:\n  alice: {device: Local/1004@internal/n, queues: [sales]}\n"
    plan = load_floor_plan(write(tmp_path, "queues: {sales: {}}", agents))
    assert plan.agents["alice"].device == "Local/1004@internal/n"


def test_lists_where_names_are_keys_say_how_they_are_written(tmp_path: Path) -> None:
    agents, queues = findings(tmp_path, "queues: [sales]", "agents: [alice]")
    assert (agents.file, agents.hint) == ("agents.yaml", "write `agents: {alice: {device: PJSIP/1001}}`")
    assert (queues.file, queues.hint) == ("queues.yaml", "write `queues: {sales: {}}`")


def test_two_agents_cannot_share_a_device(tmp_path: Path) -> None:
    agents = ALICE + "  bob: {device: pjsip/1001, queues: [sales]}\n"
    (fault,) = findings(tmp_path, "queues: {sales: {}}", agents)
    assert str(fault).startswith("agents.yaml:3:17: `pjsip/1001` is the device of alice already [shared-device]")


def test_a_queue_nobody_serves_is_told_with_what_to_write(tmp_path: Path) -> None:
    (fault,) = findings(tmp_path, "queues:\n  sales:\n  support:\n")
    assert str(fault).startswith("queues.yaml:3:3: no agent serves `support` [no-agents]")
    assert "`queues: [support]`" in fault.hint


def test_names_are_plain(tmp_path: Path) -> None:
    (queue,) = findings(tmp_path, "queues: {Big Sales: {}}", "agents: {}")
    assert (queue.code, queue.column) == ("bad-name", 10)
    (agent,) = findings(tmp_path, "queues: {}", "agents: {a/b: {device: PJSIP/1}}")
    assert (agent.code, agent.column) == ("bad-name", 10)


def test_the_faults_of_both_files_come_together_without_echoes(tmp_path: Path) -> None:
    found = findings(tmp_path, "queues:\n  sales: {ring: 3}\n", "agents:\n  bob: {queues: [support]}\n")
    assert [(fault.file, fault.code) for fault in found] == [
        ("agents.yaml", "missing-key"),
        ("queues.yaml", "unknown-key"),
    ], "whether `support` exists cannot be told"


def test_a_file_that_is_no_yaml_says_where(tmp_path: Path) -> None:
    (fault,) = findings(tmp_path, "queues: {sales: [}\n")
    assert (fault.file, fault.code) == ("queues.yaml", "syntax")


def test_pause_reasons_are_short_lines(tmp_path: Path) -> None:
    (fault,) = findings(tmp_path, "queues: {}", f"pause_reasons: [{'x' * 65}]")
    assert (fault.file, fault.code) == ("agents.yaml", "out-of-range")


# what we ship


def test_the_shipped_files_load() -> None:
    assert load_floor_plan(ROOT / "ivr_flows").queues


EXAMPLES = re.findall(
    r"```yaml\n# (queues|agents)\.yaml\n(.*?)```", (ROOT / "docs" / "queues.md").read_text(), re.DOTALL
)


def test_the_examples_of_the_manual_load_together(tmp_path: Path) -> None:
    texts = dict(EXAMPLES)
    plan = load_floor_plan(write(tmp_path, texts["queues"], texts["agents"]))
    assert set(plan.queues) >= {"sales", "support"}
    assert plan.agents
