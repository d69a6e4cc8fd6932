"""What a stage needs besides the service for agents to work: their accounts, and customers for their screen-pops.

`stage` calls it. Blocking; the service under test may be running.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

from cordboard.bootstrap.configuration import Configuration
from cordboard.crm.csv_import import import_csv
from cordboard.crm.customers_db import FILE as CUSTOMERS_FILE
from cordboard.crm.customers_db import CustomersDb
from cordboard.errors import LabError
from cordboard.service.passwords import hash_password
from cordboard.store.accounts import set_password_hash
from cordboard.store.address import Address
from cordboard.store.database import open_database

CSV_FILE = "customers.csv"


def make_accounts(database: Address, agents: Collection[str]) -> Mapping[str, str]:
    """Let these agents log in. Returns the password of each."""
    if not agents:
        return {}
    passwords = {agent: secrets.token_urlsafe(6) for agent in agents}
    hashes = {agent: hash_password(password) for agent, password in passwords.items()}
    engine = open_database(database)
    try:
        with engine.begin() as connection:
            for agent, password_hash in hashes.items():
                set_password_hash(connection, agent, password_hash)
    finally:
        engine.dispose()
    return passwords


def import_customers(configuration: Configuration) -> int:
    """Fill the embedded directory from the configuration's customers.csv. Returns how many; 0 if there is none.

    Raises LabError if a row cannot be imported: a stage with half of its customers proves nothing.
    """
    crm, file = configuration.crm, configuration.directory / CSV_FILE
    if crm is None or crm.connector.directory is None or not file.is_file():
        return 0
    customers = CustomersDb(configuration.state / CUSTOMERS_FILE)
    try:
        report = import_csv(file, crm, customers)
    finally:
        customers.close()
    if report.faults:
        raise LabError("\n".join(str(finding) for finding in report.faults))
    return report.imported
