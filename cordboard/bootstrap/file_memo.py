"""What is made of a small file that others write, made anew only when the file has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
_Mark = tuple[int, int, int] | None


class FileMemo(Generic[T]):
    """file: what is looked at; read: makes the value, also of a file that is not there."""

    def __init__(self, file: Path, read: Callable[[], T]) -> None:
        self._file = file
        self._read = read
        self._kept: tuple[_Mark, T] | None = None

    def value(self) -> T:
        """What the file says now. Costs one look at its date."""
        mark = self._mark()  # before reading: what is written meanwhile is read the next time
        if self._kept is None or self._kept[0] != mark:
            self._kept = mark, self._read()
        return self._kept[1]

    def _mark(self) -> _Mark:
        """Another for every file that was ever here: one that is replaced has another number or another date."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
