"""Between a loader and the store: a proxy that holds, drops, repeats and changes what passes, one request at a time."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

# What to do with one request: "pass", "drop before" (it never reaches the store), "drop after" (the store has answered, nobody
# hears it), "hold before" and "hold after" (until release(), then as usual), "late" (the connection breaks; the store gets the
# request with release()), or "&name=value", which is added to its settings.
Fate = str


class Proxy:
    """`fate` is asked for each request that carries rows. A context manager; thread safe."""

    def __init__(self, store_url: str, fate: Callable[[str], Fate]) -> None:
        self._store = urllib.parse.urlsplit(store_url)
        self._fate = fate
        self._released = threading.Event()
        self._late: list[tuple[str, dict[str, str], bytes]] = []
        self._lock = threading.Lock()
        self.done: dict[str, int] = {}
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def do_POST(self) -> None:
                proxy._serve(self)

            do_GET = do_POST

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def release(self) -> list[int]:
        """What is held goes on; what is late reaches the store now. Its answers' statuses."""
        self._released.set()
        with self._lock:
            late, self._late = self._late, []
        return [self._ask(path, headers, body, "POST")[0] for path, headers, body in late]

    def waiting_late(self) -> int:
        with self._lock:
            return len(self._late)

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path, headers = handler.path, dict(handler.headers.items())
        is_insert = "events_entry" in path or "events_repair_entry" in path
        fate = self._fate(path) if is_insert else "pass"
        with self._lock:
            self.done[fate] = self.done.get(fate, 0) + 1
            if fate == "late":
                self._late.append((path, headers, body))
        if fate in ("late", "drop before"):
            return self._break(handler)
        if fate == "hold before":
            self._released.wait(60)
        if fate.startswith("&"):
            path += fate
        try:
            status, reason, answer_headers, answer = self._ask_all(path, headers, body, handler.command)
        except (OSError, http.client.HTTPException):
            return self._break(handler)
        if fate == "drop after":
            return self._break(handler)
        if fate == "hold after":
            self._released.wait(60)
        handler.send_response_only(status, reason)
        for name, value in answer_headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _ask(self, path: str, headers: Mapping[str, str], body: bytes, method: str) -> tuple[int, bytes]:
        status, _, _, answer = self._ask_all(path, headers, body, method)
        return status, answer

    def _ask_all(self, path: str, headers: Mapping[str, str], body: bytes,
                 method: str) -> tuple[int, str, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._store.hostname or "", self._store.port, timeout=120)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.getheaders(), answer.read()
        finally:
            connection.close()

    @staticmethod
    def _break(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
