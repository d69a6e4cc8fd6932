"""What to do about a PostgreSQL server that does not let us in, as one clause behind its own words.

Asked where a fault is told to a person: by `postgres` and by the commands that only read. The server's words say
what is wrong, and not how it is put right here; what they say well enough has no entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import make_url

from cordboard.store.address import Address, PostgresAddress
from cordboard.store.faults import in_words

# {role}, {name}: of the address.
_CURES: Mapping[str, str] = {
    r"password authentication failed": "look at `password` of `database` in cordboard.yaml",
    r"no password supplied": "write `password: {{file: secrets/database}}` beside `url`, and the password there",
    r'role ".*" does not exist': "make it on the server: createuser {role}",
    r'database ".*" does not exist': "make it on the server: createdb -O {role} {name}",
    r"permission denied for schema": "the database must be the role's own: ALTER DATABASE {name} OWNER TO {role}",
    r"permission denied for table": "another role made the tables: use that one in `url`, or GRANT them to {role}",
    r'(relation|column) ".*" does not exist': "is it up to date? `cordboard db status` tells",
}


def told(address: Address, fault: BaseException) -> str:
    """The words of a fault in one line, with what to do where we know it."""
    words = " ".join(in_words(fault).split())
    if not isinstance(address, PostgresAddress):
        return words
    cure = next((cure for pattern, cure in _CURES.items() if re.search(pattern, words)), "")
    return f"{words}; {_filled(cure, address)}" if cure else words


def _filled(cure: str, address: PostgresAddress) -> str:
    url = make_url(address.url)
    return cure.format(role=url.username or "cordboard", name=url.database or "cordboard")
