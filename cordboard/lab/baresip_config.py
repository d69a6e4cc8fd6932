"""The configuration directory of one headless baresip, as text. Pure; `baresip` writes it.

What each line that looks odd is for was found out on baresip 1.0 and is said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab.ports import LOOPBACK

MODULE_DIRS = ("/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules")

_CONFIG = """\
sip_listen {host}:{sip_port}
net_interface {host}
rtp_ports {rtp_start}-{rtp_end}
call_max_calls 1
call_local_timeout 120
# received audio is written as it comes: the default buffer adds 0.1 s and loses the last 0.1 s
jitter_buffer_delay 0-1
# ausine takes 48 kHz stereo only, so what the phone says comes from a file
audio_source aufile,{speaks}
# there is no null player; a bridge that nobody listens to serves
audio_player aubridge,heard
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
# both directions are recorded here, as dump-<date>-<time>-enc.wav (said) and -dec.wav (heard)
snd_path {recordings}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control_port}
"""

_ACCOUNT = (
    "<sip:{extension}@{pbx_host}:{pbx_port}>;auth_user={extension};auth_pass={secret};regint=600"
    ";audio_codecs=pcmu/8000/1,pcma/8000/1"
)


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """One phone. speaks: WAV, 8 kHz mono; recordings: an existing directory."""

    extension: str
    secret: str
    pbx_host: str
    pbx_port: int
    sip_port: int
    control_port: int
    rtp_ports: tuple[int, int]
    speaks: Path
    recordings: Path
    modules: Path
    host: str = LOOPBACK


def render_phone(settings: PhoneSettings) -> dict[str, str]:
    """The files of the configuration directory, by name."""
    config = _CONFIG.format(
        host=settings.host,
        sip_port=settings.sip_port,
        control_port=settings.control_port,
        rtp_start=settings.rtp_ports[0],
        rtp_end=settings.rtp_ports[1],
        speaks=settings.speaks,
        recordings=settings.recordings,
        modules=settings.modules,
    )
    return {"config": config, "accounts": "# the account comes by remote control\n", "contacts": ""}


def account_line(settings: PhoneSettings) -> str:
    """The phone's account. Given by remote control, so that its registration cannot be over before we listen."""
    return _ACCOUNT.format(
        extension=settings.extension,
        pbx_host=settings.pbx_host,
        pbx_port=settings.pbx_port,
        secret=settings.secret,
    )


def find_modules() -> Path:
    """Where the distribution keeps baresip's modules. Raises LabError if it keeps none."""
    for pattern in MODULE_DIRS:
        for directory in sorted(Path("/").glob(pattern.removeprefix("/"))):
            if (directory / "ctrl_tcp.so").exists():
                return directory
    raise LabError("baresip has no modules; install Debian's package baresip-core")
