"""Authentication: a secret in the address, asked for once, and no page but ours.

The address that is printed holds a random token. Whoever opens it gets the token as a cookie that scripts cannot read
and other sites cannot send, and an address without it. A foreign page that reaches the port in this browser is told
apart by its `Origin`, one that points a name of its own at this machine (DNS rebinding) by its `Host`.
"""

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Auth:
    """The rules of one server that listens at `host`; `token` is the secret of its address."""

    host: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def accepts(self, token: str | None) -> bool:
        """Return True if this is the token; in constant time, so that a wrong one tells nothing about the right one."""
        # A comparison that ends at the first wrong letter would tell by its time how many were right.
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def refusal(self, host: str | None, origin: str | None) -> str:
        """Return why a request with these headers is not answered; "" when it is.

        `host` and `origin` are the headers `Host` and `Origin`.
        """
        name = _name(host or "")
        own = {self.host, socket.gethostname().lower(), socket.getfqdn().lower()} if self.public else set()
        # A foreign name that was made to resolve to this machine (DNS rebinding) still stands in the Host header.
        if name not in LOOPBACK | own and not (self.public and _is_address(name)):
            return f"this server is not {name or 'nameless'}"
        # A browser sends no Origin along when a person opens an address.
        if origin is not None and origin.partition("://")[2] != host:
            return "the request comes from another page"
        return ""

    @property
    def public(self) -> bool:
        """True if other machines can reach it."""
        return self.host not in LOOPBACK


def _name(host: str) -> str:
    """Return the name in a Host header, without the port: an SSH tunnel may end at another one."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    # More than one colon: an IPv6 address without brackets, which has no port.
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def _is_address(name: str) -> bool:
    """Return True for an IP address: numbers cannot be rebound to another machine, names can."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
