"""Fetching one file over HTTP so that what has come is never fetched twice.

What has come lies in a ``.part`` file, beside it what the server called that version of the file (its ETag or date).
A later try asks for the rest on condition that the version is still the same (RFC 9110, sections 13.1.5 and 14);
where the server cannot promise that, it starts anew.
"""

from __future__ import annotations

import errno
import json
import re
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from matting.errors import DownloadError, OutputError
from matting.files import sync, write_bytes
from matting.job import JobContext
from matting.weights.folder import check_room
from matting.weights.sizes import in_bytes

WAITS_S: tuple[float, ...] = (0.5, 1, 2, 4)
"""How long to wait before the next try when one brought nothing new; after the last the address is given up."""
_TIMEOUT = httpx.Timeout(15, connect=10)
_MARGIN_BYTES = 64 << 20
"""Room that a download leaves on the disk."""
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
TELL_S = 0.1
"""Shortest time between two reports."""
_SPEED_S = 5.0
"""Over how long the speed is averaged."""
_BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers that may be better a moment later."""


@dataclass(frozen=True)
class _Version:
    """What the server said of the file that a part belongs to.

    Attributes:
        url: that was asked for.
        validator: a strong ETag, or a date of change; None where the server gives neither.
        size: of the whole file in bytes; None where the server did not say.
    """

    url: str
    validator: str | None
    size: int | None


class _Refused(Exception):  # noqa: N818  (a reason, not an error: another address may do better)
    """The server answered, and the answer is not the file."""


class _Again(Exception):  # noqa: N818
    """What has come cannot be gone on with, or the server asks to come back later."""


def fetch(urls: tuple[str, ...], part: Path, title: str, ctx: JobContext) -> str:
    """Fetch a file into ``part``, going on from what lies there.

    Args:
        urls: addresses of the same file; the next one is tried where one refuses.
        part: the file to write; it stays when the work is stopped or fails, for the next time.
        title: what to call it.
        ctx: told of bytes, speed and time left.

    Returns:
        The address that it came from. The part is whole as far as the server says, and on the disk.

    Raises:
        DownloadError: no network, or every address refuses or keeps breaking off.
        OutputError: there is not enough room, or the folder cannot be written.
        Cancelled: somebody asked to stop.
    """
    reasons: list[str] = []
    with _client() as client:
        for url in urls:
            try:
                _fetch(client, url, part, title, ctx)
            except _Refused as reason:
                reasons.append(str(reason))
            except OSError as error:
                raise _unwritten(part, error) from error
            else:
                return url
    raise DownloadError(f"{title} could not be fetched: {'; '.join(reasons)}.")


def discard(part: Path) -> None:
    """Forget what has come."""
    part.unlink(missing_ok=True)
    _version_path(part).unlink(missing_ok=True)


def _client() -> httpx.Client:
    try:
        # Proxies and certificates come from the environment. Packed content would make byte ranges meaningless.
        return httpx.Client(follow_redirects=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"})
    except (ImportError, ValueError) as error:
        raise DownloadError(
            f"The proxy that the environment names cannot be used ({error}); mend HTTPS_PROXY or ALL_PROXY."
        ) from error


def _fetch(client: httpx.Client, url: str, part: Path, title: str, ctx: JobContext) -> None:
    """All of it from one address, over as many connections as it takes."""
    failures, most = 0, _size(part)
    while True:
        try:
            _connect(client, url, part, title, ctx)
            sync(part)
            return
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as reason:
            raise _Refused(f"{url} cannot be followed ({_plain(reason)})") from reason
        except (httpx.TransportError, _Again) as reason:
            have = _size(part)
            failures = 0 if have > most else failures + 1
            most = max(most, have)
            if failures > len(WAITS_S):
                raise _Refused(_explained(url, reason)) from reason
            _wait(WAITS_S[max(failures - 1, 0)], _share(part, url), f"Trying again: {_explained(url, reason)}", ctx)


def _connect(client: httpx.Client, url: str, part: Path, title: str, ctx: JobContext) -> None:
    """One connection: ask for what is missing and append what comes."""
    have, version = _resumable(part, url)
    if version is not None and have == version.size:
        return
    headers = {}
    if version is not None and version.validator is not None:
        headers = {"Range": f"bytes={have}-", "If-Range": version.validator}
    ctx.report(_share(part, url), f"Asking for {title}")
    with client.stream("GET", url, headers=headers) as response:
        answered = _version_of(url, response)
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            if version is None or not _goes_on(response, have, version, answered):
                discard(part)
                raise _Again(f"{_host(url)} does not go on where the last try ended")
            answered = version
        elif response.status_code == httpx.codes.OK:
            have = 0
        elif response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            discard(part)
            raise _Again(f"{_host(url)} has no more of the file than came already")
        else:
            _refuse(url, response)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise _Refused(f"{_host(url)} sent a web page in its place, as networks do that ask to log in first")
        # What lies in the part and is fetched anew is given back first.
        check_room(part.parent, (answered.size or 0) - max(have, _size(part)) + _MARGIN_BYTES, title)
        _receive(response, part, have, answered, title, ctx)


def _receive(response: httpx.Response, part: Path, have: int, version: _Version, title: str, ctx: JobContext) -> None:
    if have == 0:  # in this order, so that no old bytes are ever taken for some of this version
        part.unlink(missing_ok=True)
        write_bytes(_version_path(part), json.dumps(asdict(version)).encode())
    pace, told = _Pace(have), 0.0
    with part.open("ab") as file:
        for block in response.iter_raw():
            file.write(block)
            have += len(block)
            ctx.raise_if_cancelled()
            if time.monotonic() - told >= TELL_S:
                told = time.monotonic()
                _tell(ctx, title, have, version.size, pace.per_second(have))
    _tell(ctx, title, have, version.size, pace.per_second(have))
    if version.size is not None and have != version.size:
        if have > version.size:
            discard(part)
        raise _Again(f"{_host(version.url)} sent {have} bytes of {version.size}")


def _resumable(part: Path, url: str) -> tuple[int, _Version | None]:
    """How much of the file is there and of which version; what cannot be gone on with counts as nothing."""
    have = _size(part)
    try:
        version = _Version(**json.loads(_version_path(part).read_bytes()))
    except (OSError, ValueError, TypeError):
        return 0, None
    if have == 0 or version.url != url or version.validator is None or have > (version.size or have):
        return 0, None
    return have, version


def _share(part: Path, url: str) -> float:
    have, version = _resumable(part, url)
    return have / version.size if version is not None and version.size else 0.0


def _version_of(url: str, response: httpx.Response) -> _Version:
    etag = response.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    length = response.headers.get("Content-Length", "")
    return _Version(url, validator or None, int(length) if length.isdecimal() else None)


def _goes_on(response: httpx.Response, have: int, version: _Version, answered: _Version) -> bool:
    """Whether a partial answer begins where the part ends, and is of the same version."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != have:
        return False
    same_size = match[2] == "*" or version.size is None or int(match[2]) == version.size
    return same_size and answered.validator in (None, version.validator)


def _refuse(url: str, response: httpx.Response) -> None:
    status = f"{response.status_code} {response.reason_phrase}".strip()
    if response.status_code in _BUSY:
        raise _Again(f"{_host(url)} is busy or broken ({status})")
    if response.status_code in (404, 410):
        raise _Refused(f"{url} is not there any more ({status})")
    raise _Refused(f"{_host(url)} refuses to give {url} ({status})")


def _unwritten(part: Path, error: OSError) -> OutputError:
    if error.errno in _FULL:
        return OutputError(
            f"The disk of {part.parent} is full; {in_bytes(_size(part))} have come and are kept. Make room, then get "
            "it again: it goes on from there."
        )
    return OutputError(f"{part} could not be written: {error.strerror or error}.")


def _explained(url: str, reason: Exception) -> str:
    host = _host(url)
    if isinstance(reason, httpx.ConnectError | httpx.ConnectTimeout):
        return f"{host} cannot be reached, so there may be no network or a proxy is needed ({_plain(reason)})"
    if isinstance(reason, httpx.ProxyError):
        return f"the proxy does not let {host} through ({_plain(reason)})"
    if isinstance(reason, httpx.TimeoutException):
        return f"{host} does not answer"
    if isinstance(reason, httpx.TransportError):
        return f"{host} broke the connection off ({_plain(reason)})"
    return str(reason)


def _plain(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _wait(seconds: float, share: float, why: str, ctx: JobContext) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        ctx.report(share, why)
        time.sleep(min(left, 0.1))
    ctx.raise_if_cancelled()


def _tell(ctx: JobContext, title: str, have: int, size: int | None, speed: float | None) -> None:
    of = "" if size is None else f" of {in_bytes(size)}"
    pace = "" if speed is None else f", {in_bytes(speed)}/s"
    ctx.report(have / size if size else 0, f"Getting {title}: {in_bytes(have)}{of}{pace}")


class _Pace:
    """The speed over the last seconds."""

    def __init__(self, have: int) -> None:
        self._points = deque([(time.monotonic(), have)])

    def per_second(self, have: int) -> float | None:
        """Bytes a second, now that ``have`` bytes are there; None at first."""
        now = time.monotonic()
        self._points.append((now, have))
        while len(self._points) > 2 and now - self._points[0][0] > _SPEED_S:
            self._points.popleft()
        since, before = self._points[0]
        return (have - before) / (now - since) if now - since > 0.5 else None


def _version_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _host(url: str) -> str:
    return httpx.URL(url).host or url
