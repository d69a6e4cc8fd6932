"""Check `lint`: every fault in the YAML files, first of all, as `cordboard lint` tells them."""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.bootstrap.checks.premises import Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, ok
from cordboard.config.findings import Finding


async def look(premises: Premises) -> Sequence[Result]:
    """The findings, or what the configuration consists of."""
    if premises.known_configuration is None:
        command = f"cordboard lint -c {quoted(premises.directory)}"
        return [_told(finding, command) for finding in premises.findings]
    house, plan = premises.configuration.house, premises.plan
    parts = (
        counted(len(house.flows), "flow"),
        counted(len(house.numbers.numbers), "number"),
        counted(len(plan.queues), "queue"),
        counted(len(plan.agents), "agent"),
    )
    return [ok(f"no faults in {', '.join(parts)}")]


def _told(finding: Finding, command: str) -> Result:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return fault(
        f"{place}: {finding.message} [{finding.code}]", finding.hint or f"correct it there; then {command}"
    )


CHECK = Check("lint", look, "run `cordboard lint`")
