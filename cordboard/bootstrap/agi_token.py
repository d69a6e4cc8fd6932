"""The word by which a worker knows that a connection comes from our dialplan."""

from __future__ import annotations

import hashlib
import hmac

TOKEN_LENGTH = 32


def agi_token(ami_secret: str) -> str:
    """The token that goes with a manager secret: both sides have that, so there is nothing more to keep.

    Who can read the dialplan learns the token from it, and not the secret.
    """
    return hmac.new(ami_secret.encode(), b"agi", hashlib.sha256).hexdigest()[:TOKEN_LENGTH]
