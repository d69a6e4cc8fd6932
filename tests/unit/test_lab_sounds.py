"""The lab's own sounds are told apart by any quarter of a second, and are the same on each run."""

import wave

import numpy as np

from cordboard.lab.sounds import RATE_HZ, write_lab_sounds, write_melody


def samples(path):
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE_HZ, 1, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(float)


def best_match(piece, whole):
    """The highest normalised correlation of a piece at any place of the whole."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, len(piece))
    lengths = np.linalg.norm(windows, axis=1) * np.linalg.norm(piece)
    return float(np.max(windows @ piece / np.maximum(lengths, 1.0)))


def test_a_quarter_second_of_one_sound_is_in_no_other(tmp_path):
    write_lab_sounds(tmp_path)
    safe, music = samples(tmp_path / "safe-destination.wav"), samples(tmp_path / "music" / "music.wav")
    for start in (0, 9000, 21000):
        piece = safe[start : start + 2000]
        assert best_match(piece, safe) > 0.99
        assert best_match(piece, music[: 3 * RATE_HZ]) < 0.5


def test_a_melody_is_the_same_on_each_run_and_another_for_each_name(tmp_path):
    for name, title in (("a", "phone 1001"), ("b", "phone 1001"), ("c", "phone 1002")):
        write_melody(tmp_path / name, title, duration_s=1.0)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != other
