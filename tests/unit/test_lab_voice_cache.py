"""What a voice has spoken for one stage is there for the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.lab import cleanup, voice_cache


def test_the_next_stage_has_what_was_spoken_and_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup.tempfile, "tempdir", str(tmp_path))
    first, second = tmp_path / "first", tmp_path / "second"
    for name in ("en/support-welcome-1a2b.wav", "recorded/en/support-thanks-3c4d.wav"):
        (first / name).parent.mkdir(parents=True)
        (first / name).write_text(name)
    voice_cache.keep(first)
    voice_cache.keep(first)
    (second / "en").mkdir(parents=True)
    (second / "en" / "own.wav").write_text("own")
    voice_cache.fill(second)
    assert {str(file.relative_to(second)) for file in second.rglob("*.wav")} == {
        "en/own.wav", "en/support-welcome-1a2b.wav",
    }  # fmt: skip
    assert (second / "en" / "support-welcome-1a2b.wav").read_text() == "en/support-welcome-1a2b.wav"
