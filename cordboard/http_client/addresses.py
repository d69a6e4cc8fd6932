"""Decides which network addresses a web service may be at, so that no name leads a request where it must not go.

Pure; used by `guarded_transport` for what a name was resolved to, and for addresses that stand in a configuration.
A name is the admin's, but what it leads to is whoever answers its DNS query: without this, a service somewhere else
could have its own network, this machine or the cloud's metadata asked.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_THIS_NETWORK = IPv4Network("0.0.0.0/8")
# Written as IPv6, and in truth another address: what is inside would slip past every other rule.
_DISGUISES = tuple(map(IPv6Network, ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


def refusal(text: str, *, allow_private: bool) -> str:
    """Why nobody may connect to an address, in words; "" if one may.

    allow_private: a service may be within one's own network or on this machine. What is link-local (the metadata of
    clouds), multicast, reserved or translated is refused all the same: no service is there.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "no address"
    return _never(address) or ("" if allow_private else _private(address))


def _never(address: Address) -> str:
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, IPv4Address):
        return "a reserved address" if address.is_reserved or address in _THIS_NETWORK else ""
    if any(address in network for network in _DISGUISES):
        return "an IPv4 address in disguise"
    is_reserved = address.is_reserved or address.is_site_local
    return "a reserved address" if is_reserved and not address.is_loopback else ""


def _private(address: Address) -> str:
    if address.is_loopback:
        return "a loopback address"
    return "" if address.is_global else "a private address"
