"""Who gets in: whoever has the token, from a page of ours, under a name of ours."""

import pytest

from easel.viewer.remote.auth import Auth

LOCAL = Auth("127.0.0.1")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "LOCALHOST", "[::1]:8000"])
def test_loopback_names_are_served_at_any_port(host: str) -> None:
    assert not LOCAL.refusal(host, None)
    assert not LOCAL.refusal(host, f"http://{host}")


STRANGERS = ["evil.example:8000", "", None, "localhost.evil.example", "10.0.0.5:8000", "127.0.0.1.evil.example"]
PAGES = ["http://evil.example", "null", "http://localhost:9000", "", "http://localhost:8000.evil.example"]


@pytest.mark.parametrize("host", STRANGERS)
def test_a_foreign_name_is_refused(host: str | None) -> None:
    assert LOCAL.refusal(host, None)


@pytest.mark.parametrize("origin", PAGES)
def test_a_foreign_page_is_refused(origin: str) -> None:
    assert "another page" in LOCAL.refusal("localhost:8000", origin)


def test_an_open_server_goes_by_its_addresses_and_own_names_but_no_others() -> None:
    public = Auth("0.0.0.0")
    assert public.public and not LOCAL.public
    assert not public.refusal("192.168.1.7:8000", None) and not public.refusal("localhost", None)
    assert public.refusal("rebound.example:8000", None)


def test_tokens_are_long_differ_and_must_match() -> None:
    assert LOCAL.accepts(LOCAL.token) and len(LOCAL.token) >= 43  # 256 bits in base64
    assert Auth("127.0.0.1").token != LOCAL.token
    assert not any(map(LOCAL.accepts, [None, "", LOCAL.token[:-1], LOCAL.token + "x", "é"]))
