"""The one address of another computer: read from what a person writes, and judged. Opens no connection.

Without encryption an address must be a private one (RFC 1918, RFC 4193, RFC 6598, link-local, this computer): whoever
sits on the way could read everything.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from engine.errors import RemoteError, sentence

_FORM = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?"
    r"(?:\[(?P<six>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[\w.-]+))"
    r"(?::(?P<port>\d{1,5}))?(?P<base>/[\w./~-]*)?",
    re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens. `base` is the path before "/v1", "" for none."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base}"


def parse_address(text: str) -> ServerAddress:
    """Read "192.168.1.20:8080" or "https://server.example/v1"; without a scheme it is http. Raises `RemoteError`."""
    match = _FORM.fullmatch(text.strip())
    scheme = (match["scheme"] or "http").lower() if match is not None else ""
    if match is None or scheme not in _PORTS:
        raise RemoteError(
            sentence("“{address}” is no address of a server. It should look like http://192.168.1.20:8080."),
            address=text.strip()[:100],
        )
    port = int(match["port"]) if match["port"] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise RemoteError(sentence("The port {port} does not exist."), port=port)
    base = (match["base"] or "").rstrip("/").removesuffix("/v1").rstrip("/")
    return ServerAddress(scheme, (match["six"] or match["host"]).lower(), port, base)


def is_private(number: str) -> bool:
    """Whether a numeric address cannot be reached from the internet at large."""
    address = ipaddress.ip_address(number.split("%", maxsplit=1)[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return not (address.is_global or address.is_multicast or address.is_unspecified)
