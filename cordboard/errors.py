"""Everything that can break, as one tree. What a caller does (no input, busy, hung up) is an outcome, no error.

The name tells the reader what may be done: `…Unavailable` may be tried again later, the others not.

    CordboardError
      ConfigurationError               findings: every fault of the configuration, with its place
      FlowError                        flow, node
      SwitchError                      switch, call_id
        SwitchUnavailable              the link is down or too slow
        SwitchRefused                  the switch said no
        SwitchProtocolError            one side broke the protocol
        OutcomeUnknown                 sent, and then the link died: look before you try again
      StoreError
        StoreUnavailable
      CrmError                         connector
        CrmUnavailable                 no answer, too late, or a fault of its own: try again later
        CrmRejected                    it answered, and the answer is of no use
      LabError                         the test bed cannot do what was asked
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cordboard.config.findings import Finding


class CordboardError(Exception):
    """Root of all errors raised on purpose."""


class ConfigurationError(CordboardError):
    """A configuration was refused. `findings` holds every fault, in file order; `warnings` what else was seen."""

    def __init__(self, findings: Sequence[Finding], warnings: Sequence[Finding] = ()) -> None:
        self.findings = tuple(findings)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class FlowError(CordboardError):
    """A flow cannot go on: a loop without a verb, a condition that failed, a resume at an unknown node."""

    def __init__(self, message: str, *, flow: str, node: str | None = None) -> None:
        self.flow = flow
        self.node = node
        super().__init__(f"flow {flow}, node {node}: {message}" if node else f"flow {flow}: {message}")


class SwitchError(CordboardError):
    """The edge to a switch failed."""

    def __init__(self, message: str, *, switch: str = "asterisk", call_id: str | None = None) -> None:
        self.switch = switch
        self.call_id = call_id
        super().__init__(message)


class SwitchUnavailable(SwitchError):
    """No link, a lost link, or no answer before the deadline."""


class SwitchRefused(SwitchError):
    """The switch understood and refused."""


class SwitchProtocolError(SwitchError):
    """Bytes that break the protocol, from the switch or about to be sent by us."""


class OutcomeUnknown(SwitchError):
    """A command was sent and the link died before its answer. Look the leg up before any retry."""


class StoreError(CordboardError):
    """The store failed."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or written now."""


class CrmError(CordboardError):
    """The place where customers are kept failed. The message holds no customer data."""

    def __init__(self, message: str, *, connector: str) -> None:
        self.connector = connector
        super().__init__(f"{connector}: {message}")


class CrmUnavailable(CrmError):
    """It cannot be reached, is too slow, or says that it has a fault."""


class CrmRejected(CrmError):
    """It refused the question, or its answer cannot be read."""


class LabError(CordboardError):
    """The test bed cannot do what was asked; the message says what to do."""
