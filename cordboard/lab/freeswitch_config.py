"""The lab FreeSWITCH's configuration files, rendered from the templates in `docker/freeswitch/conf`.

Pure text in, text out; `freeswitch` writes the files. A template's `@NAME@` is filled from `FreeswitchSettings`; a
placeholder that nobody fills is an error, so a template and this module cannot drift apart unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab.pbx_config import EXTENSIONS, PHONE_SECRET, fill
from cordboard.lab.ports import LOOPBACK

TEMPLATE_DIR = Path(__file__).parents[2] / "docker" / "freeswitch" / "conf"
PHONE_TEMPLATE = "phone.xml"
LANGUAGE_TEMPLATE = "language.xml"
EVENT_SOCKET = "autoload_configs/event_socket.conf.xml"
ENTRY_FILE = "dialplan/cordboard.xml"  # given it, the lab sends callers to its context `cordboard`
_LEVELS = ("debug", "info", "notice", "warning", "err", "crit", "alert")


@dataclass(frozen=True, slots=True)
class FreeswitchSettings:
    """What differs from one lab FreeSWITCH to the next.

    rtp_ports:      the first and the last.
    languages:      that values are spoken in: each has a folder of sounds.
    extra_files:    name to text, `dialplan/cordboard.xml`; one of the lab's own names takes its place.
    extra_dialplan: <extension> elements, which callers and phones can dial.
    extra_contexts: <context> elements.
    gateways:       <gateway> elements of the SIP profile `internal`.
    extra_users:    <user> elements beside the phones.
    log_level:      as FreeSWITCH calls them; at `debug` each dialplan step is in the log.
    """

    sip_port: int
    esl_port: int
    esl_secret: str = field(repr=False)
    rtp_ports: tuple[int, int]
    run_dir: Path
    sound_dir: Path
    host: str = LOOPBACK
    phones: Sequence[str] = EXTENSIONS
    phone_secret: str = field(default=PHONE_SECRET, repr=False)
    languages: Sequence[str] = ("en", "es")
    extra_files: Mapping[str, str] = field(default_factory=dict)
    extra_dialplan: str = ""
    extra_contexts: str = ""
    gateways: str = ""
    extra_users: str = field(default="", repr=False)
    log_level: str = "info"


def render_freeswitch(settings: FreeswitchSettings) -> dict[str, str]:
    """All files of FreeSWITCH's configuration directory, by name. Raises LabError for a name outside."""
    templates = _templates()
    values = _values(settings)
    phone, language = templates.pop(PHONE_TEMPLATE), templates.pop(LANGUAGE_TEMPLATE)
    values["PHONES"] = "".join(fill(phone, values | {"EXTENSION": extension}) for extension in settings.phones)
    files = {name: fill(text, values) for name, text in templates.items()}
    for tag in settings.languages:
        files[f"lang/{tag}.xml"] = fill(language, values | {"LANGUAGE": tag})
    return files | {_placed(name): text for name, text in settings.extra_files.items()}


def _templates() -> dict[str, str]:
    if not TEMPLATE_DIR.is_dir():
        raise LabError(f"{TEMPLATE_DIR} is missing: the lab runs from a clone of the repository")
    paths = sorted(TEMPLATE_DIR.rglob("*.xml"))
    return {str(path.relative_to(TEMPLATE_DIR)): path.read_text("utf-8") for path in paths}


def _values(settings: FreeswitchSettings) -> dict[str, str]:
    return {
        "HOST": settings.host,
        "SIP_PORT": str(settings.sip_port),
        "ESL_PORT": str(settings.esl_port),
        "ESL_SECRET": settings.esl_secret,
        "RTP_START": str(settings.rtp_ports[0]),
        "RTP_END": str(settings.rtp_ports[1]),
        "RUN_DIR": str(settings.run_dir),
        "SOUND_DIR": str(settings.sound_dir),
        "PHONE_SECRET": settings.phone_secret,
        "LOG_LEVEL": settings.log_level,
        "LOG_LEVELS": ",".join(_LEVELS[_LEVELS.index(settings.log_level) :]),
        "ENTRY_CONTEXT": "cordboard" if ENTRY_FILE in settings.extra_files else "operators",
        "EXTRA_DIALPLAN": settings.extra_dialplan,
        "EXTRA_CONTEXTS": settings.extra_contexts,
        "GATEWAYS": settings.gateways,
        "EXTRA_USERS": settings.extra_users,
    }


def _placed(name: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise LabError(f"{name} lies outside FreeSWITCH's configuration directory")
    return name
