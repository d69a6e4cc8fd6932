"""The lab PBX's configuration files, rendered from the templates in `docker/asterisk/conf`.

Pure text in, text out; `pbx` writes the files and mounts them. A template's `@NAME@` is a field of `PbxSettings`;
a placeholder that nobody fills is an error, so a template and this module cannot drift apart unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab.ports import LOOPBACK

TEMPLATE_DIR = Path(__file__).parents[2] / "docker" / "asterisk" / "conf"
PHONE_TEMPLATE = "pjsip_phone.conf"
EXTENSIONS = tuple(str(number) for number in range(1000, 1010))
PHONE_SECRET = "lab-secret"  # noqa: S105 - no secret: it opens phones on loopback
RTP_PORTS = (10000, 19999)  # labs share it: Asterisk tries the next port when one is taken
ENTRY_FILE = "cordboard.conf"  # given it, the lab sends callers to its context [cordboard]

_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class PbxSettings:
    """What differs from one lab PBX to the next.

    run_dir, sound_dir: absolute paths, the same inside the container and outside.
    etc_dir:            where Asterisk finds these files.
    extra_files:        name to text. `x.conf` is included by extensions.conf, `manager.d/x.conf` by manager.conf,
                        and so on for each file of ours.
    extra_dialplan:     lines of the context [lab-extra], whose numbers callers and phones can dial, and any
                        further contexts.
    verbose:            Asterisk's verbosity, 0 to 5; from 3 on the log shows each dialplan step.
    """

    sip_port: int
    ami_port: int
    ami_secret: str
    run_dir: Path
    sound_dir: Path
    host: str = LOOPBACK
    etc_dir: Path = Path("/etc/asterisk")
    ami_user: str = "lab"
    rtp_ports: tuple[int, int] = RTP_PORTS
    phones: Sequence[str] = EXTENSIONS
    phone_secret: str = field(default=PHONE_SECRET, repr=False)
    extra_files: Mapping[str, str] = field(default_factory=dict)
    extra_dialplan: str = ""
    verbose: int = 0


def render(settings: PbxSettings) -> dict[str, str]:
    """All files of /etc/asterisk, by name. Raises LabError for an extra file we cannot place."""
    templates = _templates()
    phone = templates.pop(PHONE_TEMPLATE)
    values = _values(settings)
    values["PHONES"] = "".join(fill(phone, values | {"EXTENSION": extension}) for extension in settings.phones)
    for name in settings.extra_files:
        _refuse_unplaceable(name, templates)
    files = {
        name: fill(text, values | {"INCLUDES": _includes(name, settings.extra_files)})
        for name, text in templates.items()
    }
    return files | dict(settings.extra_files)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled. Raises KeyError for one that has no value."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _templates() -> dict[str, str]:
    if not TEMPLATE_DIR.is_dir():
        raise LabError(f"{TEMPLATE_DIR} is missing: the lab runs from a clone of the repository")
    return {path.name: path.read_text() for path in sorted(TEMPLATE_DIR.glob("*.conf"))}


def _values(settings: PbxSettings) -> dict[str, str]:
    has_entry = ENTRY_FILE in settings.extra_files
    return {
        "HOST": settings.host,
        "SIP_PORT": str(settings.sip_port),
        "AMI_PORT": str(settings.ami_port),
        "AMI_USER": settings.ami_user,
        "AMI_SECRET": settings.ami_secret,
        "RTP_START": str(settings.rtp_ports[0]),
        "RTP_END": str(settings.rtp_ports[1]),
        "RUN_DIR": str(settings.run_dir),
        "SOUND_DIR": str(settings.sound_dir),
        "ETC_DIR": str(settings.etc_dir),
        "PHONE_SECRET": settings.phone_secret,
        "VERBOSE": str(settings.verbose),
        "ENTRY_CONTEXT": "cordboard" if has_entry else "operators",
        "ENTRY_EXTENSION": "${EXTEN}" if has_entry else "s",
        "EXTRA_DIALPLAN": settings.extra_dialplan,
    }


def _includes(file: str, extra_files: Mapping[str, str]) -> str:
    """The #include lines which one of our files needs."""
    names = [name for name in extra_files if _included_by(name) == file]
    return "\n".join(f"#include {name}" for name in names)


def _included_by(name: str) -> str:
    """`manager.d/cordboard.conf` belongs to manager.conf; `cordboard.conf` to extensions.conf."""
    folder, _, file = name.rpartition("/")
    return f"{folder.removesuffix('.d')}.conf" if file and folder else "extensions.conf"


def _refuse_unplaceable(name: str, templates: Mapping[str, str]) -> None:
    if name in templates or name == PHONE_TEMPLATE:
        raise LabError(f"{name} is a file of the lab itself; give the extra file another name")
    if "@INCLUDES@" not in templates.get(_included_by(name), "") or ".." in Path(name).parts:
        raise LabError(f"the lab does not know which file includes {name}; use NAME.conf or manager.d/NAME.conf")
