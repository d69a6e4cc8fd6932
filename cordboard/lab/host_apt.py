"""The machine's own way to a Debian archive: mirror, proxy and certificates, for building the lab's image.

A machine behind a proxy or with a mirror of its own has told apt so; the image is built by the same way. `image`
calls it. Credentials (`auth.conf`) are not read: they would end up in the image.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cordboard.lab.packages import find_program

PUBLIC_MIRROR = ""  # what the base image and mmdebstrap use by themselves
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
CERTIFICATES_IN_IMAGE = "/etc/apt/apt.conf.d/host-ca.crt"
_PASSED_ON = re.compile(r'^Acquire::https?::Proxy(?:::\S+)? ".+";$', re.MULTILINE)
_SECRET = re.compile(r"://[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class HostApt:
    """mirror: where Debian comes from; settings: lines for apt.conf; certificates: a PEM bundle, or None."""

    mirror: str = PUBLIC_MIRROR
    settings: str = ""
    certificates: bytes | None = None


def read_host_apt() -> HostApt:
    """What this machine's apt is set to. The public mirror and nothing else where there is no apt."""
    mirror = pick_mirror(_ask_apt("apt-get", "indextargets", "--format", "$(REPO_URI)"))
    settings = pick_settings(_ask_apt("apt-config", "dump"))
    if not mirror.startswith("https:") or not CERTIFICATES.exists():
        return HostApt(mirror, settings)
    settings += f'Acquire::https::CAInfo "{CERTIFICATES_IN_IMAGE}";\n'
    return HostApt(mirror, settings, CERTIFICATES.read_bytes())


def pick_mirror(uris: str) -> str:
    """The first of these archive addresses, one a line, that can have Debian sid; else the public mirror."""
    for uri in uris.split():
        if re.fullmatch(r"https?://\S+/debian/?", uri) and not _SECRET.search(uri):
            return uri.rstrip("/")
    return PUBLIC_MIRROR


def pick_settings(dump: str) -> str:
    """The lines of `apt-config dump` that say how to get out of this machine."""
    return "".join(f"{line}\n" for line in _PASSED_ON.findall(dump) if not _SECRET.search(line))


def _ask_apt(*command: str) -> str:
    if find_program(command[0]) is None:
        return ""
    finished = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return finished.stdout
