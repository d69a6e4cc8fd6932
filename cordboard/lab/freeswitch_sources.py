"""Where the lab takes a FreeSWITCH from: a running one that is named, the program on the PATH, or our image.

    CORDBOARD_FREESWITCH_ESL=host:port:secret   a running one on this machine, started on `cordboard lab files`
    freeswitch                                  on the PATH, run with directories of the lab's own
    cordboard/freeswitch                        an image that the Docker engine has: docker build docker/freeswitch

Asterisk's image the lab builds by itself; FreeSWITCH's it does not, because that takes minutes and a registry.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cordboard.errors import LabError
from cordboard.lab.engine import find_engine
from cordboard.lab.image import has_image
from cordboard.lab.packages import find_program

VARIABLE = "CORDBOARD_FREESWITCH_ESL"
IMAGE = "cordboard/freeswitch:latest"
PROGRAM = "freeswitch"


class NoFreeswitch(LabError):
    """There is none to be had; the message says what to do. Tests skip with it."""


@dataclass(frozen=True, slots=True)
class RunningFreeswitch:
    """The Event Socket of one that runs already."""

    host: str
    port: int
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FreeswitchProgram:
    """What can be started. place: the program's path, or the image's tag."""

    kind: Literal["program", "image"]
    place: str


FreeswitchSource = RunningFreeswitch | FreeswitchProgram


def find_freeswitch(environment: Mapping[str, str] = os.environ) -> FreeswitchSource:
    """The first there is. Raises NoFreeswitch. Blocks: it asks the Docker engine."""
    if (named := named_freeswitch(environment)) is not None:
        return named
    if (program := find_program(PROGRAM)) is not None:
        return FreeswitchProgram("program", program)
    if _engine_has_image():
        return FreeswitchProgram("image", IMAGE)
    raise NoFreeswitch(
        f"no FreeSWITCH: put `{PROGRAM}` on the PATH, or build the image (docker build --network host "
        f"-t {IMAGE} docker/freeswitch), or set {VARIABLE}=host:port:secret"
    )


def named_freeswitch(environment: Mapping[str, str] = os.environ) -> RunningFreeswitch | None:
    """The running one that the environment names. Raises NoFreeswitch if it names none properly."""
    written = environment.get(VARIABLE)
    return running_freeswitch(written) if written else None


def running_freeswitch(written: str) -> RunningFreeswitch:
    """What `host:port:secret` names; the secret may hold colons. Raises NoFreeswitch."""
    host, _, rest = written.partition(":")
    port, _, secret = rest.partition(":")
    if not host or not port.isdecimal() or not secret:
        raise NoFreeswitch(f"{VARIABLE} is not host:port:secret")
    return RunningFreeswitch(host, int(port), secret)


def _engine_has_image() -> bool:
    engine = find_engine()
    if engine is None:
        return False
    with contextlib.closing(engine):
        return has_image(engine, IMAGE)
