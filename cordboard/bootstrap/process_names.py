"""What the processes of the service are called among all that share their database: the holders of calls and roles.

Asked by `acd_parts`. Two processes of one name would both take themselves for the holder of a lease, and each ring
the other's offers. A host's name alone will not do: machines are cloned, and those of containers are typed in.
"""

from __future__ import annotations

import socket
from hashlib import sha256
from pathlib import Path

from cordboard.store.address import Address, PostgresAddress
from cordboard.store.moments import boot_id

_MARK_LENGTH = 8  # hexadecimal digits


def process_name(database: Address, state: Path, name: str) -> str:
    """The name of a process, the same after it was killed and started again.

    state: the folder of the service's own files; name: among the processes of that service, all there are where the
    database is a file.
    """
    if not isinstance(database, PostgresAddress):
        return name
    return f"{socket.gethostname()}-{_mark(state)}:{name}"


def _mark(state: Path) -> str:
    """Of this service alone: one runs on a state folder (`state_lock`), a folder is one inode of one kernel, and no
    kernel has the boot id of another, clone or not.
    """
    there = next(one for one in (state, *state.parents) if one.exists())  # a command may run where no service did
    folder = there.stat()
    words = f"{boot_id()} {folder.st_dev} {folder.st_ino}"
    return sha256(words.encode()).hexdigest()[:_MARK_LENGTH]
