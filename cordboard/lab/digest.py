"""Digest authentication (RFC 2617, RFC 3261 22.4) as a phone does it: a challenge in, an Authorization header out.

Pure. `call` and `registration` use it. MD5 with or without `qop=auth`, which is what Asterisk asks for unless told
otherwise; other algorithms are refused.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

from cordboard.errors import LabError
from cordboard.lab.sip import Response

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^,\s]+))')
_COUNT = "00000001"  # each challenge is answered once, so the count of a nonce never grows


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a phone says it is."""

    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 407 asks. header: "Authorization" or "Proxy-Authorization", where the answer goes."""

    header: str
    realm: str
    nonce: str
    opaque: str = ""
    qop: str = ""


def find_challenge(response: Response) -> Challenge:
    """The first digest challenge we can answer. Raises LabError if there is none."""
    is_proxy = response.status == 407
    asking, header = (
        ("proxy-authenticate", "Proxy-Authorization") if is_proxy else ("www-authenticate", "Authorization")
    )
    for value in response.headers_named(asking):
        scheme, _, rest = value.partition(" ")
        said = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
        if scheme.lower() == "digest" and said.get("algorithm", "MD5").upper() == "MD5":
            qop = "auth" if "auth" in said.get("qop", "").split(",") else ""
            return Challenge(header, said.get("realm", ""), said.get("nonce", ""), said.get("opaque", ""), qop)
    raise LabError(f"the PBX answered {response.status} without an MD5 digest challenge")


def authorize(
    challenge: Challenge, credentials: Credentials, method: str, uri: str, client_nonce: str = ""
) -> tuple[str, str]:
    """The header that answers a challenge, for one request. client_nonce: a random one if not given."""
    client_nonce = client_nonce or secrets.token_hex(8)
    identity = _md5(f"{credentials.user}:{challenge.realm}:{credentials.secret}")
    request = _md5(f"{method}:{uri}")
    middle = f"{_COUNT}:{client_nonce}:{challenge.qop}:" if challenge.qop else ""
    fields = [
        f'Digest username="{credentials.user}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{_md5(f"{identity}:{challenge.nonce}:{middle}{request}")}"',
        "algorithm=MD5",
    ]
    if challenge.opaque:
        fields.append(f'opaque="{challenge.opaque}"')
    if challenge.qop:
        fields += [f"qop={challenge.qop}", f"nc={_COUNT}", f'cnonce="{client_nonce}"']
    return challenge.header, ", ".join(fields)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
