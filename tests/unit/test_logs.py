"""What a process writes to its standard output, before and after a reload of the log settings."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import structlog
from cordboard.bootstrap.logs import close_logs, configure_logs
from cordboard.settings import Log
log = structlog.get_logger()
configure_logs(Log(format="json"), worker=1)
bound = log.bind(call_id="x")
bound.info("first", ani="+442079460123")
log.debug("too quiet")
configure_logs(Log(format="json", level="debug", numbers="full"), worker=1)
bound.debug("second", ani="+442079460123")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("third", caller_name="Ada")
close_logs()
"""


def test_lines_are_json_and_follow_a_reload() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    first, second, third = [json.loads(line) for line in done.stdout.splitlines()]
    assert first.pop("at").endswith("+00:00")
    assert first == {"event": "first", "ani": "…123", "call_id": "x", "level": "info", "worker": 1}
    assert (second["event"], second["level"], second["ani"]) == ("second", "debug", "+442079460123")
    assert third["caller_name"] == "[hidden]"
    assert "ZeroDivisionError" in third["exception"]
