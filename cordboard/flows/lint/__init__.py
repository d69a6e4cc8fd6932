"""What is wrong with a flow as a whole, although every line of it can be read: ways that lead nowhere, values used
before there are any, prompts nobody plays.

`check` is called by the loader once a flow's nodes are compiled. One file per family of rules; a rule takes a
`Subject` and yields findings. Whether a code is an error or a warning is said once, in `cordboard.config.codes`.
"""

from __future__ import annotations

from cordboard.flows.lint.rules import check as check
from cordboard.flows.lint.subject import Subject as Subject
