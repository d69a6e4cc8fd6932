"""The order in which test files begin: those that take longest first, so that none of them is left for the end,
when the other processes of a run have nothing more to do. `conftest` sorts by it; `python -m tests` relies on it.

No durations are kept: a file that stands in the wrong place costs a few seconds, no more.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
LONGEST = (
    "live/test_crash_safety.py",
    "live/test_every_node.py",
    "wire/test_supervisor.py",
    "live/test_queue_crash_safety.py",
    "contract/test_library_traces.py",
    "live/test_freeswitch_crash_safety.py",
    "live/test_library_flows.py",
    "live/test_voicemail.py",
    "contract/test_phones.py",
    "live/test_lab_agents.py",
    "live/test_acd_faults.py",
    "live/test_call_recording.py",
    "live/test_reload.py",
    "live/test_waiting.py",
)
FOLDERS = ("live", "contract", "wire", "browser", "unit")
"""All other files, by how much there is to wait for in them. A browser holds up other processes for up to a quarter
of a second, which tears what is heard in live calls: it comes after them.
"""


def place(file: Path) -> tuple[int, int]:
    """Where a test file belongs; files of the same place begin in the order of their names."""
    name = file.relative_to(HERE).as_posix()
    if name in LONGEST:
        return 0, LONGEST.index(name)
    folder = name.partition("/")[0]
    return 1, FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
