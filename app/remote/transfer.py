"""HTTP to one server, and nothing else: connections by numeric address, no proxy, no redirect followed.

Runs in the remote process only. One connection a call (RFC 9112), closed from another thread to cancel it. TLS is
verified against the system's certificates. What the server says is capped before it is read.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import truststore

from app.remote.address import ServerAddress, is_private
from engine.context.clean import clean
from engine.errors import HearthError, LimitError, PromptTooLongError, RemoteError, sentence

LINE_BYTES = 1 << 20
"""The longest line of a stream."""
STREAM_BYTES = 1 << 24
"""All of an answer."""
REPLY_BYTES = 1 << 25
_ERROR_BYTES = 1 << 16
_REASON_CHARACTERS = 300
_TOO_LONG_WORDS = ("exceed_context_size", "context length", "context size", "context window", "maximum context")

SocketAddress = tuple[Any, ...]
Endpoint = tuple[socket.AddressFamily, SocketAddress]


def resolve(address: ServerAddress) -> list[Endpoint]:
    """Look the host up, once. Raises `RemoteError`, also for a public address without encryption."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise RemoteError(
            sentence("There is no computer called {host} in reach. Check the address."), host=address.host
        ) from None
    endpoints: list[Endpoint] = [(family, where) for family, _kind, _protocol, _name, where in found]
    if not address.secure and not all(is_private(str(where[0])) for _family, where in endpoints):
        raise RemoteError(
            sentence(
                "{host} is not on your own network, and http:// is not encrypted: anyone on the way could read your"
                " messages. Use an https:// address."
            ),
            host=address.host,
        )
    return endpoints


class Call:
    """One request and its answer. `hang_up` may come from any thread, at any time."""

    def __init__(
        self, address: ServerAddress, endpoints: list[Endpoint], key: str, *, connect_s: float, answer_s: float,
        stall_s: float,
    ) -> None:  # fmt: skip
        self._address = address
        self._endpoints = endpoints
        self._key = key
        self._connect_s, self._answer_s, self._stall_s = connect_s, answer_s, stall_s
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.hung_up = False

    def hang_up(self) -> None:
        """Close the connection; whoever reads from it gets an error."""
        with self._lock:
            self.hung_up = True
            if self._socket is not None:
                _shut(self._socket)

    def reply(self, path: str, body: str | None = None) -> Any:
        """The JSON that a GET, or a POST of `body`, gives. Raises `HearthError`."""
        with self._translated(), self._open(path, body) as response:
            raw = response.read(REPLY_BYTES + 1)
            if len(raw) > REPLY_BYTES:
                raise LimitError(sentence("{host} sends more than Hearth can take."), host=self._address.host)
            try:
                return json.loads(raw)
            except (ValueError, RecursionError):
                raise self._no_server() from None

    def lines(self, path: str, body: str) -> Iterator[str]:
        """The lines of a streamed answer to a POST, as they come. The first item is "", when the server has agreed.

        Raises `HearthError`.
        """
        with self._translated(), self._open(path, body) as response:
            if response.headers.get_content_type() != "text/event-stream":
                raise self._no_server()
            yield ""
            total = 0
            while line := response.readline(LINE_BYTES + 1):
                total += len(line)
                if len(line) > LINE_BYTES or total > STREAM_BYTES:
                    raise LimitError(sentence("{host} sends more than Hearth can take."), host=self._address.host)
                yield line.decode("utf-8", "replace").rstrip("\r\n")
                self._wait(self._stall_s)

    def _wait(self, seconds: float) -> None:
        if self._socket is not None:
            self._socket.settimeout(seconds)

    @contextlib.contextmanager
    def _open(self, path: str, body: str | None) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._address.authority)
        connection.sock = self._connect()
        headers = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "hearth"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._wait(self._stall_s)
            connection.request(
                "GET" if body is None else "POST", self._address.base + path,
                body=None if body is None else body.encode("utf-8", "replace"), headers=headers,
            )  # fmt: skip
            self._wait(self._answer_s)
            with contextlib.closing(connection.getresponse()) as response:
                if response.status != http.HTTPStatus.OK:
                    raise self._refusal(response)
                yield response
        finally:
            with self._lock:
                self._socket = None
            connection.close()

    def _connect(self) -> socket.socket:
        last: OSError = ConnectionRefusedError()
        for family, where in self._endpoints:
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(self._connect_s)
            try:
                plain.connect(where)
                secured = self._secured(plain) if self._address.secure else plain
            except OSError as error:
                plain.close()
                last = error
                continue
            with self._lock:
                self._socket = secured
                if self.hung_up:
                    _shut(secured)
            return secured
        raise last

    def _secured(self, plain: socket.socket) -> socket.socket:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return context.wrap_socket(plain, server_hostname=self._address.host)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """What the network raises, as a sentence."""
        host = self._address.host
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise RemoteError(
                sentence("{host} has no certificate that this computer trusts ({reason})."),
                host=host,
                reason=error.verify_message,
            ) from error
        except ssl.SSLError as error:
            raise RemoteError(sentence("{host} does not speak https there. Try http://."), host=host) from error
        except TimeoutError as error:
            raise RemoteError(
                sentence("{host} did not answer in time. It may be switched off, or busy."), host=host
            ) from error
        except ConnectionRefusedError as error:
            raise RemoteError(
                sentence("Nothing answers at {address}. Is the server running there, and open to this network?"),
                address=self._address.authority,
            ) from error
        except (ConnectionError, http.client.IncompleteRead) as error:
            raise self._broken() from error
        except http.client.HTTPException as error:
            raise self._no_server() from error
        except OSError as error:
            raise RemoteError(
                sentence("{host} could not be reached ({reason})."), host=host, reason=error.strerror or str(error)
            ) from error

    def _broken(self) -> RemoteError:
        return RemoteError(sentence("The connection to {host} broke off."), host=self._address.host)

    def _no_server(self) -> RemoteError:
        return RemoteError(
            sentence("What answers at {address} is no server for models that Hearth understands."),
            address=self._address.authority,
        )

    def _refusal(self, response: http.client.HTTPResponse) -> HearthError:
        status, host = response.status, self._address.host
        if 300 <= status < 400:
            return RemoteError(
                sentence("{host} points to another address. Hearth does not follow; set that address if you trust it."),
                host=host,
            )
        reason = _reason(response.read(_ERROR_BYTES))
        if status in (401, 403):
            return RemoteError(sentence("{host} wants a key, or another one than is set."), host=host)
        return refusal(host, reason or f"HTTP {status}", status)


def refusal(host: str, reason: str, status: int = 0) -> HearthError:
    """The error for a server's own words."""
    if status in (0, 400, 413, 422, 500) and any(word in reason.lower() for word in _TOO_LONG_WORDS):
        return PromptTooLongError(
            sentence("This chat is longer than the model on {host} can read at once. Start a new chat."), host=host
        )
    if status == 404:
        return RemoteError(
            sentence("{host} does not have that model, or is another kind of server ({reason})."),
            host=host,
            reason=reason,
        )
    return RemoteError(sentence("{host} did not answer the question: {reason}"), host=host, reason=reason)


def _reason(raw: bytes) -> str:
    """The server's own words for an error: foreign text, cleaned and short; "" if there are none."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    return reason_of(value)


def reason_of(value: object) -> str:
    """The sentence in `{"error": {"message": ...}}`, or in the simpler forms that servers use."""
    error = value.get("error", value.get("detail", "")) if isinstance(value, dict) else ""
    kind = ""
    if isinstance(error, dict):
        kind, error = str(error.get("type", "")), error.get("message", "")
    text = error if isinstance(error, str) else ""
    if kind == "exceed_context_size_error":
        text = f"{text} (exceed_context_size)"
    return " ".join(clean(text, max_characters=_REASON_CHARACTERS).text.split())


def _shut(connection: socket.socket) -> None:
    """End both directions under whoever reads. Past TLS's own goodbye, which is not safe from another thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
