"""Scenario files: what is read, every fault at its place, the words of the time line and of `lab call`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError, LabError
from cordboard.lab import scenario_steps as steps
from cordboard.lab.call import CallEnd
from cordboard.lab.call_ending import cause_of, ending_in_words
from cordboard.lab.commands import parse_steps
from cordboard.lab.hearing import Began, Heard, Sound
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.scenario import Scenario, load_scenario, parse_scenario
from cordboard.lab.scenario_expectations import NoChannelsLeft, PathExpected
from cordboard.lab.timeline import Line, in_words, show_json, show_plain
from cordboard.telephony.hangup_causes import HangupCause

ROOT = Path(__file__).parents[2]
BOOK = PromptBook(
    dict.fromkeys(["en/support/welcome", "es/support/welcome", "en/support/menu"], np.zeros(8, dtype=np.int16)),
    {"en/support/welcome": "Thank you for calling."},
)

GOOD = """
scenario: Ada chooses Spanish
callers:
  - ani: "+442079460123"
    name: no
    dials: 5000
    language: en
    does:
      - {hears: welcome}
      - {presses: 1, after_s: 0.2}
      - {hears: [menu, es/welcome], within_s: 3}
      - {is_hung_up: normal}
phones:
  1001: {answers_after_s: 2}
expect:
  - {path: [a, b]}
  - no_channels_left: true
"""


def parsed(text: str, book: PromptBook | None = BOOK) -> Scenario:
    return parse_scenario(parse_yaml(text.encode(), "s.yaml"), book)


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parsed(text)
    return [str(finding).partition("\n")[0] for finding in caught.value.findings]


def test_a_scenario_is_read_as_written() -> None:
    scenario = parsed(GOOD)
    (caller,) = scenario.callers
    assert (caller.part.dials, caller.shown_as) == ("5000", "no")
    assert caller.steps == (
        steps.Hears(hears=("welcome",)),
        steps.Presses(presses="1", after_s=0.2),
        steps.Hears(hears=("menu", "es/welcome"), within_s=3.0),
        steps.IsHungUp(is_hung_up="normal"),
    )
    assert scenario.expectations == (PathExpected(path=("a", "b")), NoChannelsLeft(no_channels_left=True))
    assert scenario.phones["1001"].answers_after_s == 2.0


def test_all_faults_are_told_at_once_and_at_their_place() -> None:
    text = GOOD.replace("after_s: 0.2", "afer_s: 0.2").replace("{is_hung_up: normal}", "{is_hung_up: happily}")
    text = (
        text.replace("hears: welcome", "hear: welcome").replace("es/welcome", "es/menu").replace("- no_ch", "- ch")
    )
    found = faults(text)
    assert [fault.split(":")[1] for fault in found] == ["9", "10", "11", "12", "17"]
    assert "names no step" in found[0] and "afer_s" in found[1] and "`es/menu`" in found[2]


def test_a_prompt_that_fits_several_is_a_fault() -> None:
    (found,) = faults(GOOD.replace("    language: en\n", ""))
    assert "`welcome` fits several prompts: en/support/welcome, es/support/welcome" in found


def test_two_steps_in_one_are_a_fault() -> None:
    (found,) = faults(GOOD.replace("{hears: welcome}", "{hears: welcome, presses: 2}"))
    assert "`hears` and `presses` are two steps" in found


@pytest.mark.parametrize(
    "wrong", ["presses: x", "presses: ''", "hears: []", "is_refused: 200", "hears_silence_s: -1", "waits_s: a"]
)
def test_values_out_of_range_are_faults(wrong: str) -> None:
    assert len(faults(GOOD.replace("hears: welcome", wrong))) == 1


def test_every_step_has_a_row_in_the_documentation() -> None:
    rows = (ROOT / "docs" / "scenarios.md").read_text("utf-8").splitlines()
    described = {row.split("`")[1].split(":")[0] for row in rows if row.startswith("| `")}
    assert set(steps.STEPS) <= described
    assert {"path", "no_channels_left", "no_errors_logged"} <= described


@pytest.mark.parametrize(
    "file", sorted((ROOT / "ivr_flows" / "scenarios").glob("*.yaml")), ids=lambda file: file.stem
)
def test_the_scenarios_we_ship_are_well_formed(file: Path) -> None:
    assert load_scenario(file).callers


def test_steps_of_a_single_call_are_those_of_a_scenario() -> None:
    assert parse_steps("hears welcome within_s 5, presses 12#, hangs_up_after_s 1,") == [
        {"hears": "welcome", "within_s": 5}, {"presses": "12#"}, {"hangs_up_after_s": 1},
    ]  # fmt: skip
    with pytest.raises(LabError, match="key value"):
        parse_steps("hears")


def test_what_was_heard_in_words() -> None:
    whole = Heard(("en/support/welcome",), 1.0, 2.0, 0.02, 0.999)
    cut = Heard(("a", "b"), 1.0, 1.2, 1.7, 0.98)
    assert in_words(Began(("en/support/welcome",), 1.0, 1.0), BOOK) == (
        'hears `en/support/welcome` begin  "Thank you for calling."'
    )
    assert in_words(whole, BOOK) == "heard `en/support/welcome` whole, 2.0 s (score 1.00)"
    assert in_words(cut, BOOK) == "heard `a` or `b` cut after 1.2 s of 2.9 s (score 0.98)"
    assert in_words(Sound(1.0, 0.5), BOOK) == "heard a sound that is no prompt, 0.5 s"


@pytest.mark.parametrize(
    ("end", "cause", "words"),
    [
        (CallEnd("pbx", 200, 16, 3.0), HangupCause.NORMAL, "the PBX hung up at 3.0 s (normal)"),
        (CallEnd("pbx", 200, None, 3.0), HangupCause.NORMAL, "the PBX hung up at 3.0 s (normal)"),
        (CallEnd("pbx", 486, None, 1.0), HangupCause.BUSY, "the PBX refused the call with 486 (busy) at 1.0 s"),
        (
            CallEnd("pbx", 503, 34, 1.0),
            HangupCause.CONGESTION,
            "the PBX refused the call with 503 (congestion) at 1.0 s",
        ),
        (CallEnd("caller", 200, None, 1.0), HangupCause.NORMAL, "the caller had hung up at 1.0 s"),
    ],
)
def test_how_a_call_ended_in_words(end: CallEnd, cause: HangupCause, words: str) -> None:
    assert (cause_of(end), ending_in_words(end)) == (cause, words)


def test_a_line_is_plain_text_off_a_terminal_and_carries_no_control_characters() -> None:
    out = io.StringIO()
    show_plain(Line(1.234, "Ada\x1b[31m\r\n", "heard", "heard `x`"), out)
    assert out.getvalue() == f"    1.23  {'Ada[31m':<16}  heard `x`\n"


def test_a_line_is_one_json_object() -> None:
    out = io.StringIO()
    show_json(Line(1.2345, "Ada", "heard", "heard `x`", {"score": 1.0}), out)
    assert json.loads(out.getvalue()) == {
        "at_s": 1.234, "who": "Ada", "kind": "heard", "text": "heard `x`", "score": 1.0,
    }  # fmt: skip
    assert out.getvalue().count("\n") == 1
