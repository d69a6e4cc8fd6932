"""The ear of the lab against spoken prompts: which one, when, cut where, in noise, through mu-law, or none."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.errors import LabError
from cordboard.lab.hearing import Began, Ear, Event, Heard, Sound, tone_share
from cordboard.lab.prompt_book import PromptBook, read_sound
from cordboard.lab.rtp import Samples, tone, ulaw_decode, ulaw_encode

TEXTS = {
    "en/support/welcome": "Thank you for calling Acme.",
    "en/support/welcome_back": "Thank you for calling Acme. It is good to hear from you again.",
    "en/support/main_menu": "For sales press 1. For Spanish press 2. To speak to the operator press 0.",
    "en/support/sales_menu": "For sales press 1. For support press 3.",
    "en/support/try_again": "Sorry, I did not get that.",
    "en/support/closed": "Sorry, we are closed today. Please call again tomorrow.",
    "en/support/goodbye": "Goodbye.",
    "en/support/hold": "Please hold the line while we connect you.",
    "es/support/welcome": "Gracias por llamar a Acme.",
    "es/support/main_menu": "Para ventas oprima uno. Para soporte oprima dos.",
}
NAMES = tuple(TEXTS)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PromptBook:
    folder = tmp_path_factory.mktemp("prompts")
    return PromptBook.from_files({key: speak(text, key[:2], folder) for key, text in TEXTS.items()}, TEXTS)


def speak(text: str, language: str, folder: Path) -> Path:
    raw, target = folder / "raw.wav", folder / f"{len(list(folder.iterdir()))}.wav"
    subprocess.run(["espeak-ng", "-v", language, "-s", "160", "-w", str(raw), text], check=True)
    subprocess.run(
        ["sox", "-D", "-V1", str(raw), "-r", "8000", "-c", "1", str(target), "gain", "-n", "-3"], check=True
    )
    return target


def loud_until_s(sound: Samples) -> float:
    return float(np.flatnonzero(np.abs(sound) > 400)[-1] / 8000)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 8000), dtype=np.int16)


def listen(book: PromptBook, audio: Samples, chunk_s: float = 0.1) -> list[Event]:
    """What an ear makes of it, fed as it comes over the wire, with two seconds of silence at the end."""
    ear, size = Ear(book), round(chunk_s * 8000)
    audio = np.concatenate([audio, silence(2.0)])
    return [event for at in range(0, len(audio), size) for event in ear.feed(audio[at : at + size])]


def heard_in(events: list[Event]) -> list[Heard]:
    return [event for event in events if isinstance(event, Heard)]


def call(book: PromptBook, *keys: str, pause_s: float = 0.7) -> Samples:
    """The prompts one after the other, through mu-law, after 0.5 s of silence."""
    parts = [silence(0.5)] + [part for key in keys for part in (book[key], silence(pause_s))]
    return ulaw_decode(ulaw_encode(np.concatenate(parts)))


@pytest.mark.parametrize("key", NAMES)
def test_each_prompt_is_heard_whole_and_nothing_else(book: PromptBook, key: str) -> None:
    began, heard = listen(book, call(book, key))
    assert isinstance(began, Began) and key in began.prompts
    assert isinstance(heard, Heard) and heard.prompts == (key,)
    assert heard.is_whole and heard.score > 0.99
    assert 0.5 <= heard.start_s == began.start_s <= 0.6
    assert heard.end_s - 0.5 == pytest.approx(loud_until_s(book[key]), abs=0.12)


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.4, 2.0])
def test_prompts_in_a_row_are_heard_in_their_order(book: PromptBook, pause_s: float) -> None:
    order = [NAMES[index] for index in np.random.default_rng(7).permutation(len(NAMES))]
    heard = heard_in(listen(book, call(book, *order, pause_s=pause_s)))
    assert [event.prompts for event in heard] == [(key,) for key in order]
    assert all(event.is_whole for event in heard)


@pytest.mark.parametrize("key", ["en/support/main_menu", "en/support/closed", "en/support/hold"])
@pytest.mark.parametrize("cut_at_s", np.arange(0.4, 1.9, 0.1).tolist())
def test_a_cut_is_found_to_a_tenth_of_a_second(book: PromptBook, key: str, cut_at_s: float) -> None:
    sound = book[key]
    loud_s = loud_until_s(sound[: round(cut_at_s * 8000)])
    (heard,) = heard_in(listen(book, np.concatenate([silence(0.5), sound[: round(cut_at_s * 8000)]])))
    assert key in heard.prompts
    assert not heard.is_whole
    assert heard.end_s - 0.5 == pytest.approx(loud_s, abs=0.1)


def test_a_cut_in_a_shared_beginning_reports_the_set(book: PromptBook) -> None:
    (heard,) = heard_in(listen(book, book["en/support/main_menu"][: round(0.8 * 8000)]))
    assert set(heard.prompts) == {"en/support/main_menu", "en/support/sales_menu"}


def test_after_a_cut_the_next_prompt_is_heard_at_once(book: PromptBook) -> None:
    audio = np.concatenate([book["en/support/main_menu"][: round(2.0 * 8000)], book["es/support/welcome"]])
    first, second = heard_in(listen(book, audio))
    assert first.prompts == ("en/support/main_menu",) and not first.is_whole
    assert second.prompts == ("es/support/welcome",) and second.is_whole


def test_the_same_prompt_twice_is_heard_twice(book: PromptBook) -> None:
    heard = heard_in(listen(book, call(book, *["en/support/goodbye"] * 3, pause_s=0.02)))
    assert [event.prompts for event in heard] == [("en/support/goodbye",)] * 3


@pytest.mark.parametrize("key", NAMES)
def test_a_beginning_is_recognised_within_half_a_second(book: PromptBook, key: str) -> None:
    ear = Ear(book)
    audio = call(book, key)
    for at in range(0, len(audio), 160):
        events = ear.feed(audio[at : at + 160])
        if events:
            assert isinstance(events[0], Began)
            assert (at + 160) / 8000 - events[0].start_s < 0.5
            return
    pytest.fail("never recognised")


@pytest.mark.parametrize("key", NAMES)
def test_noise_18_db_below_changes_nothing(book: PromptBook, key: str) -> None:
    audio = call(book, key).astype(np.float64)
    level = np.sqrt(np.mean(book[key].astype(np.float64) ** 2))
    noise = np.random.default_rng(3).normal(0, level * 10 ** (-18 / 20), len(audio))
    heard = heard_in(listen(book, np.clip(audio + noise, -32768, 32767).astype(np.int16)))
    assert [event.prompts for event in heard] == [(key,)]
    assert heard[0].is_whole


@pytest.mark.parametrize("key", NAMES)
def test_five_percent_of_lost_packets_change_nothing(book: PromptBook, key: str) -> None:
    audio = call(book, key).copy()
    packets = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    packets[np.random.default_rng(11).random(len(packets)) < 0.05] = 0
    heard = heard_in(listen(book, audio))
    assert [event.prompts for event in heard] == [(key,)]


def test_a_lost_beginning_is_told(book: PromptBook) -> None:
    (heard,) = heard_in(listen(book, book["en/support/hold"][round(0.35 * 8000) :]))
    assert heard.prompts == ("en/support/hold",)
    assert heard.lost_s > 0.1 and not heard.is_whole


@pytest.mark.parametrize("seed", range(5))
def test_other_speech_is_a_sound_and_no_prompt(book: PromptBook, seed: int, tmp_path: Path) -> None:
    text = ["Your balance is forty two pounds", "Hello, this is Alice", "Para hablar con la operadora",
            "Press any key", "Thanks and have a nice day"][seed]  # fmt: skip
    other = read_sound(speak(text, "en-us", tmp_path))
    events = listen(book, np.concatenate([silence(0.5), other]))
    assert heard_in(events) == []
    assert sum(event.length_s for event in events if isinstance(event, Sound)) > 0.5 * len(other) / 8000


@pytest.mark.parametrize("lead", range(0, 1600, 80))
def test_a_prompt_that_nearly_fits_does_not_win_by_being_first(book: PromptBook, lead: int) -> None:
    """A decoy begins much like the true prompt (a score of 0.93), 25 ms earlier, and then differs."""
    rng, true = np.random.default_rng(5), book["en/support/hold"]
    begin = int(np.flatnonzero(np.abs(true) > 200)[0])
    alike = true[begin : begin + 1900].astype(np.float64)
    alike += rng.normal(0, 0.38 * np.sqrt(np.mean(alike**2)), len(alike))
    decoy = np.concatenate([rng.normal(0, 150, 200), alike, book["en/support/closed"][4000:]])
    both = PromptBook({"true": true, "decoy": decoy.astype(np.int16)})
    events = listen(both, np.concatenate([silence(0.3), np.zeros(lead, dtype=np.int16), true]))
    assert [event.prompts for event in events if not isinstance(event, Sound)] == [("true",), ("true",)]


def test_a_tone_is_a_sound_from_start_to_end(book: PromptBook) -> None:
    (event,) = listen(book, np.concatenate([silence(0.5), tone(440, 1.0)]))
    assert isinstance(event, Sound)
    assert (event.start_s, event.length_s) == (pytest.approx(0.5, abs=0.03), pytest.approx(1.0, abs=0.05))


def test_silence_is_measured_from_the_last_sound(book: PromptBook) -> None:
    ear = Ear(book)
    for _ in range(10):
        ear.feed(tone(440, 0.1))
    ear.feed(silence(2.5))
    assert (ear.quiet_since_s, ear.fed_s) == (pytest.approx(1.0, abs=0.02), pytest.approx(3.5))
    assert ear.sound_since_s is None


@settings(max_examples=40, deadline=None)
@given(chunks=st.lists(st.integers(1, 4000), min_size=1, max_size=30))
def test_how_it_is_fed_does_not_matter(book: PromptBook, chunks: list[int]) -> None:
    audio = np.concatenate([call(book, "en/support/closed", "en/support/welcome"), silence(2)])
    ear, events, at = Ear(book), [], 0
    for size in _repeat(chunks):
        events += ear.feed(audio[at : at + size])
        at += size
        if at >= len(audio):
            break
    assert [event.prompts for event in heard_in(events)] == [("en/support/closed",), ("en/support/welcome",)]


def _repeat(chunks: list[int]) -> Iterator[int]:
    while True:
        yield from chunks


def test_a_minute_of_call_costs_less_than_half_a_second(book: PromptBook) -> None:
    audio = np.concatenate([call(book, *NAMES, pause_s=1.0), tone(440, 5.0), silence(30)])
    before = time.process_time()
    listen(book, audio)
    assert time.process_time() - before < 0.5 * len(audio) / 8000 / 60


def test_short_names_are_resolved_by_language(book: PromptBook) -> None:
    assert book.resolve("goodbye") == "en/support/goodbye"
    assert book.resolve("welcome", language="es") == "es/support/welcome"
    assert book.resolve("es/welcome", language="en") == "es/support/welcome"
    with pytest.raises(LabError, match="fits several prompts: en/support/welcome, es/support/welcome"):
        book.resolve("welcome")
    with pytest.raises(LabError, match="did you mean `main_menu`"):
        book.resolve("mainmenu")


def test_a_tone_is_told_by_its_frequency() -> None:
    noise = np.random.default_rng(1).normal(0, 300, 4000).astype(np.int16)
    assert tone_share(tone(440, 0.5) + noise, 440) > 0.9
    assert tone_share(tone(440, 0.5), 480) < 0.05
    assert tone_share(silence(0.5), 440) == 0.0


def test_wide_band_stereo_recordings_are_read(book: PromptBook, tmp_path: Path) -> None:
    source, wide = tmp_path / "a.wav", tmp_path / "b.wav"
    speak(TEXTS["en/support/hold"], "en", tmp_path)
    subprocess.run(
        ["sox", "-V1", str(source.with_name("raw.wav")), "-r", "44100", "-c", "2", str(wide)], check=True
    )
    heard = heard_in(listen(book, read_sound(wide)))
    assert [event.prompts for event in heard] == [("en/support/hold",)]
