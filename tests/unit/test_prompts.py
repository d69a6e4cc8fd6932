"""Recordings first, spoken text second, and never a broken file without a word."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import pytest

from cordboard.prompts import voice
from cordboard.prompts.library import PromptLibrary
from cordboard.prompts.wav import NotPlayable, duration_s
from cordboard.telephony.verbs import Prompt

WELCOME = Prompt("support", "welcome", "en", "Welcome.")


def write_wav(path: Path, seconds: float = 0.5, rate: int = 8000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(b"\1\0" * int(seconds * rate))


@pytest.fixture
def library(tmp_path: Path) -> PromptLibrary:
    return PromptLibrary(tmp_path / "prompts", tmp_path / "spoken")


async def test_a_text_is_spoken_once_and_kept(library: PromptLibrary) -> None:
    assert await library.prepare([WELCOME]) == []
    first = library.spoken_path(WELCOME).stat().st_mtime_ns
    assert await library.prepare([WELCOME]) == []
    assert library.spoken_path(WELCOME).stat().st_mtime_ns == first
    found = library.find(WELCOME)
    assert found is not None
    assert 0.3 < found.duration_s < 3
    assert found.duration_s == duration_s(Path(found.path + ".wav"))


async def test_a_changed_text_is_spoken_anew_beside_the_old(library: PromptLibrary) -> None:
    changed = Prompt("support", "welcome", "en", "Welcome back.")
    await library.prepare([WELCOME, changed])
    assert library.find(WELCOME) != library.find(changed)


async def test_the_flows_own_recording_beats_the_shared_one(library: PromptLibrary, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav", 0.25)
    await library.prepare([WELCOME])
    shared = library.find(WELCOME)
    write_wav(tmp_path / "prompts/en/support/welcome.wav", 0.75)
    await library.prepare([WELCOME])
    own = library.find(WELCOME)
    assert shared is not None
    assert own is not None
    assert (shared.duration_s, own.duration_s) == (0.25, 0.75)


async def test_a_recording_in_the_wrong_format_is_reported_and_the_text_heard(
    library: PromptLibrary, tmp_path: Path
) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav", rate=44100)
    failed = await library.prepare([WELCOME])
    assert [state.fault for state in failed] == ["44100 Hz, 1 channel(s), 16 bit; wanted is 8000 Hz, 1, 16"]
    assert library.find(WELCOME) is not None


async def test_a_language_without_a_voice_is_reported(library: PromptLibrary) -> None:
    failed = await library.prepare([Prompt("support", "welcome", "xx-none", "Hm.")])
    assert len(failed) == 1
    assert "espeak-ng" in failed[0].fault
    assert library.find(failed[0].prompt) is None


async def test_a_missing_program_says_what_to_install(
    library: PromptLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice.shutil, "which", lambda _program: None)
    failed = await library.prepare([WELCOME])
    assert "apt-get install espeak-ng sox" in failed[0].fault


def test_a_file_that_is_no_wav_is_not_playable(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"not a sound")
    with pytest.raises(NotPlayable, match="not a WAV"):
        duration_s(tmp_path / "x.wav")


def test_a_header_that_promises_more_than_there_is_does_not_count(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", 0.5)
    sound = bytearray((tmp_path / "x.wav").read_bytes())
    sound[40:44] = (0x7FFFF000).to_bytes(4, "little")
    (tmp_path / "x.wav").write_bytes(sound)
    assert duration_s(tmp_path / "x.wav") == 0.5


async def test_a_recording_that_is_replaced_is_heard_after_a_reload_with_its_own_duration(
    library: PromptLibrary, tmp_path: Path
) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav", 0.25)
    await library.prepare([WELCOME])
    write_wav(tmp_path / "prompts/en/welcome.wav", 0.75)
    before = library.find(WELCOME)
    assert before is not None
    assert duration_s(Path(before.path + ".wav")) == before.duration_s == 0.25, (
        "what is played is what was measured"
    )
    await library.prepare([WELCOME])
    after = library.find(WELCOME)
    assert after is not None
    assert duration_s(Path(after.path + ".wav")) == after.duration_s == 0.75
    assert Path(before.path + ".wav").exists(), "a call may still play it"


async def test_a_state_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "spoken").write_text("a file where a folder should be")
    write_wav(tmp_path / "prompts/en/welcome.wav")
    library = PromptLibrary(tmp_path / "prompts", tmp_path / "spoken")
    failed = await library.prepare([WELCOME])
    assert "it cannot be copied" in failed[0].fault
    assert "the spoken text cannot be kept" in failed[0].fault
    assert library.find(WELCOME) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to stop being root")
def test_a_recording_we_may_not_read_is_reported(library: PromptLibrary, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav")
    (tmp_path / "prompts").chmod(0o700)
    os.seteuid(65534)
    try:
        state = library.inspect(WELCOME)
    finally:
        os.seteuid(0)
    assert (state.source, state.fault) == ("unplayable", "it cannot be read (Permission denied)")
