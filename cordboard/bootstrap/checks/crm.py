"""Check `crm`: asks the CRM of crm.yaml about a number that nobody has, over the connector that calls use.

The number is one of those Ofcom keeps free for films: no caller has it, so nobody's data is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from cordboard.bootstrap.checks.premises import Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, fault, note, ok, warning
from cordboard.crm.connectors.opening import open_connector
from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.customers_db import FILE
from cordboard.errors import ConfigurationError, CrmError, CrmRejected

NOBODYS_NUMBER = "+442079460999"
LONGEST_S = 8.0  # long enough to tell slow from down


async def look(premises: Premises) -> Sequence[Result]:
    """Whether the CRM answers, and in time for callers."""
    settings, state = premises.crm, premises.state
    if settings is None:
        return [ok("none configured")]
    if settings.connector.directory is not None and not (state / FILE).is_file():
        # asking would make the file, and it would be ours and not the service's
        fix = f"cordboard customers import FILE.csv -c {quoted(premises.directory)}"
        return [note("the customer directory is empty", fix)]
    return [await _ask(premises, settings)]


async def _ask(premises: Premises, settings: CrmSettings) -> Result:
    try:
        connector = open_connector(settings, premises.directory, premises.state)
    except ConfigurationError as unreadable:
        finding = unreadable.findings[0]
        return fault(finding.message, finding.hint or "correct it in crm.yaml")
    began = time.monotonic()
    try:
        await connector.find(NOBODYS_NUMBER, max(LONGEST_S, settings.timeout_s))
    except CrmError as refusal:
        return _refused(settings, refusal)
    finally:
        with suppress(CrmError):
            await connector.close()
    return judge(connector.name, time.monotonic() - began, settings.timeout_s)


def judge(name: str, took_s: float, timeout_s: float) -> Result:
    """An answer that came after so long. timeout_s: what callers wait."""
    if took_s <= timeout_s:
        return ok(f"{name} answers in {took_s * 1000:.0f} ms; callers wait {timeout_s:g} s at most")
    seen = f"{name} takes {took_s:.1f} s to answer, and callers wait {timeout_s:g} s: flows go on without it"
    return warning(seen, f"make it faster, or write `timeout_s: {took_s * 1.5:.1f}` in crm.yaml")


def _refused(settings: CrmSettings, refusal: CrmError) -> Result:
    seen = f"no customer is shown to agents: {refusal}"
    if settings.connector.http is None:
        return fault(seen, "cordboard customers import FILE.csv once more, as crm.yaml may have changed since")
    key = "`headers:`, `customers:` and `fields:`" if isinstance(refusal, CrmRejected) else "`url:`"
    return fault(seen, f"correct {key} under `connector: {{http: ...}}` in crm.yaml, or have the CRM put right")


CHECK = Check("crm", look, "the CRM does not answer; correct `url:` in crm.yaml", deadline_s=12.0)
