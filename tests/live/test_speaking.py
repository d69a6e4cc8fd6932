"""Values and prompts with values in them, on a real Asterisk: what callers hear, and what keys do meanwhile."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
import pytest_asyncio

from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.player import Result, play
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stage import Stage
from cordboard.lab.stage_parts import ScenarioStage

pytestmark = [pytest.mark.live, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "speech_site"
SOUNDS = "/usr/share/asterisk/sounds/en/"
# What Asterisk says by itself: the sounds that these tests know it by.
SPOKEN = [
    *(
        f"digits/{name}"
        for name in (*range(10), 12, 20, 24, 26, 30, 40, 50, 60, 70, "h-4", "day-4", "mon-11", "p-m")
    ),
    "digits/thousand",
    "letters/w",
]


def asterisk_sounds(stage: Stage, folder: Path) -> dict[str, Path]:
    """The sounds of the Asterisk under test, by the names they have there."""
    engine = docker.from_env()
    container = engine.containers.get(f"cordboard-lab-{stage.pbx.run_dir.name}")
    packed, _ = container.get_archive(SOUNDS)
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed))) as archive:
        archive.extractall(folder, filter="data")
    engine.close()
    files = {name: folder / Path(SOUNDS).name / f"{name}.wav" for name in SPOKEN}
    return {name: path for name, path in files.items() if path.is_file()}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScenarioStage]:
    """A test bed whose callers know the prompts and the sounds of Asterisk itself."""
    async with Stage(SITE) as bed:
        files = await asyncio.to_thread(asterisk_sounds, bed, tmp_path_factory.mktemp("sounds"))
        known = PromptBook.from_files(files)
        sounds = {name: known[name] for name in known} | {name: bed.book[name] for name in bed.book}
        yield replace(bed.scenario_stage(), book=PromptBook(sounds))


def hears(*names: str) -> str:
    return f"hears: [{', '.join(names)}]"


def digits(*names: str) -> list[str]:
    return [f"digits/{name}" for name in names]


WORDS, GERMAN = "en/words/", "de/words/"
CALLS = {
    "6100": [
        hears("values/owed.1", *digits("12"), f"{WORDS}pound-other", f"{WORDS}money-and", *digits("50")),
        hears(f"{WORDS}penny-other", "values/owed.2", *digits("day-4", "mon-11", "20", "h-4")),
        hears(*digits("2", "thousand", "20", "6")),
        hears(*digits("40"), f"{WORDS}point", *digits("6")),
        hears(*digits("7", "0")),
        hears("letters/w", *digits("8")),
        hears(f"{WORDS}ordinal-21"),
        hears(*digits("3", "30", "p-m")),
        hears(f"{WORDS}hour-1", f"{WORDS}and", *digits("9"), f"{WORDS}second-other"),
        "is_hung_up: normal",
    ],
    "6101": [
        hears("termin.1", f"{GERMAN}weekday-4", f"{GERMAN}of-day", f"{GERMAN}ordinal-24", f"{GERMAN}month-12"),
        hears(f"{GERMAN}2", f"{GERMAN}thousand", f"{GERMAN}26", "termin.2", f"{GERMAN}15", f"{GERMAN}oclock-other"),
        hears(f"{GERMAN}30", f"{GERMAN}300", f"{GERMAN}45", f"{GERMAN}euro-other"),
        "is_hung_up: normal",
    ],
    "6102": [
        "hears_begin: welcome",
        "presses: 1, after_s: 0.3",  # typed ahead: the menu itself is not heard at all
        "hears_cut: welcome",
        hears("keys/more", "number.1"),
        "hears_begin: digits/4",
        "presses: 2, after_s: 0.3",  # into the number that is read out
        "hears: [keys/other], ignoring_others: true",
        "is_hung_up: normal",
    ],
}


async def call(stage: ScenarioStage, number: str) -> Result:
    """A call to a number, with its steps."""
    does = "".join(f"      - {{{step}}}\n" for step in CALLS[number])
    text = f'scenario: a call\ncallers:\n  - ani: "+44207946{number}"\n    dials: "{number}"\n    does:\n{does}'
    return await play(parse_scenario(parse_yaml(text.encode(), "call.yaml"), stage.book), stage)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(stage: ScenarioStage) -> dict[str, Result]:
    """How the calls went, all at the same time: what is spoken takes as long as it takes."""
    came = await asyncio.gather(*(call(stage, number) for number in CALLS))
    return dict(zip(CALLS, came, strict=True))


def faults(result: Result) -> str:
    """What went wrong, with everything that was heard."""
    return "" if result.passed else "\n".join([*(line.text for line in result.lines), *result.faults])


async def test_every_kind_of_value_is_heard(results: dict[str, Result]) -> None:
    assert not faults(results["6100"])


async def test_a_language_without_sounds_of_the_switch_is_spoken_by_our_words(results: dict[str, Result]) -> None:
    assert not faults(results["6101"])


async def test_keys_stop_values_and_prompts_and_answer_the_next_question(results: dict[str, Result]) -> None:
    assert not faults(results["6102"])
    heard = [line.text for line in results["6102"].lines if line.kind == "heard"]
    assert not [text for text in heard if "digits/9" in text or "number.2" in text]
