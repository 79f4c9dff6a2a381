"""Who asks, as far as a callback can know: Orthanc does not tell its plugins the address of a client.

It decides whose turn it is and is named in the log; nothing is allowed or refused by it. Only what somebody else than
the client says is believed: a user whose password Orthanc checked, and what the proxy in front of Orthanc writes.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

_MOST_CHARACTERS = 64


class Clients:
    """`checks_passwords`: whether Orthanc does. `trusted_proxies`: their addresses and networks."""

    def __init__(self, *, checks_passwords: bool = False, trusted_proxies: Sequence[str] = ()) -> None:
        self._proxies = [_network(one) for one in trusted_proxies]
        # With a proxy that is known to be there, the names that it passes on are those that it has let in.
        self._believes_names = checks_passwords or bool(trusted_proxies)

    @classmethod
    def of(cls, configuration: Mapping[str, Any], trusted_proxies: Sequence[str]) -> Clients:
        """By Orthanc's configuration: without "AuthenticationEnabled" it checks passwords if others may come in."""
        checks = configuration.get("AuthenticationEnabled", configuration.get("RemoteAccessAllowed", False))
        return cls(checks_passwords=bool(checks), trusted_proxies=trusted_proxies)

    def name(self, headers: Mapping[str, str]) -> str:
        """A user or an address; empty when neither is known."""
        name = _basic_user(headers.get("authorization", "")) if self._believes_names else ""
        if self._proxies:
            name = name or headers.get("x-remote-user", "").strip() or headers.get("x-forwarded-user", "").strip()
        name = name or self._address(headers.get("x-forwarded-for", ""))
        return "".join(c for c in name if c.isprintable())[:_MOST_CHARACTERS]

    def _address(self, forwarded_for: str) -> str:
        """The last address that is none of a trusted proxy. What stands before it may be made up by the client."""
        addresses = [_plain(one) for one in forwarded_for.split(",") if one.strip()]
        for address in reversed(addresses):
            if not self._is_proxy(address):
                return address
        return addresses[0] if addresses else ""

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """As `_plain` has the addresses in it: those of IPv4 mapped into IPv6 are of IPv4."""
    network = ipaddress.ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}") if mapped else network


def _plain(address: str) -> str:
    """An address in one form, without the port, which is another one for each connection; else the text as it is.

    >>> _plain("[2001:DB8::1]:443"), _plain("::ffff:10.0.0.9"), _plain("10.0.0.9:5000"), _plain("unknown")
    ('2001:db8::1', '10.0.0.9', '10.0.0.9', 'unknown')
    """
    address = address.strip(' "')
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    else:
        host, _, port = address.rpartition(":")
        host = host if port.isdigit() and host.count(".") == 3 else address
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return address
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _basic_user(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        return ""
