"""The voices that `cordboard.yaml` asks for."""

from __future__ import annotations

from cordboard.config.voice_section import VoiceProgram, VoiceSection
from cordboard.prompts.voice import ESPEAK, Voice, Voices


def voices_of(section: VoiceSection) -> Voices:
    """Who speaks what, as the settings say."""
    return Voices(
        default=Voice(section.command or ESPEAK.command, section.deadline_s),
        languages={language: _voice(program) for language, program in section.languages.items()},
        wideband=section.wideband,
    )


def _voice(program: VoiceProgram) -> Voice:
    return Voice(program.command, program.deadline_s)
