"""Whose token, and to which address: read from the environment, refused where the token would be seen by others."""

from __future__ import annotations

import ipaddress

import httpx

from dreamseed.errors import PostingError

TOKEN_VARIABLE = "GITHUB_TOKEN"  # noqa: S105 - the variable's name
URL_VARIABLE = "GITHUB_API_URL"
DEFAULT_URL = "https://api.github.com"


def safe_url(text: str) -> httpx.URL:
    """Return the address; raises `PostingError` where it is none, or the token would be readable on its way there."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise _wrong_url(text, str(error)) from error
    if url.scheme not in ("https", "http") or not url.host:
        raise _wrong_url(text, "it is no address of a server")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise _wrong_url(text, "the token would be sent unencrypted")
    return url


def well_formed(token: str) -> str:
    """Return the token; raises `PostingError` where it is missing or malformed, without showing it.

    The HTTP client would show a header that cannot be sent in its error.
    """
    if not token:
        why = "nothing is posted without one, and it is no argument because those are seen by every process"
        raise PostingError(
            TOKEN_VARIABLE, "no token", why, f"{TOKEN_VARIABLE}: ${{{{ github.token }}}} in the step's `env`"
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        why = "a token is one word of printable ASCII characters"
        raise PostingError(TOKEN_VARIABLE, "the token is malformed", why, "the token alone, without space or new line")
    return token


def _wrong_url(text: str, why: str) -> PostingError:
    return PostingError(URL_VARIABLE, f"'{text}' is refused", why, f"an https address, such as {DEFAULT_URL}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
