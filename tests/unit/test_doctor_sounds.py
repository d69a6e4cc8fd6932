"""Where the check `esl-files` looks for the sounds of a language, by what FreeSWITCH says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap.checks.freeswitch_dialplan import sound_folder

MACROS = '<phrases><macros sound-prefix="/elsewhere"/></phrases></language>'


@pytest.mark.parametrize(
    ("element", "folder"),
    [
        ('<language name="en" say-module="en" sound-prefix="/sounds/en/us/callie">', Path("/sounds/en/us/callie")),
        ('<language name="es" sound-path="/sounds/es/ES/cristina" tts-engine="x">', Path("/sounds/es/ES/cristina")),
        ('\n<language sound-path="/old" name="es" sound-prefix="/new">', Path("/new")),
        ('<language name="en">', None),
        ("-ERR can't find root", None),
    ],
)
def test_either_name_of_the_folder_is_known_and_the_newer_one_wins(element: str, folder: Path | None) -> None:
    assert sound_folder(element + MACROS) == folder
