"""Scenarios played on a real Asterisk: what is true passes; each wrong step fails and tells what was heard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.pbx import LabPbx
from cordboard.lab.player import Result, ScenarioStage, play
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.scenario import parse_scenario
from cordboard.prompts.voice import Voices

pytestmark = pytest.mark.live

TEXTS = {
    "en/support/welcome": "Thank you for calling Acme.",
    "en/support/main_menu": "For sales press 1. For Spanish press 2.",
    "en/support/sales": "You have reached sales.",
    "en/support/goodbye": "Goodbye.",
    "es/support/goodbye": "Gracias y hasta luego.",
}

DIALPLAN = """
exten => 7100,1,Answer()
 same => n,Playback({en}/welcome)
 same => n,Read(KEY,{en}/main_menu,1,,1,2)
 same => n,GotoIf($["${{KEY}}"="1"]?sales)
 same => n,GotoIf($["${{KEY}}"="2"]?spanish)
 same => n,Playback({en}/goodbye)
 same => n,Hangup()
 same => n(sales),Playback({en}/sales)
 same => n,Dial(PJSIP/1001,10)
 same => n,Hangup()
 same => n(spanish),Wait(1.5)
 same => n,Playback({es}/goodbye)
 same => n,Hangup()
exten => 7101,1,Answer()
 same => n,Playback({en}/welcome,skip)
 same => n,Wait(20)
exten => 7486,1,Hangup(17)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("prompts")
    for key, text in TEXTS.items():
        language, _, name = key.split("/")
        asyncio.run(Voices().speak(text, language, made / language / f"{name}.wav"))
    return made


@pytest.fixture
async def stage(folder: Path, tmp_path: Path) -> AsyncIterator[ScenarioStage]:
    files = {key: folder / key.split("/")[0] / f"{key.split('/')[2]}.wav" for key in TEXTS}
    dialplan = DIALPLAN.format(en=folder / "en", es=folder / "es")
    async with LabPbx(mounts=[folder], extra_dialplan=dialplan) as pbx:
        yield ScenarioStage(pbx, PromptBook.from_files(files, TEXTS), audio=tmp_path)
        await pbx.wait_for_no_channels()


async def played(stage: ScenarioStage, text: str) -> Result:
    """The result of a scenario, with its time line on the screen of a failed test."""
    scenario = parse_scenario(parse_yaml(text.encode(), "scenario.yaml"), stage.book)
    result = await asyncio.wait_for(play(scenario, stage, lambda line: print(line.as_json())), 60)
    assert all(json.loads(line.as_json())["kind"] == line.kind for line in result.lines)
    return result


def caller(*steps: str, dials: str = "7100", more: str = "", expect: str = "no_channels_left: true") -> str:
    lines = "\n".join(f"      - {{{step}}}" for step in steps)
    return f"""
scenario: a test
callers:
  - ani: "+442079460123"
    name: Ada Lovelace
    language: en
    dials: "{dials}"{more}
    does:
{lines}
expect:
  {f"- {{{expect}}}" if expect else "[]"}
"""


TRUE = {
    "menu left alone": ["hears: [welcome, main_menu, goodbye]", "is_hung_up: normal"],
    "Spanish": [
        "is_answered_within_s: 2", "hears: welcome", "hears_begin: main_menu", "presses: 2, after_s: 0.3",
        "hears_cut: main_menu", "hears_silence_s: 1", "hears: es/goodbye", "is_hung_up: any",
    ],
    "a wait": ["hears_begin: welcome", "waits_s: 1", "hears_begin: main_menu", "presses: 2", "hears: es/goodbye"],
    "leaves": ["hears: welcome", "hangs_up_after_s: 0.5"],
}  # fmt: skip


async def played_together(stage: ScenarioStage, scripts: dict[str, list[str]]) -> dict[str, Result]:
    """The result of each script; all are played at the same time."""
    texts = [caller(*steps, expect="") for steps in scripts.values()]
    results = await asyncio.gather(*(played(stage, text) for text in texts))
    return dict(zip(scripts, results, strict=True))


async def test_what_is_true_passes(stage: ScenarioStage) -> None:
    results = await played_together(stage, TRUE)
    assert {name: result.faults for name, result in results.items() if not result.passed} == {}
    assert stage.audio is not None and len(list(stage.audio.glob("*ada-lovelace.wav"))) >= 1


WRONG = {
    "another prompt": (
        ["hears: welcome", "hears: goodbye"],
        "expected `en/support/goodbye`, heard `en/support/main_menu` (whole",
    ),
    "a key that leads elsewhere": (
        ["hears: welcome", "hears_begin: main_menu", "presses: 2", "hears: sales"],
        "expected `en/support/sales`, heard `es/support/goodbye` (whole",
    ),
    "a prompt cut short": (
        ["hears_begin: welcome", "waits_s: 2", "presses: 2", "hears: main_menu"],
        "expected `en/support/main_menu`, heard `es/support/goodbye`",
    ),
    "a missing prompt": (
        ["hears: welcome", "hears: [main_menu, goodbye, sales]"],
        "expected `en/support/sales`, but the PBX hung up at",
    ),
    "no silence": (
        ["hears: welcome", "hears_silence_s: 5"],
        "expected 5 s of silence, heard `en/support/main_menu` begin after",
    ),
    "not cut": (
        ["hears: welcome", "hears_cut: main_menu"],
        "expected `en/support/main_menu` to be cut short, heard it whole",
    ),
    "an end too early": (
        ["hears: welcome", "is_hung_up: normal"],
        "expected to be hung up, heard `en/support/main_menu`",
    ),
    "another cause": (
        ["hears: [welcome, main_menu, goodbye]", "is_hung_up: busy"],
        "expected to be hung up with cause busy, but the PBX hung up at",
    ),
    "no sound": (["hears: welcome", "hears_sound_s: 1, within_s: 1"], "expected 1 s of a sound, heard 0.0 s"),
    "no tone": (["hears_tone_hz: 440, within_s: 1"], "expected a tone of 440 Hz within 1 s"),
    "no refusal": (["is_refused: 486"], "expected to be refused with 486, but it was answered"),
}


async def test_what_is_wrong_fails_and_tells_what_was_heard(stage: ScenarioStage) -> None:
    results = await played_together(stage, {name: steps for name, (steps, _) in WRONG.items()})
    for name, (_, message) in WRONG.items():
        assert len(results[name].faults) == 1, name
        assert message in results[name].faults[0], name


async def test_silence_where_a_prompt_was_expected_fails(stage: ScenarioStage) -> None:
    result = await played(
        stage, caller("hears: welcome", "hears: {hears}".format(hears="goodbye, within_s: 1"), dials="7101")
    )
    assert "expected `en/support/goodbye` within 1 s, heard silence for" in result.faults[0]


async def test_a_refused_call_can_be_expected(stage: ScenarioStage) -> None:
    assert (await played(stage, caller("is_refused: 486", dials="7486"))).passed
    assert (await played(stage, caller("is_hung_up: busy", dials="7486"))).passed
    result = await played(stage, caller("is_refused: 404", dials="7486"))
    assert "expected to be refused with 404, but the PBX refused the call with 486 (busy)" in result.faults[0]


async def test_callers_play_at_the_same_time(stage: ScenarioStage) -> None:
    result = await played(stage, caller(*TRUE["Spanish"], more="\n    times: 5\n    every_s: 0.3"))
    assert result.passed, result.faults
    assert result.calls == 5 and result.seconds < 20


async def test_a_phone_answers_and_is_heard(stage: ScenarioStage) -> None:
    steps = [
        "hears: welcome",
        "hears_begin: main_menu",
        "presses: 1",
        "hears: sales",
        "hears_sound_s: 1.5",
        "is_hung_up: normal",
    ]
    result = await played(stage, caller(*steps) + 'phones:\n  "1001": {answers_after_s: 0.5, talks_s: 2}\n')
    assert result.passed, result.faults
    assert [line.text for line in result.lines if line.kind == "phone"][:3] == ["rings", "answers", "hangs up"]
