"""A connection to GitHub's interface: whose token, which address, one request and its refusals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from dreamseed.errors import PostingError
from dreamseed.github.access import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE, safe_url, well_formed
from dreamseed.github.refusals import check, lost, one_line, said

TIMEOUT_SECONDS = 20.0
HEADERS = {
    "Accept": "application/vnd.github+json",
    # 2026-03-10 is the newest; servers of one's own do not know it yet, and this one is supported until March 2028 at
    # least: https://github.blog/changelog/2026-03-12-rest-api-version-2026-03-10-is-now-available (read 2026-11-26).
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "dreamseed-infrastructure",
}
PER_PAGE = 100
"""The most comments that one page may hold."""


class Api:
    """A connection to `url` with a token, which is sent there and nowhere else, and never shown."""

    def __init__(self, url: str, token: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = safe_url(url)
        headers = HEADERS | {"Authorization": f"Bearer {well_formed(token)}"}
        self._client = _client(headers, timeout_seconds)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Connect as GITHUB_TOKEN and GITHUB_API_URL say; raises `PostingError` where they are missing or wrong."""
        return cls(environment.get(URL_VARIABLE) or DEFAULT_URL, environment.get(TOKEN_VARIABLE, ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def send(self, method: str, path: str, content: Mapping[str, str]) -> Any:
        """Send `content` as JSON to `path` and return the answer; raises `PostingError`."""
        return _read(self._request(method, self._at(path), content))

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the answer of each page of a list, as its Link header leads; raises `PostingError`."""
        url: httpx.URL | None = self._at(path).copy_with(params={"per_page": PER_PAGE})
        seen: set[httpx.URL] = set()
        while url is not None:
            seen.add(url)
            response = self._request("GET", url)
            yield _read(response)
            url = _following(response)
            if url is not None and (_origin(url) != _origin(self._url) or url in seen):
                raise _unreadable(response, f"its next page is {one_line(str(url))}, elsewhere or read already")

    def viewer(self) -> str:
        """Return the login of the token's owner, such as ``github-actions[bot]``; raises `PostingError`.

        The REST interface tells it to people's tokens only, the one for queries to those of apps too. Where the query
        is answered: https://docs.github.com/en/graphql/guides/forming-calls-with-graphql (read 2026-11-26), and on a
        server of one's own beside ``/api/v3``.
        """
        path = self._url.path.rstrip("/")
        graphql = self._url.copy_with(path=path.removesuffix("/v3") + "/graphql")
        response = self._request("POST", graphql, {"query": "query { viewer { login } }"})
        answer = _read(response)
        try:
            login = answer["data"]["viewer"]["login"]
        except (KeyError, TypeError):
            login = None
        if not isinstance(login, str):
            raise PostingError(
                f"POST {graphql}",
                f"GitHub does not tell whose token it is: {said(response)}",
                "only a comment of the token's owner is edited, and anyone may write its marker",
                f"where it names a limit, run the same command later; otherwise check {TOKEN_VARIABLE}, {URL_VARIABLE}",
            )
        return login

    def _at(self, path: str) -> httpx.URL:
        return self._url.copy_with(path=self._url.path.rstrip("/") + path)

    def _request(self, method: str, url: httpx.URL, content: Mapping[str, str] | None = None) -> httpx.Response:
        request = self._client.build_request(method, url, json=content)
        try:
            response = self._client.send(request)
        except httpx.RequestError as error:
            raise lost(request, error) from error
        check(response, time.time())
        return response


def _client(headers: Mapping[str, str], timeout_seconds: float) -> httpx.Client:
    try:
        return httpx.Client(headers=headers, timeout=timeout_seconds)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise PostingError(
            "HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE",
            f"no connection can be set up with them ({one_line(str(error))})",
            "proxies and certificates are taken from these variables",
            "an http:// proxy, and a file of certificates that is there, or unset them",
        ) from error


def _following(response: httpx.Response) -> httpx.URL | None:
    following = response.links.get("next", {}).get("url")
    try:
        return None if following is None else response.url.join(following)
    except httpx.InvalidURL as error:
        raise _unreadable(response, f"its next page has no valid address ({one_line(str(error))})") from error


def _read(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise _unreadable(response, "it is no JSON") from error


def _unreadable(response: httpx.Response, what: str) -> PostingError:
    return PostingError(
        f"{response.request.method} {response.request.url.copy_with(query=None)}",
        f"the answer cannot be used: {what}",
        "GitHub answers otherwise, so another server or a proxy may have answered",
        f"set {URL_VARIABLE} to the address of GitHub's interface, such as {DEFAULT_URL}",
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
