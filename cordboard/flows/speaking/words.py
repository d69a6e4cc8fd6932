"""The words that values are composed of, as prompts of a reserved flow, so that recordings can take their place.

`prompts/es/words/hour-other.wav` is a recording of "horas". Spoken by the voice like any other prompt otherwise.
"""

from __future__ import annotations

from cordboard.telephony.verbs import Prompt

WORDS = "words"  # no flow can be called so


def word(language: str, name: str, text: str) -> Prompt:
    """A word of a language."""
    return Prompt(WORDS, name, language, text)
