"""Music on hold is recognised wherever it plays in its loop, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cordboard.errors import LabError
from cordboard.lab.music import Music
from cordboard.lab.prompt_book import read_sound
from cordboard.lab.rtp import Samples, tone, ulaw_decode, ulaw_encode
from cordboard.lab.sounds import write_lab_sounds, write_melody


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sounds")
    write_lab_sounds(made)
    write_melody(made / "speech.wav", "phone 1001", duration_s=4.0)
    return made


@pytest.fixture(scope="module")
def samples(folder: Path) -> Samples:
    return read_sound(folder / "music" / "music.wav")


@pytest.fixture(scope="module")
def music(folder: Path) -> Music:
    return Music.from_file(folder / "music" / "music.wav")


def over_the_line(sound: Samples) -> Samples:
    """As it comes out of a G.711 line."""
    return ulaw_decode(ulaw_encode(sound))


@pytest.mark.parametrize("start_s", [0.0, 0.013, 7.77, 19.6])
def test_it_is_recognised_at_any_place_of_its_loop(music: Music, samples: Samples, start_s: float) -> None:
    start = round(start_s * 8_000)
    heard = np.roll(samples, -start)[:6_000]
    assert music.score(over_the_line(heard)) > 0.98
    assert music.is_in(heard)


def test_half_the_loudness_is_the_same_music(music: Music, samples: Samples) -> None:
    assert music.is_in((samples[1_000:6_000] // 2).astype(np.int16))


def test_a_noisy_line_does_not_hide_it(music: Music, samples: Samples) -> None:
    """Noise 6 dB below the music: the score falls, and the music is still recognised."""
    piece = samples[1_000:6_000].astype(np.float64)
    noise = np.random.default_rng(1).normal(0.0, np.sqrt(np.mean(piece**2)) / 2, len(piece))
    heard = (piece + noise).astype(np.int16)
    assert 0.8 < music.score(heard) < 0.95
    assert music.is_in(heard)


def test_other_sounds_are_not_taken_for_it(music: Music, folder: Path) -> None:
    sounds = [read_sound(folder / "speech.wav"), read_sound(folder / "safe-destination.wav"), tone(500, 2)]
    noise = np.random.default_rng(1).integers(-8_000, 8_000, 8_000).astype(np.int16)
    for sound in (*sounds, noise):
        assert music.score(sound[:8_000]) < 0.5


def test_silence_and_too_short_a_piece_are_no_music(music: Music, samples: Samples) -> None:
    assert music.score(np.zeros(8_000, dtype=np.int16)) == 0.0
    assert music.score(samples[:3_000]) == 0.0
    with pytest.raises(LabError, match=r"0\.5 s or more"):
        Music(samples[:100])
