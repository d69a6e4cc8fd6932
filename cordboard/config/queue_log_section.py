"""The section `queue_log` of `cordboard.yaml`: the file in Asterisk's format that reporting tools read.

    queue_log: {file: /var/log/asterisk/queue_log, numbers: full, rotate_mb: 200, keep: 12}

Read with the settings; `service.queue_log` writes the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cordboard.config.secret_reference import PathText
from cordboard.config.validation import Section


class QueueLogSection(Section):
    """The service's own queue_log. file: below the state folder unless it is absolute."""

    write: bool = Field(default=True, description="Whether the file is written at all.")
    file: PathText = Field(
        default=Path("queue_log"), description="The file; below the state folder, unless the path is absolute."
    )
    numbers: Literal["full", "last3", "none"] = Field(
        default="last3",
        description="How much of a caller's number is written; what is in the file, no erasing reaches.",
    )
    rotate_mb: Annotated[float, Field(ge=0, le=10_000)] = Field(
        default=100.0, description="The size at which a new file is begun, in MB; 0 leaves that to logrotate."
    )
    keep: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=10, description="How many older files are kept, as queue_log.1 and so on."
    )
