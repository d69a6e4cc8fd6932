"""The whole measurement of stores, once. Two minutes on a machine that does nothing else."""

from __future__ import annotations

import os
import time

from tests.bench.stores.claiming import measure_claims
from tests.bench.stores.databases import open_databases
from tests.bench.stores.figures import StoreFigures
from tests.bench.stores.offering import FLOOR, measure_offers
from tests.bench.stores.store import open_store


async def measure_stores(samples: int) -> StoreFigures:
    """On both engines. samples: offers of each way. Raises LabError."""
    began = time.monotonic()
    figures = StoreFigures()
    load = os.getloadavg()[0]
    with open_databases() as databases:
        for engine, make in databases.items():
            figures.claims[engine] = await measure_claims(make())
            print(f"  {engine}: {figures.claims[engine][0].per_s:.0f} claims/s one by one", flush=True)
            with open_store(make(), FLOOR) as store:
                await store.fill()
                for way, found in (await measure_offers(store, samples)).items():
                    figures.offers_ms[engine, way] = found
            print(f"  {engine}: {samples} offers of each way", flush=True)
    figures.loads = load, os.getloadavg()[0]
    figures.took_s = time.monotonic() - began
    return figures
