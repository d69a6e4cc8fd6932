"""`python -m tests`, which is `make test`: every test, four files at a time, and the few that fail again, alone.

Live calls are judged by what is heard, and when. Beside another test such a judgement can fail for want of
processor time; with the machine to itself it must not. So a fault of the code fails twice, and fails the run. What
failed beside others only is named in the output, so that nobody overlooks it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AT_A_TIME = 4  # files, in the order of `longest_first`; live tests wait most of their time
AGAIN_MAX = 8  # more than that is no want of time
SOME_FAILED = 1  # pytest's exit code; any other but 0 means that not all tests ran
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "v" / "cache" / "lastfailed"


def main() -> int:
    """The exit code of the whole run."""
    _CACHE.unlink(missing_ok=True)
    code = _pytest("-n", str(AT_A_TIME), "--dist", "loadfile", "--no-loadscope-reorder", *sys.argv[1:])
    failed = _failed() if code == SOME_FAILED else []
    if not 0 < len(failed) <= AGAIN_MAX:
        return code
    print("\nFailed beside other tests, and now judged alone:", *failed, sep="\n  ", flush=True)
    return _pytest("-v", *failed)


def _failed() -> list[str]:
    return sorted(json.loads(_CACHE.read_text())) if _CACHE.exists() else []


def _pytest(*options: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *options]).returncode


if __name__ == "__main__":
    sys.exit(main())
