"""The program that scripts run in. Started by `script_process` as a file of its own: it imports nothing of ours.

    python -I -B script_child.py CHANNEL FOLDER PARENT MEMORY_BYTES

It reads one call after the other from the channel (a socket), each a length of four bytes and JSON, and answers in
the same form. Modules are imported here, once; each call then runs in a process forked for it, which ends with its
answer. So nothing that a script leaves behind, a thread, an alarm, a changed global, a secret, meets the next call.

    {"id": 1, "entry": "prices:quote", "arguments": {...}, "is_silent": false}   a call; without arguments an import
    {"running": 4711}    the first of two answers: the process that runs it, 0 for none
    {"id": 1, "returned": {...}}    {"id": 1, "raised": "ValueError"}    {"id": 1, "unusable": "ImportError: ..."}
    {"id": 1, "ended": true}    it ended without an answer, or with far too long a one

What a script prints goes to our standard output, unless it was given secrets. It dies with the worker that started
it, and every process forked by a script that is still in its group dies with the script.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

ANSWER_MAX_BYTES = 64 * 1024
_LENGTH_BYTES = 4
_PR_SET_PDEATHSIG = 1
_OPEN_FILES_MAX = 256
_NICENESS = 5  # calls go before scripts


def main() -> None:
    """Serve until the worker closes the channel."""
    descriptor, folder, parent, memory_bytes = sys.argv[1:]
    _close_all_but(int(descriptor))
    channel = socket.socket(fileno=int(descriptor))
    channel.set_inheritable(False)
    sys.argv = [sys.argv[0]]
    sys.path.insert(0, folder)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _die_with(int(parent))
    _be_modest(int(memory_bytes))
    os.register_at_fork(after_in_child=channel.close)
    os.register_at_fork(after_in_child=_die_with_parent)
    while (call := _receive(channel)) is not None:
        _serve(channel, json.loads(call))


def _serve(channel: socket.socket, call: dict[str, Any]) -> None:
    function = _find(call["entry"])
    if isinstance(function, str) or "arguments" not in call:
        answer = ("unusable", function) if isinstance(function, str) else ("returned", None)
        _send(channel, json.dumps({"running": 0}).encode())
        _send(channel, json.dumps({"id": call["id"], answer[0]: answer[1]}).encode())
    else:
        _fork(channel, function, call)


def _fork(channel: socket.socket, function: Callable[..., Any], call: dict[str, Any]) -> None:
    """Have the function run by a process of its own, and pass its answer on."""
    parent = os.getpid()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _die_with(parent)
        _run(writing, function, call)
    os.close(writing)
    _send(channel, json.dumps({"running": pid}).encode())
    answer = _read(reading) or json.dumps({"id": call["id"], "ended": True}).encode()
    os.close(reading)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # with all that it has forked and that is still there
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    _send(channel, answer)


def _find(entry: str) -> Callable[..., Any] | str:
    """The function of "package.module:function", or why there is none."""
    module, _, name = entry.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except BaseException as fault:  # whatever the module does, down to leaving the process
        return f"{type(fault).__name__}: {fault}"[:200]
    return function if callable(function) else f"TypeError: {name} is no function"


def _run(writing: int, function: Callable[..., Any], call: dict[str, Any]) -> NoReturn:
    """In the forked process: run the function, write its answer, and end, whatever it does."""
    pid = os.getpid()
    os.setpgid(0, 0)
    os.register_at_fork(after_in_child=lambda: os.close(writing))
    if call["is_silent"]:
        _close_mouth()
    answer = _call(function, call["arguments"])
    if os.getpid() == pid:  # and not one that the script has forked and that came back here too
        with contextlib.suppress(OSError):
            os.write(writing, json.dumps({"id": call["id"], **answer}).encode())
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
    os._exit(0)


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        returned = function(**arguments)
    except BaseException as fault:  # SystemExit and KeyboardInterrupt are faults here too
        return {"raised": type(fault).__name__}
    try:
        size = len(json.dumps(returned, allow_nan=False))
    except (TypeError, ValueError, RecursionError, MemoryError):
        return {"returned": None}
    return {"returned": returned if size < ANSWER_MAX_BYTES - 100 else None}


def _close_mouth() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _read(descriptor: int) -> bytes:
    """All that a forked process has written before it ended; too much is nothing."""
    answer = b""
    while chunk := os.read(descriptor, ANSWER_MAX_BYTES):
        answer += chunk
        if len(answer) > ANSWER_MAX_BYTES:
            return b""
    return answer


def _receive(channel: socket.socket) -> bytes | None:
    head = channel.recv(_LENGTH_BYTES, socket.MSG_WAITALL)
    if len(head) < _LENGTH_BYTES:
        return None
    return channel.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)


def _send(channel: socket.socket, frame: bytes) -> None:
    channel.sendall(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)


def _close_all_but(kept: int) -> None:
    """What the worker holds is none of a script's business; uvloop leaves some of it open (0.22)."""
    os.closerange(3, kept)
    os.closerange(kept + 1, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 20))


def _die_with(parent: int) -> None:
    _die_with_parent()
    if os.getppid() != parent:  # it has died already
        os._exit(0)


def _die_with_parent() -> None:
    with contextlib.suppress(AttributeError, OSError):  # only Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _be_modest(memory_bytes: int) -> None:
    """What a script may take of the machine; a core would hold its arguments."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES_MAX, _OPEN_FILES_MAX))
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # where memory is short, scripts go before calls
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    main()
