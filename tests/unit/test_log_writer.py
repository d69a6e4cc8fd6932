"""Log lines leave whole and in order, and nobody waits for them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator

import pytest

from cordboard.bootstrap import log_writer
from cordboard.bootstrap.log_writer import LogWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe()
    yield read_end, write_end
    for end in (read_end, write_end):
        with contextlib.suppress(OSError):
            os.close(end)


def test_lines_come_out_whole_and_in_order(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1])
    lines = [f"{number} {'x' * (number % 300)}".encode() for number in range(200)]
    for line in lines:
        writer.write(line)
    writer.close()
    os.close(pipe[1])
    with os.fdopen(os.dup(pipe[0]), "rb") as out:
        assert out.read().splitlines() == lines


def test_nobody_waits_when_nobody_reads_and_the_gap_is_told(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "WAITING_MAX", 100)
    writer = LogWriter(pipe[1])
    began = time.monotonic()
    for number in range(5_000):
        writer.write(b"%06d " % number + b"x" * 1000)
    assert time.monotonic() - began < 5.0
    seen = b""
    while b"log_lines_dropped" not in seen:
        seen += os.read(pipe[0], 65536)
    told = json.loads(seen.splitlines()[-1])
    whole = sum(line.endswith(b"x") for line in seen.splitlines())
    assert 0 < told["lines"] <= 5_000 - whole
    writer.close()


def test_a_dead_reader_is_no_error(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1])
    os.close(pipe[0])
    writer.write(b"nobody will read this")
    writer.close()
    assert not writer._thread.is_alive()
