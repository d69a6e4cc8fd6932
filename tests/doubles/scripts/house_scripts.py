"""Scripts as an admin writes them, good ones and hostile ones, for tests of the processes they run in."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

calls = 0


def quote(*, order: str, pin: str = "") -> dict[str, object]:
    """A good one."""
    return {"price": 12.5, "text": f"{order} {len(pin)}"}


def gives(*, what: str) -> object:
    """Whatever is asked for."""
    return {
        "nothing": None,
        "text": "text",
        "list": [1],
        "wrong type": {"price": "12.5"},
        "true": {"price": True},
        "too little": {},
        "null": {"price": None},
        "too much": {"price": 1.0, "more": 2},
        "object": object(),
        "inside": {"price": object()},
        "NaN": {"price": float("nan")},
        "infinity": {"price": float("inf")},
        "huge": {"price": 10**400},
        "long": {"price": "x" * 100_000},
        "set": {1, 2},
        "bytes": b"12.5",
        "class": dict,
    }[what]


def circle() -> dict[str, object]:
    """Holds itself."""
    itself: dict[str, object] = {}
    itself["price"] = itself
    return itself


def counts() -> dict[str, object]:
    """How often this process was called, as far as it knows."""
    global calls
    calls += 1
    return {"price": float(calls)}


def raises(*, secret: str) -> None:
    """Has the secret in its fault."""
    raise ValueError(f"wrong: {secret}")


def leaves() -> None:
    """The polite way."""
    sys.exit(0)


def dies() -> None:
    """The other way."""
    os._exit(3)


def kills_itself() -> None:
    """By a signal nobody can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


def crashes() -> None:
    """Reads where nothing is."""
    ctypes.string_at(0)


def interrupts() -> None:
    """As Ctrl-C does."""
    raise KeyboardInterrupt


def loops() -> None:
    """For ever, and listens to no signal."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleeps(*, path: str) -> None:
    """For an hour, and says who it is."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(3600)


def recurses() -> None:
    """Without end."""
    recurses()


def eats() -> None:
    """Memory, a gigabyte at a time."""
    kept = []
    while True:
        kept.append(bytearray(1 << 30))


def floods() -> None:
    """Prints for ever."""
    while True:
        print("x" * 10_000)


def forks(*, path: str) -> dict[str, object]:
    """Comes back twice; leaves a third process behind, which would like to live on."""
    if os.fork() == 0:
        return {"price": 666.0}
    if os.fork() == 0:
        Path(path).write_text(str(os.getpid()))
        time.sleep(3600)
    while not (os.path.exists(path) and Path(path).read_text()):
        time.sleep(0.01)
    return {"price": 1.0}


def spawns(*, path: str) -> None:
    """A program of its own, and waits for it."""
    with subprocess.Popen(["sleep", "3600"]) as sleeping:
        Path(path).write_text(str(sleeping.pid))
        sleeping.wait()


def leaves_a_program(*, path: str) -> dict[str, object]:
    """That would go on for an hour."""
    Path(path).write_text(str(subprocess.Popen(["sleep", "3600"]).pid))
    return {"price": 1.0}


def leaves_things_behind() -> dict[str, object]:
    """A thread that ends the process, an alarm, a closed world."""
    threading.Timer(0.05, lambda: os._exit(9)).start()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    os.environ.clear()
    sys.path.clear()
    return {"price": 1.0}


def forges() -> None:
    """Writes answers of its own to every descriptor there is."""
    frame = b'{"id":1,"returned":{"price":666.0}}'
    for descriptor in range(1, 30):
        try:
            os.write(descriptor, len(frame).to_bytes(4, "big") + frame)
        except OSError:
            continue
    os._exit(0)


def closes_everything() -> dict[str, object]:
    """All descriptors."""
    os.closerange(0, 200)
    return {"price": 1.0}


def reads() -> dict[str, object]:
    """From standard input."""
    return {"price": float(len(sys.stdin.read()))}


def prints(*, text: str) -> dict[str, object]:
    """To both outputs."""
    print(text)
    print(text, file=sys.stderr)
    return {"price": 1.0}


def looks_around() -> dict[str, object]:
    """Counts the secrets in sight: in the environment, and in open descriptors that are sockets."""
    seen = [name for name in os.environ if "SECRET" in name]
    for descriptor in range(3, 200):
        try:
            socket.socket(fileno=os.dup(descriptor)).close()
        except OSError:
            continue
        seen.append(str(descriptor))
    return {"price": float(len(seen))}


NO_FUNCTION = 1
