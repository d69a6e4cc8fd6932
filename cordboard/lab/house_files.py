"""The files of a trial house on one machine: both switches with the lab's phones and our dialplan, ready to start.

`cordboard lab files` writes them: for docker/compose.yaml, and for a FreeSWITCH that somebody else starts
(CORDBOARD_FREESWITCH_ESL). Everything listens on loopback, on the ports that the configuration names. A SIP trunk
between the two rings each other's phones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agi_scripts.dialplan.render import render_dialplan as asterisk_dialplan
from agi_scripts.dialplan.render import render_manager_user
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.freeswitch_installation import esl_addresses
from cordboard.bootstrap.installation import state_of, worker_addresses
from cordboard.bootstrap.service_user import give_to_service, secret_or_new
from cordboard.config.secret_reference import SecretReference
from cordboard.lab import spoken_values
from cordboard.lab.freeswitch import OWN_DIRECTORIES
from cordboard.lab.freeswitch_config import FreeswitchSettings, render_freeswitch
from cordboard.lab.house_trunk import ASTERISK_FILE, gateway_of_freeswitch, trunk_of_asterisk, user_of_freeswitch
from cordboard.lab.pbx_config import ENTRY_FILE, PHONE_SECRET, PbxSettings, render
from cordboard.lab.ports import LOOPBACK
from cordboard.lab.sounds import MUSIC, write_lab_sounds
from cordboard.settings import Settings, load_settings
from esl_apps.dialplan.render import CORE, DIALPLAN, render_core_settings, render_dialplan

ASTERISK_SIP, FREESWITCH_SIP = 5060, 5080
ASTERISK_RTP, FREESWITCH_RTP = (10_000, 11_998), (12_000, 13_998)
OPERATORS_OF_ASTERISK, OPERATORS_OF_FREESWITCH = "operators,s,1", "operators,operators"
PHONES_FILE = Path("secrets/phones")  # the phones' password, where it is to be another than that of every lab
TRUNK_SECRET = SecretReference(file=Path("secrets/trunk"))


@dataclass(frozen=True, slots=True)
class House:
    """config: the configuration, whose secrets are made where they are missing; root: below it a folder for each
    switch, which holds all its files.
    """

    config: Path
    root: Path

    async def write(self) -> None:
        """All files; those of the same names are written over. Raises ConfigurationError, LabError, OSError."""
        settings, _ = load_settings(self.config)
        self._write("asterisk/conf", self._asterisk(settings))
        self._write("freeswitch/conf", self._freeswitch(settings))
        await spoken_values.lay_out(self.root / "freeswitch" / "sounds", ("en", "es"))

    def phone_secret(self) -> str:
        """The phones' password. Raises OSError."""
        file = self.config / PHONES_FILE
        return file.read_text("utf-8").strip() if file.exists() else PHONE_SECRET

    def _asterisk(self, settings: Settings) -> Mapping[str, str]:
        folder, ami = self._folder("asterisk"), settings.asterisk.ami
        secret = self._secret(settings.asterisk.ami.secret, settings)
        dialplan = asterisk_dialplan(worker_addresses(settings), OPERATORS_OF_ASTERISK, token=agi_token(secret))
        user = render_manager_user(ami.user, secret)
        trunk = trunk_of_asterisk(LOOPBACK, FREESWITCH_SIP, self._secret(TRUNK_SECRET, settings))
        return render(
            PbxSettings(
                sip_port=ASTERISK_SIP,
                ami_port=ami.port,
                ami_secret=secret,
                run_dir=folder,
                sound_dir=folder / "sounds",
                etc_dir=folder / "conf",
                rtp_ports=ASTERISK_RTP,
                phone_secret=self.phone_secret(),
                extra_files={ENTRY_FILE: dialplan, "manager.d/cordboard.conf": user, ASTERISK_FILE: trunk},
            )
        )

    def _freeswitch(self, settings: Settings) -> Mapping[str, str]:
        folder, socket = self._folder("freeswitch"), settings.freeswitch.event_socket
        secret = self._secret(socket.secret, settings)
        dialplan = render_dialplan(esl_addresses(settings), OPERATORS_OF_FREESWITCH, token=agi_token(secret))
        trunk = self._secret(TRUNK_SECRET, settings)
        return render_freeswitch(
            FreeswitchSettings(
                sip_port=FREESWITCH_SIP,
                esl_port=socket.port,
                esl_secret=secret,
                rtp_ports=FREESWITCH_RTP,
                run_dir=folder,
                sound_dir=folder / "sounds",
                phone_secret=self.phone_secret(),
                gateways=gateway_of_freeswitch(LOOPBACK, ASTERISK_SIP, trunk),
                extra_users=user_of_freeswitch(trunk),
                extra_files={DIALPLAN: dialplan, CORE: render_core_settings()},
            )
        )

    def _secret(self, reference: SecretReference, settings: Settings) -> str:
        """The secret that the service and a switch share, made if there is none yet."""
        secret = secret_or_new(reference, self.config)
        give_to_service(secret, state_of(self.config, settings), None)
        return secret.text

    def _folder(self, switch: str) -> Path:
        """A switch's folder, with its sounds and what it writes to."""
        folder = self.root.absolute() / switch
        for name in ("sounds", "spool", *OWN_DIRECTORIES):
            (folder / name).mkdir(parents=True, exist_ok=True)
        if not (folder / "sounds" / MUSIC).exists():
            write_lab_sounds(folder / "sounds")
        return folder

    def _write(self, folder: str, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
