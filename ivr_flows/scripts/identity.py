"""Whether a caller is who they say: the account number and the PIN that goes with it.

Run by the flow `payment_reminder`, as `cordboard.yaml` says under `scripts`. The customers of the example have the
last four digits of their account number as PIN, and this file knows their telephone: put a question to your own
system here, and keep PINs as nothing but salted hashes.
"""

from __future__ import annotations

import hmac

PHONES = {"900101": "+442079460123", "200417": "+34915550142", "123457": "+442079460144", "300012": "+442079460155"}


def verify(*, account: str, pin: str) -> dict[str, bool | str]:
    """`verified`, and then `phone`: the number under which the CRM knows the customer, "" for nobody."""
    phone = PHONES.get(account, "")
    is_right = hmac.compare_digest(account[-4:].encode(), pin.encode())  # as quick to say no as yes
    return {"verified": bool(phone) and is_right, "phone": phone if is_right else ""}
