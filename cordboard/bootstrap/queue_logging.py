"""The `queue_log` of a configuration: where it is, and the writer of one process. Called by the worker."""

from __future__ import annotations

from cordboard.bootstrap.acd_parts import AcdParts
from cordboard.bootstrap.configuration import Configuration
from cordboard.service.queue_log import QueueLogWriter
from cordboard.service.queue_log_file import QueueLogFile

_MB = 1_000_000


def open_queue_log(configuration: Configuration, acd: AcdParts) -> QueueLogWriter | None:
    """The writer, to be started with the floor and ended before it; None where no file is wanted."""
    section = configuration.settings.queue_log
    if not section.write:
        return None
    path = configuration.state / section.file
    file = QueueLogFile(path, rotate_bytes=int(section.rotate_mb * _MB), keep=section.keep)
    writer = QueueLogWriter(acd.reader.ask, file, section.numbers)
    acd.floor.bell.on_changed(writer.look)
    return writer
