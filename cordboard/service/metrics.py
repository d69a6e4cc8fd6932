"""What Prometheus scrapes. Labels are bounded: flow names and results, never a number or a call id."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """One worker's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.arrived = Counter("cordboard_calls_arrived", "Calls taken in.", ["flow"], registry=own)
        self.let_go = Counter("cordboard_calls", "Calls this worker let go of.", ["result"], registry=own)
        self.resumed = Counter("cordboard_calls_resumed", "Calls taken over.", ["how"], registry=own)
        self.faults = Counter("cordboard_flow_faults", "Faults in flows.", ["flow"], registry=own)
        self.active = Gauge("cordboard_calls_active", "Calls this worker holds now.", registry=own)
        self.http_requests = Counter(
            "cordboard_http_requests", "What flows asked web services.", ["service", "result"], registry=own
        )
        self.scripts = Counter("cordboard_scripts", "Scripts that flows ran.", ["script", "result"], registry=own)
        self.checks = {
            "ami": Gauge("cordboard_ami_connected", "1 while the manager link is up.", registry=own),
            "event_socket": Gauge(
                "cordboard_event_socket_connected", "1 while the link to FreeSWITCH is up.", registry=own
            ),
            "store": Gauge("cordboard_store_healthy", "1 while the database takes writes.", registry=own),
        }
