"""The Asterisk image, built once for each content of `docker/asterisk`.

The base is Debian's public image; where no registry can be reached, one is made on this machine with mmdebstrap.
The tag is the hash of what goes in, so an old image is never taken for a new one. `pbx` calls it. Everything
blocks, for up to a minute or two the first time; call it through `asyncio.to_thread`.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from cordboard.errors import LabError
from cordboard.lab.cleanup import state_root
from cordboard.lab.host_apt import HostApt, read_host_apt
from cordboard.lab.packages import ensure_packages, find_program

Log = Callable[[str], None]

CONTEXT_DIR = Path(__file__).parents[2] / "docker" / "asterisk"
CONTEXT_FILES = ("Dockerfile", "apt/90cordboard.conf")
REPOSITORY = "cordboard/asterisk"
PUBLIC_BASE = "debian:sid-slim"
OWN_BASE = "cordboard/debian-base:sid"
REGISTRY_TIMEOUT_S = 8  # a registry that has not answered by then is out of reach
PULL_TIMEOUT_S = 300
BOOTSTRAP_TIMEOUT_S = 600


def ensure_image(client: docker.DockerClient, log: Log) -> str:
    """The tag of the Asterisk image, which is there when this returns. `log` gets a line for each step of a build.

    Raises LabError with the end of the build's output.
    """
    tag = image_tag()
    if has_image(client, tag):
        return tag
    with (state_root() / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several labs may start at once; one builds
        if not has_image(client, tag):
            host_apt = read_host_apt()
            build_image(client, tag, ensure_base(client, host_apt, log), host_apt, log)
    return tag


def image_tag() -> str:
    """The image's name, made of the hash of the files it is built from."""
    digest = hashlib.sha256()
    for name in CONTEXT_FILES:
        digest.update(name.encode() + b"\0" + _context_file(name) + b"\0")
    return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


def has_image(client: docker.DockerClient, tag: str) -> bool:
    """Whether the engine has the image, without asking a registry."""
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def ensure_base(client: docker.DockerClient, host_apt: HostApt, log: Log) -> str:
    """A Debian sid base image: the public one, else our own. Raises LabError if neither can be had."""
    for tag in (PUBLIC_BASE, OWN_BASE):
        if has_image(client, tag):
            return tag
    if why_not := pull_public_base(client, log):
        log(f"no {PUBLIC_BASE} from a registry ({why_not}); making a base with mmdebstrap")
        return make_base(client, host_apt, log)
    return PUBLIC_BASE


def pull_public_base(client: docker.DockerClient, log: Log) -> str:
    """Pull the public base. Returns "" or why it could not be had; offline that takes a moment, not minutes."""
    usual_timeout_s = client.api.timeout
    try:
        client.api.timeout = REGISTRY_TIMEOUT_S
        client.images.get_registry_data(PUBLIC_BASE)
        log(f"pulling {PUBLIC_BASE}")
        client.api.timeout = PULL_TIMEOUT_S
        client.images.pull(PUBLIC_BASE)
    except (DockerException, OSError) as error:
        return str(error).strip().rpartition("\n")[2][-200:]
    finally:
        client.api.timeout = usual_timeout_s
    return ""


def make_base(client: docker.DockerClient, host_apt: HostApt, log: Log) -> str:
    """Make the base image from the Debian archive itself. Needs mmdebstrap (installed if we are root)."""
    ensure_packages(["mmdebstrap"])
    with tempfile.TemporaryDirectory(prefix="cordboard-base-") as folder:
        archive = Path(folder) / "base.tar"
        settings = Path(folder) / "apt.conf"
        settings.write_text(_context_file("apt/90cordboard.conf").decode() + _bootstrap_settings(host_apt))
        log(f"mmdebstrap sid from {host_apt.mirror or 'the public mirror'}")
        _bootstrap(archive, settings, host_apt.mirror)
        repository, _, version = OWN_BASE.partition(":")
        client.api.import_image_from_file(str(archive), repository=repository, tag=version)
    return OWN_BASE


def build_image(client: docker.DockerClient, tag: str, base: str, host_apt: HostApt, log: Log) -> None:
    """Build the image on a base: `docker build docker/asterisk` by this machine's own way to the archive."""
    log(f"building {tag} on {base}")
    output: list[str] = []
    steps = client.api.build(
        fileobj=build_context(host_apt),
        custom_context=True,
        tag=tag,
        rm=True,
        forcerm=True,
        decode=True,
        network_mode="host",
        buildargs={"BASE": base, "MIRROR": host_apt.mirror},
    )
    for step in steps:
        text = step.get("stream", step.get("error", ""))
        output += text.splitlines()
        if text.startswith("Step "):
            log(text.strip())
    if not has_image(client, tag):
        raise LabError(f"the build of {tag} failed:\n" + "\n".join(output[-15:]))


def build_context(host_apt: HostApt) -> io.BytesIO:
    """The files for the build as a tar archive."""
    files = {name: _context_file(name) for name in CONTEXT_FILES}
    if host_apt.settings:
        files["apt/91host.conf"] = host_apt.settings.encode()
    if host_apt.certificates is not None:
        files["apt/host-ca.crt"] = host_apt.certificates
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    return archive


def _bootstrap(archive: Path, settings: Path, mirror: str) -> None:
    command = [find_program("mmdebstrap") or "mmdebstrap", "--variant=minbase", f"--aptopt={settings}"]
    command += ["sid", str(archive), *([mirror] if mirror else [])]
    try:
        finished = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=BOOTSTRAP_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"mmdebstrap took longer than {BOOTSTRAP_TIMEOUT_S} s") from error
    if finished.returncode != 0:
        raise LabError("mmdebstrap failed:\n" + "\n".join(finished.stderr.strip().splitlines()[-8:]))


def _bootstrap_settings(host_apt: HostApt) -> str:
    """mmdebstrap runs apt on the host, where the certificates lie in their own place."""
    lines = host_apt.settings.splitlines(keepends=True)
    return "".join(line for line in lines if "CAInfo" not in line)


def _context_file(name: str) -> bytes:
    try:
        return (CONTEXT_DIR / name).read_bytes()
    except OSError as error:
        raise LabError(f"{CONTEXT_DIR / name} is missing: the lab runs from a clone of the repository") from error
