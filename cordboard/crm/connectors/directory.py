"""Asks the embedded customer directory. Made by `opening`; one for each worker.

One thread of its own reads the file: a look-up takes some 50 microseconds, and a disk that hangs holds up no event
loop. What an import writes is seen by the next look-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cordboard.crm.customer import Customer, Fields, WrongValue, read_record
from cordboard.crm.customers_db import NAME, CustomersDb, StoredCustomer
from cordboard.errors import CrmRejected, CrmUnavailable


class DirectoryConnector:
    """See the module. path: `customers.db`, made if it is not there."""

    name = NAME

    def __init__(self, path: Path, fields: Fields) -> None:
        self._db = CustomersDb(path)
        self._fields = fields
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="customers")

    async def find(self, number: str, timeout_s: float) -> Sequence[Customer]:
        """See `Connector`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                rows = await loop.run_in_executor(self._thread, self._db.find, number)
        except TimeoutError as late:
            raise CrmUnavailable(f"no answer within {timeout_s:g} s", connector=NAME) from late
        return [self._customer(row) for row in rows]

    async def close(self) -> None:
        """Let go of the file, once the look-up under way is done."""
        self._thread.submit(self._db.close)
        self._thread.shutdown(wait=False)

    def _customer(self, row: StoredCustomer) -> Customer:
        try:
            return Customer(row.customer_id, read_record(self._fields, row.fields), row.updated_at)
        except WrongValue as fault:
            raise CrmRejected(f"{fault}; crm.yaml has changed since the import", connector=NAME) from fault
