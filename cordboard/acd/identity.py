"""The mark of a caller's identity: what a place in a queue keeps of it. Pure; made by the waiting room.

A flow that has confirmed who is calling (a customer's number with its PIN) says so with the node `queue`. Marks are
only ever compared: who it is stays with the CRM and with the call.
"""

from __future__ import annotations

from hashlib import sha256


def mark_of(identity: str) -> str:
    """64 letters and digits, the same for the same identity; "" for nobody."""
    return sha256(identity.encode("utf-8", "surrogatepass")).hexdigest() if identity else ""
