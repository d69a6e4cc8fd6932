"""Digest authentication: the RFC's own example, and what is asked for in the headers."""

from __future__ import annotations

import pytest

from cordboard.errors import LabError
from cordboard.lab.digest import Challenge, Credentials, authorize, find_challenge
from cordboard.lab.sip import Response

MUFASA = Credentials("Mufasa", "Circle Of Life")
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c093"


def refusal(status: int, *headers: tuple[str, str]) -> Response:
    return Response(headers, b"", status, "Unauthorized")


def test_the_example_of_rfc_2617_comes_out_as_printed_there() -> None:
    challenge = Challenge("Authorization", "testrealm@host.com", NONCE, "5ccc069c403ebaf9f0171e9517f40e41", "auth")
    header, value = authorize(challenge, MUFASA, "GET", "/dir/index.html", client_nonce="0a4f113b")
    assert header == "Authorization"
    assert 'response="6629fae49393a05397450978507c4ef1"' in value
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in value
    assert 'nc=00000001, cnonce="0a4f113b"' in value


def test_without_qop_the_older_sum_is_used_and_nothing_is_counted() -> None:
    challenge = Challenge("Authorization", "testrealm@host.com", NONCE)
    _, value = authorize(challenge, MUFASA, "GET", "/dir/index.html")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value
    assert "nc=" not in value


def test_a_challenge_is_read_whatever_stands_around_it() -> None:
    response = refusal(
        401,
        ("WWW-Authenticate", 'Digest realm="pbx, the", nonce="n1", algorithm=SHA-256, qop="auth"'),
        ("WWW-Authenticate", 'Digest realm="pbx, the",nonce="n2",opaque="o",algorithm=md5,qop="auth,auth-int"'),
    )
    assert find_challenge(response) == Challenge("Authorization", "pbx, the", "n2", "o", "auth")


def test_a_proxy_is_answered_in_a_header_of_its_own() -> None:
    response = refusal(407, ("Proxy-Authenticate", 'Digest realm="r", nonce="n"'))
    assert find_challenge(response).header == "Proxy-Authorization"


def test_a_challenge_we_cannot_answer_is_refused() -> None:
    with pytest.raises(LabError, match="without an MD5 digest challenge"):
        find_challenge(refusal(401, ("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=SHA-256')))
    with pytest.raises(LabError, match="without an MD5 digest challenge"):
        find_challenge(refusal(401))


def test_the_secret_shows_nowhere() -> None:
    assert "Circle" not in repr(MUFASA)
