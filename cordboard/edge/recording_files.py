"""Names, folders and lengths of recordings, which a switch writes and we read at the same path.

Used by the phones' `Record` and `RecordCall`. What touches the disk blocks: call it in a thread.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args

from cordboard.prompts.wav import recorded_s

Standing = Literal["", "on", "paused", "secret"]
"""How the recording of a call stands, as a phone keeps it on the channel, with its path behind a colon.

"" nothing is recorded; "on" it is; "paused" the flow has paused it; "secret" paused while secret digits are
gathered: if that worker is lost, the next one resumes it with the first thing it does that is not the same
question.
"""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_PATH = re.compile(r"/[A-Za-z0-9_./@+=-]{1,400}")


def is_plain_name(text: str) -> bool:
    """Whether a text can name one folder or file, and leads nowhere else."""
    return _NAME.fullmatch(text) is not None


def is_plain_path(text: str) -> bool:
    """Whether a path means nothing else to any switch."""
    return _PATH.fullmatch(text) is not None


def standing_of(noted: str) -> tuple[Standing, str]:
    """What was noted on a channel: how its recording stands, and its path; "" and "" if there is none."""
    state, _, path = noted.partition(":")
    for standing in get_args(Standing):
        if state and state == standing and is_plain_path(path):
            return standing, path
    return "", ""


def make_folder(folder: Path) -> bool:
    """See that a folder is there; False if it cannot be. Blocks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def duration_s(wav: Path) -> float:
    """How long a recording is; 0.0 if there is none. Blocks."""
    try:
        return recorded_s(wav)
    except OSError:
        return 0.0
