"""Recordings first, spoken text second, and never a broken file without a word."""

from __future__ import annotations

import os
import shutil
import tempfile
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.cli_prompts import prompts_app
from cordboard.config.validation import validate
from cordboard.config.voice_section import VoiceSection
from cordboard.config.yaml_reader import parse_yaml
from cordboard.prompts.choosing_voices import voices_of
from cordboard.prompts.freeswitch import lay_out
from cordboard.prompts.library import PromptLibrary
from cordboard.prompts.voice import Voice, Voices
from cordboard.prompts.wav import NotPlayable, duration_s, wav_shape, wideband_path
from cordboard.telephony.verbs import Prompt

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to stop being root or give files away")
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


async def test_a_recording_of_another_rate_is_converted_and_kept_wideband_beside(
    library: PromptLibrary, tmp_path: Path
) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav", 0.5, rate=44100)
    assert await library.prepare([WELCOME]) == []
    found = library.find(WELCOME)
    assert found is not None
    assert found.duration_s == pytest.approx(0.5, abs=0.01)
    assert wav_shape(Path(found.path + ".wav16"))[:3] == (16_000, 1, 16)


async def test_a_broken_recording_is_reported_and_the_text_heard(library: PromptLibrary, tmp_path: Path) -> None:
    path = tmp_path / "prompts/en/welcome.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no sound")
    failed = await library.prepare([WELCOME])
    assert [state.fault for state in failed] == ["not a WAV file (file does not start with RIFF id)"]
    assert library.find(WELCOME) is not None


async def test_nothing_is_made_anew_that_is_there(library: PromptLibrary, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/hello.wav")
    prompts = [WELCOME, Prompt("support", "hello", "en", "Hello."), Prompt("support", "bye", "xx-none", "Bye.")]
    first = await library.build(prompts)
    assert [(state.source, state.is_new) for state in first] == [
        ("spoken", True),
        ("recording", True),
        ("missing", False),
    ]
    again = await PromptLibrary(tmp_path / "prompts", tmp_path / "spoken").build(prompts)
    assert [state.is_new for state in again] == [False, False, False]
    assert [state.path for state in again] == [state.path for state in first]


async def test_what_was_made_before_is_found_again_without_making_anything(
    library: PromptLibrary, tmp_path: Path
) -> None:
    write_wav(tmp_path / "prompts/en/hello.wav")
    hello, other = Prompt("support", "hello", "en", "Hello."), Prompt("support", "other", "en", "Other.")
    await library.prepare([WELCOME, hello])
    fresh = PromptLibrary(tmp_path / "prompts", tmp_path / "spoken")
    fresh.recall([WELCOME, hello, other])
    assert fresh.find(WELCOME) == library.find(WELCOME) is not None
    assert fresh.find(hello) == library.find(hello) is not None
    assert fresh.find(other) is None


# voices

TONE = ("sox", "-n", "-r", "22050", "{out}", "synth", "0.3", "sine", "400")


def speaking(tmp_path: Path, voices: Voices) -> PromptLibrary:
    return PromptLibrary(tmp_path / "prompts", tmp_path / "spoken", voices)


async def test_any_command_can_be_the_voice_of_a_language(tmp_path: Path) -> None:
    script = 'printf "%s|" "$@" > "$0.heard"; cat >> "$0.heard"; exec sox -n -r 8000 "$1" synth 0.2 sine 400'
    program = tmp_path / "speak"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    spanish = Voice((str(program), "{out}", "--lang={language}", "; echo $HOME"))
    library = speaking(tmp_path, Voices(languages={"es": spanish}))
    hola = Prompt("support", "welcome", "es-mx", "Hola {out} $(id)")
    assert await library.prepare([hola, WELCOME]) == []
    arguments, text = Path(f"{program}.heard").read_text().rsplit("|", 1)
    assert arguments.split("|")[1:] == ["--lang=es-mx", "; echo $HOME"]  # no shell has seen it
    assert text == "Hola {out} $(id)"
    found = library.find(hola)
    assert found is not None
    assert found.duration_s == pytest.approx(0.2, abs=0.01)


def test_a_text_in_the_arguments_stays_one_argument() -> None:
    voice = Voice(("tts", "--to", "{out}", "--text={text}", "{language}"))
    assert voice.arguments("a {out} b", "en", Path("/x.wav")) == ["tts", "--to", "/x.wav", "--text=a {out} b", "en"]
    assert not voice.reads_stdin


async def test_another_voice_speaks_everything_anew(tmp_path: Path) -> None:
    espeak, tone = speaking(tmp_path, Voices()), speaking(tmp_path, Voices(Voice(TONE)))
    assert espeak.spoken_path(WELCOME) != tone.spoken_path(WELCOME)


async def test_wideband_speech_is_kept_beside_and_made_where_it_is_missing(tmp_path: Path) -> None:
    narrow = speaking(tmp_path, Voices(Voice(TONE)))
    await narrow.prepare([WELCOME])
    assert not wideband_path(narrow.spoken_path(WELCOME)).exists()
    wide = speaking(tmp_path, Voices(Voice(TONE), wideband=True))
    (state,) = await wide.build([WELCOME])
    assert state.is_new
    assert wav_shape(wideband_path(wide.spoken_path(WELCOME))).rate_hz == 16_000
    assert [state.is_new for state in await wide.build([WELCOME])] == [False]


BAD_VOICES = [
    (Voice(("sh", "-c", "sleep 60; true", "{out}"), deadline_s=0.05), "took more than 0.05 s"),
    (Voice(("true", "{out}")), "wrote no sound"),
    (Voice(("sh", "-c", "echo no such voice >&2; exit 3", "{out}")), "sh: no such voice"),
    (Voice(("/nowhere/tts", "{out}")), "/nowhere/tts is not installed"),
]


@pytest.mark.parametrize(("broken", "words"), BAD_VOICES)
async def test_a_voice_that_fails_says_why(tmp_path: Path, broken: Voice, words: str) -> None:
    (failed,) = await speaking(tmp_path, Voices(broken)).prepare([WELCOME])
    assert words in failed.fault
    assert list((tmp_path / "spoken/en").iterdir()) == []


def test_voices_are_those_of_the_settings() -> None:
    section, findings = validate(
        VoiceSection,
        parse_yaml(
            b"command: [tts, '{out}']\nwideband: true\nlanguages: {es: {command: [hola, '{out}']}}", "x.yaml"
        ),
    )
    assert section is not None, findings
    voices = voices_of(section)
    assert voices.voice_for("en").command == ("tts", "{out}")
    assert voices.voice_for("es-mx").command == ("hola", "{out}")
    assert voices.wideband
    assert voices_of(VoiceSection()) == Voices()


def test_a_voice_must_be_told_which_file_to_write() -> None:
    _, findings = validate(VoiceSection, parse_yaml(b"command: [tts, '{text}']", "x.yaml"))
    assert [one.code for one in findings] == ["voice-without-file"]


async def test_freeswitch_gets_each_sound_at_each_rate_once(library: PromptLibrary, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav", rate=48000)
    states = await library.build([WELCOME])
    assert await lay_out(states, tmp_path / "fs") == 4
    assert await lay_out(states, tmp_path / "fs") == 0
    name = (states[0].path or Path()).name
    for rate in (8_000, 16_000, 32_000, 48_000):
        assert wav_shape(tmp_path / "fs/en" / str(rate) / name)[:3] == (rate, 1, 16)


# the commands


def site(tmp_path: Path) -> Path:
    config = tmp_path / "site"
    (config / "flows").mkdir(parents=True)
    command = ", ".join(f'"{one}"' for one in TONE)
    (config / "cordboard.yaml").write_text(f"voice: {{command: [{command}]}}\n")
    (config / "numbers.yaml").write_text("default: hello\n")
    (config / "flows/hello.yaml").write_text(
        "flow: hello\nlanguages: [en, es]\nprompts: {hello: {en: Hello., es: Hola.}}\n"
        "nodes: {a: {play: hello, next: b}, b: {hangup: normal}}\n"
    )
    write_wav(config / "prompts/en/hello.wav")
    return config


def test_build_says_what_it_made_and_makes_nothing_twice(tmp_path: Path) -> None:
    config = str(site(tmp_path))
    first = CliRunner().invoke(prompts_app, ["build", "-c", config])
    again = CliRunner().invoke(prompts_app, ["build", "-c", config, "--for", "freeswitch"])
    assert (first.exit_code, first.stdout) == (0, "2 made, 0 kept, 0 failed\n")
    assert again.stdout.startswith("0 made, 2 kept, 0 failed\n8 files written below ")


def test_check_tells_each_language_and_what_is_missing(tmp_path: Path) -> None:
    config = str(site(tmp_path))
    every = CliRunner().invoke(prompts_app, ["check", "-c", config])
    assert every.exit_code == 1
    assert every.stdout.splitlines()[-2:] == [
        "en: 1 recorded, 0 spoken, 0 missing, 0 not playable",
        "es: 0 recorded, 0 spoken, 1 missing, 0 not playable",
    ]
    english = CliRunner().invoke(prompts_app, ["check", "-c", config, "--language", "en"])
    assert (english.exit_code, english.stdout.splitlines()[1:]) == (0, every.stdout.splitlines()[-2:-1])
    unknown = CliRunner().invoke(prompts_app, ["check", "-c", config, "--language", "fr"])
    assert unknown.exit_code == 2


async def test_a_language_without_a_voice_is_reported(library: PromptLibrary) -> None:
    failed = await library.prepare([Prompt("support", "welcome", "xx-none", "Hm.")])
    assert len(failed) == 1
    assert "espeak-ng" in failed[0].fault
    assert library.find(failed[0].prompt) is None


async def test_a_missing_program_says_what_to_install(
    library: PromptLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
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


@needs_root
async def test_what_root_speaks_belongs_to_the_services_user_who_may_go_on_there(tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/support/recorded.wav")
    (state := tmp_path / "state").mkdir()
    os.chown(state, 65534, 65534)
    library = PromptLibrary(tmp_path / "prompts", state / "prompts")
    recorded = Prompt("support", "recorded", "en", "")
    assert await library.prepare([WELCOME, recorded]) == []
    made = list(state.rglob("*"))
    assert len([path for path in made if path.is_file()]) == 2
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65534)}


@needs_root
async def test_a_folder_we_may_not_write_is_named_and_not_the_voice(tmp_path: Path) -> None:
    open_to_all = Path(tempfile.mkdtemp())
    try:
        os.chown(open_to_all, 65534, -1)
        (open_to_all / "en").mkdir()
        os.seteuid(65534)
        failed = await PromptLibrary(tmp_path / "prompts", open_to_all).prepare([WELCOME])
    finally:
        os.seteuid(0)
        shutil.rmtree(open_to_all)
    assert f"Permission denied: '{open_to_all}/en'" in failed[0].fault


@needs_root
def test_a_recording_we_may_not_read_is_reported(library: PromptLibrary, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts/en/welcome.wav")
    (tmp_path / "prompts").chmod(0o700)
    os.seteuid(65534)
    try:
        state = library.inspect(WELCOME)
    finally:
        os.seteuid(0)
    assert (state.source, state.fault) == ("unplayable", "it cannot be read (Permission denied)")
