"""A receiver of webhooks: keeps what comes, checks its signature as Standard Webhooks 1.0 says, and answers as a test wants."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.marquee import wait_until


@dataclasses.dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def json(self) -> Any:
        return json.loads(self.body)


def is_signed(received: Received, secret: str) -> bool:
    """Written from the specification; nothing of Marquee's own stands in it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((received.id.encode(), received.headers["webhook-timestamp"].encode(), received.body))
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    is_recent = abs(time.time() - int(received.headers["webhook-timestamp"])) < 60
    return is_recent and hmac.compare_digest(expected, received.headers["webhook-signature"])


class Receiver:
    """A context manager. `answer` gives the status of each request by its number at that path (0, 1, ...); None: no answer, ever."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received, int], int | None] = lambda received, number: 204
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:  # A client that does not trust us breaks its connection.
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        one = Received(handler.path, {k.lower(): v for k, v in handler.headers.items()}, body, time.monotonic())
        with self._changed:
            number = len(self.at(one.path))
            self.received.append(one)
            status = self.answer(one, number)
        if status is None:
            self._stopped.wait(60)
            return
        handler.send_response(status)
        if 300 <= status < 400:
            handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def at(self, path: str) -> list[Received]:
        return [one for one in self.received if one.path == path]

    def wait(self, path: str, count: int, timeout: float = 15) -> list[Received]:
        """The first `count` requests at the path, once they are there."""
        wait_until(lambda: len(self.at(path)) >= count, timeout, f"{count} requests at {path}, there are {len(self.at(path))}")
        return self.at(path)[:count]
