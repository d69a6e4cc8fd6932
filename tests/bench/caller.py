"""The generator's other end: gives it jobs, hands back results."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.pbx import LabPbx
from tests.bench.generator import LONGEST_CALL_S, Burst, Result

SLACK_S = 10.0
LINE_LIMIT = 1 << 22  # one result line holds every call's duration


class Caller:
    """The running generator. One burst at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def place(self, burst: Burst) -> Result:
        """Have a burst placed. Raises LabError if the generator dies or hangs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(burst)).encode() + b"\n")
        longest_s = burst.count / burst.rate + LONGEST_CALL_S + SLACK_S
        line = await asyncio.wait_for(self._process.stdout.readline(), longest_s)
        if not line:
            raise LabError("the generator has died")
        return Result(**json.loads(line))


@contextlib.asynccontextmanager
async def caller(pbx: LabPbx) -> AsyncIterator[Caller]:
    """The generator, logged in at a PBX."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.generator", pbx.host, str(pbx.ami_port), pbx.ami_user, pbx.ami_secret,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT, env=cleanup.environment(),
    )  # fmt: skip
    try:
        yield Caller(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), SLACK_S)
        if process.returncode is None:
            process.kill()
            await process.wait()
