"""What `agents.yaml` and `queues.yaml` may say of pauses, RONA by cause, modes of wrap-up, codes and numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import FloorPlan, OfferEnd, PauseRule, RonaPolicy, RonaRule
from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
QUEUES = "queues: {sales: {dispositions: [sold]}}"
AGENTS = "agents:\n  alice: {device: PJSIP/1001, queues: [sales], code: 2101, numbers: [1001, +442079460123]}\n"


def plan(folder: Path, queues: str = QUEUES, agents: str = AGENTS) -> FloorPlan:
    (folder / "queues.yaml").write_text(queues)
    (folder / "agents.yaml").write_text(agents)
    return load_floor_plan(folder)


def findings(folder: Path, queues: str = QUEUES, agents: str = AGENTS) -> tuple[Finding, ...]:
    with pytest.raises(ConfigurationError) as refused:
        plan(folder, queues, agents)
    return refused.value.findings


def test_everything_that_can_be_said_of_an_agent(tmp_path: Path) -> None:
    text = AGENTS.replace("code:", "supervisor: true, code:") + (
        "pause_reasons:\n  break:\n  lunch: {at_most_s: 1800, then: available, at_once: 3, exempt: [alice]}\n"
    )
    loaded = plan(tmp_path, agents=text)
    alice = loaded.agents["alice"]
    assert (alice.is_supervisor, alice.code, alice.numbers) == (True, "2101", ("1001", "+442079460123"))
    assert loaded.pause_reasons == ("break", "lunch")
    assert loaded.pauses == {"lunch": PauseRule(1800, "available", 3, ("alice",))}


def test_a_plain_list_of_reasons_has_no_limits(tmp_path: Path) -> None:
    loaded = plan(tmp_path, agents=AGENTS + "pause_reasons: [break, lunch]\n")
    assert (loaded.pause_reasons, loaded.pauses) == (("break", "lunch"), {})


def test_everything_that_can_be_said_of_a_queue(tmp_path: Path) -> None:
    causes = "{busy: {then: rest, rest_s: 30}, rejected: nothing, no_key: {after: 1}}"
    rona = f"{{pause_after: 3, return_after_s: 60, causes: {causes}}}"
    wrap_up = "{s: 10, mode: extendable, at_most_s: 90, early_exit: false}"
    sales = plan(tmp_path, f"queues: {{sales: {{rona: {rona}, wrap_up: {wrap_up}}}}}").queues["sales"]
    rules = {
        OfferEnd.BUSY: RonaRule("rest", rest_s=30),
        OfferEnd.REJECTED: RonaRule("nothing"),
        OfferEnd.NO_KEY: RonaRule(after=1),
    }
    assert sales.rona == RonaPolicy(3, 5.0, 60.0, rules)
    assert (sales.wrap_up_s, sales.wrap_up_mode, sales.wrap_up_at_most_s) == (10.0, "extendable", 90.0)
    assert not sales.wrap_up_early_exit


def test_how_long_a_wrap_up_lasts_where_the_file_does_not_say(tmp_path: Path) -> None:
    for mode, longest_s in (("fixed", 0.0), ("extendable", 300.0), ("mandatory", 0.0)):
        text = f"queues: {{sales: {{dispositions: [sold], wrap_up: {{mode: {mode}}}}}}}"
        assert plan(tmp_path, text).queues["sales"].wrap_up_at_most_s == longest_s


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("wrap_up: {mode: mandatory}", "no-dispositions", "there are none to choose"),
        ("wrap_up: {s: 20, at_most_s: 60}", "no-effect", "a `fixed` wrap-up lasts for `s`"),
        ("wrap_up: {s: 400, mode: extendable}", "out-of-range", "leaves nothing to extend"),
        (
            "dispositions: [a], wrap_up: {mode: mandatory, early_exit: false}",
            "no-effect",
            "ends with the disposition",
        ),
        ("wrap_up: {mode: endless}", "unknown-choice", "`endless` is not one of"),
        ("rona: {causes: {bussy: rest}}", "unknown-choice", "`bussy` is not one of"),
        ("rona: {causes: {busy: wait}}", "unknown-choice", "`wait` is not one of"),
        ("rona: {causes: {busy: {then: rest, after: 2}}}", "no-effect", "`after` means nothing with `then: rest`"),
        ("rona: {causes: {busy: {then: nothing, rest_s: 2}}}", "no-effect", "`rest_s` means nothing"),
        ("rona: {causes: {caller_left: pause}}", "unknown-choice", "`caller_left` is not one of"),
    ],
)
def test_a_faulty_queue(tmp_path: Path, options: str, code: str, message: str) -> None:
    (fault,) = findings(tmp_path, f"queues:\n  sales: {{{options}}}\n")
    assert (fault.file, fault.line, fault.code) == ("queues.yaml", 2, code)
    assert message in fault.message


@pytest.mark.parametrize(
    ("line", "place", "code", "message"),
    [
        ("  bob: {device: PJSIP/1002, code: 2101}", (3, 35), "shared-code", "`2101` is the code of alice already"),
        ("  bob: {device: PJSIP/1002, numbers: [9, 1001]}", (3, 39), "out-of-range", ""),
        ("  bob: {device: PJSIP/1002, numbers: [99, 1001]}", (3, 43), "shared-number", "a number of alice already"),
        ("  bob: {device: PJSIP/1002, code: abc}", (3, 35), "out-of-range", ""),
        (
            "pause_reasons: {lunch: {at_once: 3, exempt: [alise]}}",
            (3, 46),
            "unknown-agent",
            "there is no agent `alise`",
        ),
        ("pause_reasons: {lunch: {at_most: 5}}", (3, 25), "unknown-key", "unknown key `at_most`"),
        ("pause_reasons: {lunch: {at_most_s: 0}}", (3, 36), "out-of-range", ""),
        ("pause_reasons: {lunch: {at_once: 0}}", (3, 34), "out-of-range", ""),
        ("pause_reasons: {lunch: {then: logout}}", (3, 31), "unknown-choice", "`logout` is not one of"),
        ("pause_reasons: {lunch: 30}", (3, 24), "wrong-type", "found the number 30"),
    ],
)
def test_a_faulty_agent_or_pause(
    tmp_path: Path, line: str, place: tuple[int, int], code: str, message: str
) -> None:
    (fault,) = findings(tmp_path, agents=f"{AGENTS}{line}\n")
    assert (fault.file, fault.line, fault.column, fault.code) == ("agents.yaml", *place, code)
    assert message in fault.message


def test_what_the_page_shows_can_be_written(tmp_path: Path) -> None:
    found = re.findall(r"```yaml\n# (queues|agents)\.yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 5
    for number, (file, text) in enumerate(found):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = re.findall(r"^  (\w+):", text, re.MULTILINE)
        agents = (
            text if file == "agents" else f"agents: {{alice: {{device: PJSIP/1, queues: [{', '.join(names)}]}}}}"
        )
        served = QUEUES.replace("}}", "}, letters: {}}") if "letters" in text else QUEUES
        assert plan(folder, served if file == "agents" else text, agents).agents
