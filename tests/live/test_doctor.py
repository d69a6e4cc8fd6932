"""`cordboard doctor` against a real Asterisk: everything in order, then one thing after the other out of order.

The files are those that `install-dialplan` writes, and Asterisk reads them: the log-in, its rights, the loaded
dialplan and the devices are Asterisk's own answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agi_scripts.dialplan.render import VERSION
from cordboard.bootstrap.checks.result import Level, Result
from cordboard.bootstrap.doctor import examine
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import find_free_ports
from tests.doubles.doctor_site import Site

pytestmark = pytest.mark.live

OURS = ("cordboard.conf", "manager.d/cordboard.conf")
CALLS_IN = "exten => 7001,1,Goto(cordboard,5000,1)"  # of the lab's own


class Clinic:
    """An installation, the Asterisk it is written for, and a doctor who looks at both."""

    def __init__(self, site: Site, pbx: LabPbx) -> None:
        self.site = site
        self.pbx = pbx
        self.manager_user = pbx.conf_dir / OURS[1]
        site.asterisk = pbx.conf_dir

    async def results(self, check: str) -> tuple[Result, ...]:
        """What a check says now."""
        examined = await examine(self.site.premises())
        return next(one.results for one in examined if one.check == check)

    async def the_fault(self, check: str) -> Result:
        """The one fault a check finds now."""
        (result,) = await self.results(check)
        assert result.level == Level.FAULT, result
        return result

    async def edit_manager_user(self, edit: Callable[[str], str]) -> None:
        """Change the manager user and have Asterisk read it."""
        self.manager_user.write_text(edit(self.manager_user.read_text()))
        await self.reload()

    async def reload(self) -> None:
        await self.pbx.command("manager reload")
        await self.pbx.command("dialplan reload")


async def test_a_real_asterisk_is_examined_well_and_ill(tmp_path: Path) -> None:
    site = Site(tmp_path, ami_port=find_free_ports())
    site.add_agents(alice="PJSIP/1001")
    site.install()
    files = {name: (site.asterisk / name).read_text() for name in OURS}
    async with LabPbx(extra_files=files, extra_dialplan=CALLS_IN, ami_port=site.ami_port) as pbx:
        clinic = Clinic(site, pbx)
        await everything_is_well(clinic)
        await a_right_is_missing(clinic)
        await another_secret(clinic)
        await our_address_is_kept_out(clinic)
        await a_dialplan_is_not_read(clinic)
        await a_device_is_unknown(clinic)
        await pbx.kill()
        assert "Asterisk does not run" in (await clinic.the_fault("manager")).seen


async def everything_is_well(clinic: Clinic) -> None:
    for check in ("manager", "dialplan", "devices", "music"):
        (result,) = await clinic.results(check)
        assert result.level == Level.OK, result


async def a_right_is_missing(clinic: Clinic) -> None:
    await clinic.edit_manager_user(lambda text: text.replace("write = call,originate", "write = call"))
    result = await clinic.the_fault("manager")
    assert "`cordboard` may not Originate: it lacks the right `originate`" in result.seen
    assert "not what the settings ask for" in (await clinic.the_fault("dialplan")).seen
    await clinic.edit_manager_user(lambda text: text.replace("write = call", "write = originate"))
    result = await clinic.the_fault("manager")
    assert "may not Status, Hangup, Redirect, Getvar, Setvar: it lacks the right `call`" in result.seen
    await clinic.edit_manager_user(lambda text: text.replace("write = originate", "write = call,originate"))


async def another_secret(clinic: Clinic) -> None:
    await clinic.edit_manager_user(lambda text: re.sub("secret = .*", "secret = another-one-altogether", text))
    result = await clinic.the_fault("manager")
    assert "refuses `cordboard` (Authentication failed): it was given another secret than ours" in result.seen
    assert result.fix.startswith("cordboard install-dialplan")
    clinic.site.install_ours()
    result = await clinic.the_fault("manager")  # the file is right again, and Asterisk has not read it
    assert "its file is right" in result.seen and result.fix.startswith("asterisk -rx 'manager reload'")
    await clinic.reload()
    assert (await clinic.results("manager"))[0].level == Level.OK


async def our_address_is_kept_out(clinic: Clinic) -> None:
    await clinic.edit_manager_user(lambda text: re.sub("permit = .*", "permit = 192.0.2.0/24", text))
    assert "its file has been changed" in (await clinic.the_fault("manager")).seen
    clinic.site.install_ours()
    await clinic.reload()


async def a_dialplan_is_not_read(clinic: Clinic) -> None:
    await clinic.pbx.command("dialplan remove context cordboard-call")
    result = await clinic.the_fault("dialplan")
    assert result.seen == "the running Asterisk has not read our dialplan"
    await clinic.reload()
    await clinic.pbx.command(f"dialplan remove extension version-{VERSION}@cordboard-call")
    result = await clinic.the_fault("dialplan")
    assert result.seen == "the running Asterisk has our dialplan of an earlier release"
    await clinic.reload()
    assert (await clinic.results("dialplan"))[0].level == Level.OK


async def a_device_is_unknown(clinic: Clinic) -> None:
    clinic.site.add_agents(alice="PJSIP/1001", bob="PJSIP/1077")
    assert "does not know PJSIP/1077 of bob" in (await clinic.the_fault("devices")).seen
