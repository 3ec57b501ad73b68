"""One file over HTTPS into a partial file, resumed where it stopped. Knows no catalogue.

Runs in the downloader process only. Range requests follow RFC 9110, section 14.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import truststore

from engine.errors import DownloadError, NoSourceError, sentence

ANSWER_S = 3.0
"""A source that has not begun to answer by then is left for the next one."""
STALL_S = 30.0
"""An open transfer that brings nothing for this long is broken off and resumed."""
RESUMES = 5
BLOCK = 1 << 18

Response = http.client.HTTPResponse


class TransferStopped(Exception):  # noqa: N818  (not an error: the person cancelled)
    """The transfer was cancelled; the partial file stays for the next time."""


def open_url(url: str, offset: int, *, answer_s: float = ANSWER_S) -> Response:
    """Open `url` from byte `offset` on. Raises `NoSourceError` if nothing answers within `answer_s`.

    Name look-up has no time limit of its own, so the wait is kept on another (daemon) thread.
    """
    headers = {"User-Agent": "hearth-downloader", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (https is checked by `download`)
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("https:") else None
    answer: queue.SimpleQueue[Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(urllib.request.urlopen(request, timeout=STALL_S, context=context))  # noqa: S310
        except (OSError, http.client.HTTPException, ValueError) as error:
            answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        result = answer.get(timeout=answer_s)
    except queue.Empty:
        raise NoSourceError(
            sentence("The source did not answer within {seconds:g} seconds."), seconds=answer_s
        ) from None
    if isinstance(result, urllib.error.HTTPError) and result.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise result
    if isinstance(result, Exception):
        raise NoSourceError(sentence("The source could not be reached ({reason})."), reason=_reason(result)) from result
    return result


def download(
    url: str, partial: Path, *, on_bytes: Callable[[int], None], stopped: Callable[[], bool], answer_s: float = ANSWER_S
) -> None:
    """Bring `url` into `partial`, going on from the bytes that are already there.

    `on_bytes(n)` tells the size reached. Raises `TransferStopped`, `NoSourceError` if the first try brings no
    answer, `DownloadError` if the transfer keeps breaking off.
    """
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise NoSourceError(sentence("The source is not a secure (https) address."))
    last: Exception | None = None
    for attempt in range(RESUMES + 1):
        if attempt:
            time.sleep(min(2.0**attempt / 4, 4.0))
        before = _size(partial)
        try:
            if _transfer(url, partial, on_bytes=on_bytes, stopped=stopped, answer_s=answer_s):
                return
        except NoSourceError as error:
            if not attempt and not before:
                raise
            last = error
        except urllib.error.HTTPError as error:
            # The partial file is as long as, or longer than, what the server has: start afresh.
            partial.unlink(missing_ok=True)
            last = error
        except (OSError, http.client.HTTPException) as error:
            last = error
    raise DownloadError(
        sentence("The download broke off {times} times ({reason}). Try again: it goes on where it stopped."),
        times=RESUMES + 1,
        reason=_reason(last),
    )


def _transfer(
    url: str, partial: Path, *, on_bytes: Callable[[int], None], stopped: Callable[[], bool], answer_s: float
) -> bool:
    """One connection's worth; True when the server sent all that it promised."""
    offset = _size(partial)
    with contextlib.closing(open_url(url, offset, answer_s=answer_s)) as response:
        if offset and response.status != http.HTTPStatus.PARTIAL_CONTENT:
            offset = 0
        length = response.headers.get("Content-Length")
        end = offset + int(length) if length is not None else None
        with partial.open("ab" if offset else "wb") as file:
            reached = offset
            on_bytes(reached)
            # read1 gives what has come, so that a slow line is still cancelled and shown at once.
            while block := response.read1(BLOCK):
                if stopped():
                    raise TransferStopped
                file.write(block)
                reached += len(block)
                on_bytes(reached)
    return end is None or reached >= end


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception | None) -> str:
    """A short cause without the address."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        reason = error.reason
        return reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return str(error) or type(error).__name__
