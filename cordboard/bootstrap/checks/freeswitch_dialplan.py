"""Check `esl-files`: our files for FreeSWITCH are as they would be written now, and loaded; values have sounds.

Looks into FreeSWITCH's own directory, and asks the running FreeSWITCH whether it has read what stands there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from cordboard.bootstrap.checks.event_socket import flow_language
from cordboard.bootstrap.checks.event_socket_session import EventSocketSession, NoEventSocket
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, note, ok, warning
from cordboard.bootstrap.freeswitch_installation import FreeswitchInstallation
from cordboard.bootstrap.installation import InstallationRefused
from cordboard.errors import ConfigurationError
from esl_apps.dialplan.render import CORE, DIALPLAN, EVENT_SOCKET, VERSION

_LOADED = "xml_locate dialplan context name cordboard-call"
_LANGUAGE = re.compile(r"<language\b[^>]*>")
_FOLDERS = [re.compile(rf'\bsound-{word}="([^"]+)"') for word in ("prefix", "path")]  # the first one wins
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ENTRY = re.compile(r"\bXML cordboard\b(?!-)|name=\"context\" value=\"cordboard\"")
_A_SOUND = "digits/1.wav"  # every language has it
RELOAD = "fs_cli -x 'reloadxml'"


async def look(premises: Premises) -> Sequence[Result]:
    """What is wrong with the files, and with what FreeSWITCH has of them."""
    _ = premises.settings
    if not await asyncio.to_thread(premises.freeswitch.is_dir):
        fix = "run this where FreeSWITCH is, or say where its files are: --freeswitch DIR"
        return [warning(f"not looked at: there is no {premises.freeswitch}", fix)]
    results = await asyncio.to_thread(examine, premises)
    if not any(result.fix for result in results):
        results += await _running(premises)
    return results or [ok(f"{premises.freeswitch / DIALPLAN} is current and loaded, and values have their sounds")]


def examine(premises: Premises) -> list[Result]:
    """What is wrong with the files."""
    plan = FreeswitchInstallation(premises.directory, premises.freeswitch, None)
    try:
        diff = plan.install(dry_run=True)
    except ConfigurationError as refusal:
        return [_not_compared(premises, refusal.findings[0].message)]
    except InstallationRefused as refusal:
        return [_not_compared(premises, str(refusal))]
    outdated = [
        _outdated(premises, premises.freeswitch / name, diff)
        for name in (DIALPLAN, EVENT_SOCKET, CORE)
        if f"+++ {premises.freeswitch / name}" in diff
    ]
    return outdated or _nobody_sends_calls(premises)


def _not_compared(premises: Premises, refusal: str) -> Result:
    again = f"sudo cordboard doctor -c {quoted(premises.directory)} --freeswitch {quoted(premises.freeswitch)}"
    return warning(f"not looked at: {refusal}", again)


def _outdated(premises: Premises, path: Path, diff: str) -> Result:
    part = diff.partition(f"+++ {path}")[2].partition("\n--- ")[0]
    if not path.exists():
        return fault(f"{path} is not there", premises.install_freeswitch_command())
    if path == premises.freeswitch / DIALPLAN and (version := _version(part)) < VERSION:
        seen = f"{path} is of an earlier release (version {version}, not {VERSION}) and lacks what flows may ask"
        return fault(seen, premises.install_freeswitch_command())
    differ = counted(len(re.findall(r"(?m)^\+", part)), "line")
    return fault(
        f"{path} is not what the settings ask for now ({differ} would change)",
        premises.install_freeswitch_command(),
    )


def _version(diff: str) -> int:
    """Of the dialplan that stands there, by what would change."""
    found = re.search(r"(?m)^-\s+Version ([0-9]+):", diff)
    return int(found[1]) if found else VERSION


def _nobody_sends_calls(premises: Premises) -> list[Result]:
    """Nothing if any file of the admin's leads into our context. A dialplan from a web server is not seen."""
    ours = premises.freeswitch / DIALPLAN
    for path in sorted(premises.freeswitch.rglob("*.xml")):
        if path != ours and _ENTRY.search(_COMMENT.sub("", path.read_text("utf-8", errors="replace"))):
            return []
    seen = f"nothing below {premises.freeswitch} sends calls to the context `cordboard`"
    fix = 'in your trunk\'s context write: <action application="transfer" data="5000 XML cordboard"/>'
    return [warning(seen, f"{fix}; then: {RELOAD}")]


async def _running(premises: Premises) -> list[Result]:
    """What the running FreeSWITCH has read; a note if it cannot be asked, which `esl` tells."""
    try:
        session = await premises.event_socket()
        return [*await _loaded(session), *await _sounds(premises, session)]
    except (NoEventSocket, NotLookedAt):
        return [note("the files are right; whether FreeSWITCH has loaded them is not known without a log-in")]


async def _loaded(session: EventSocketSession) -> list[Result]:
    context = await session.api(_LOADED)
    if "cordboard-call" not in context:
        return [fault("the running FreeSWITCH has not read our dialplan", RELOAD)]
    if f'name="version-{VERSION}"' not in context:
        return [fault("the running FreeSWITCH has our dialplan of an earlier release", RELOAD)]
    return []


async def _sounds(premises: Premises, session: EventSocketSession) -> list[Result]:
    """Languages that FreeSWITCH has no sounds for: it would leave out what it cannot say."""
    results = []
    for language in sorted({flow_language(tag) for tag in premises.spoken_languages()}):
        configured = await session.api(f"xml_locate languages language name {language}")
        folder = sound_folder(configured)
        if folder is None:
            seen = f"FreeSWITCH has no language `{language}`: values would not be spoken in it"
            results.append(
                warning(seen, f'<X-PRE-PROCESS cmd="include" data="lang/{language}/*.xml"/> in freeswitch.xml')
            )
        elif not await asyncio.to_thread(has_sound, folder):
            seen = f"there are no sounds for `{language}` below {folder}: values would not be heard"
            results.append(warning(seen, _speak_them(premises, language)))
    return results


def _speak_them(premises: Premises, language: str) -> str:
    build = f"cordboard prompts build -c {quoted(premises.directory)} --for freeswitch --values"
    spoken = premises.state / "prompts" / "freeswitch" / language
    name_them = f'sound-prefix="{spoken}" in <language name="{language}"> of lang/{language}, {RELOAD}'
    return f"install FreeSWITCH's sounds, or speak them: {build}; then {name_them}"


def sound_folder(language: str) -> Path | None:
    """Where a language's sounds are, by the text of its element; None if there is no such one, or no folder in it.

    FreeSWITCH's own Spanish and Portuguese say `sound-path`, the others `sound-prefix`.
    """
    if (element := _LANGUAGE.match(language.lstrip())) is None:
        return None
    return next((Path(found[1]) for folder in _FOLDERS if (found := folder.search(element[0]))), None)


def has_sound(prefix: Path) -> bool:
    """Whether a language's folder has a sound, in any rate."""
    folder, name = (prefix / _A_SOUND).parent, Path(_A_SOUND).name
    return (folder / name).is_file() or any(
        (folder / str(rate) / name).is_file() for rate in (8000, 16000, 32000, 48000)
    )


CHECK = Check("esl-files", look, "a directory does not answer; is it on a network disk?", switch="freeswitch")
