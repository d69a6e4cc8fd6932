"""Programs the lab needs from the distribution: found on the PATH, or installed with apt where we may.

Used by the engine, the image builder, the phones and whoever else starts a Debian program. It never adds a package
source and never upgrades anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from cordboard.errors import LabError

PROGRAM_OF = {
    "baresip-core": "baresip",
    "docker.io": "dockerd",
    "postgresql": "pg_ctlcluster",
    "sip-tester": "sipp",
}  # packages named otherwise than their program

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
INSTALL_TIMEOUT_S = 600.0
_APT_OPTIONS = [
    "-o",
    "DPkg::Lock::Timeout=120",  # another installation may be under way
    "-o",
    "Acquire::Check-Valid-Until=false",
]


def find_program(name: str) -> str | None:
    """The path of a program, the system folders included, which a user's PATH may lack."""
    return shutil.which(name, path=SEARCH_PATH)


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Those packages whose program is not there."""
    return [package for package in packages if find_program(PROGRAM_OF.get(package, package)) is None]


def ensure_packages(packages: Sequence[str]) -> None:
    """Make sure the packages' programs are there, installing them on Debian or Ubuntu when we are root.

    Blocks, up to minutes: call it through `asyncio.to_thread`. Raises LabError with the one command to type.
    """
    missing = missing_packages(packages)
    if not missing:
        return
    command = f"apt-get install {' '.join(missing)}"
    if find_program("apt-get") is None:
        raise LabError(f"the lab needs {', '.join(missing)}; on Debian or Ubuntu: sudo {command}")
    if os.geteuid() != 0:
        raise LabError(f"the lab needs {', '.join(missing)}; type: sudo {command}")
    _install(missing, command)
    if still_missing := missing_packages(missing):
        raise LabError(f"apt installed {', '.join(still_missing)} but its program is not on the PATH")


def _install(packages: Sequence[str], command: str) -> None:
    """Install, with fresh package lists only if the lists at hand do not do."""
    install = ["apt-get", *_APT_OPTIONS, "install", "-y", "--no-install-recommends", *packages]
    if _run(install).returncode == 0:
        return
    _run(["apt-get", *_APT_OPTIONS, "update"])
    finished = _run(install)
    if finished.returncode != 0:
        last_lines = "\n".join(finished.stdout.strip().splitlines()[-5:])
        raise LabError(f"{command} failed:\n{last_lines}")


def _run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        return subprocess.run(
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(arguments)} took longer than {INSTALL_TIMEOUT_S:.0f} s") from error
