"""Sends Marquee's database, datasets, charts and dashboard to a Superset that runs, or renews them there.

    python3 deploy/superset/load.py --superset http://127.0.0.1:8088 --user admin --store http://127.0.0.1:8123

Passwords come from the environment: SUPERSET_PASSWORD (of --user), MARQUEE_READER_PASSWORD (of the store's reader). Superset needs the package
clickhouse-connect. Needs nothing beyond Python's standard library itself."""

from __future__ import annotations

import argparse
import http.cookiejar
import io
import json
import os
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from typing import Any

ASSETS = pathlib.Path(__file__).parent / "assets"
DATABASE_FILE = "databases/Marquee.yaml"
_LOCAL_STORE = "127.0.0.1:8123"


class Superset:
    """A session at Superset's API. Raises OSError with Superset's own words where it refuses."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self._headers = {"Referer": self.url}
        login = self.post("/api/v1/security/login", {"username": user, "password": password, "provider": "db", "refresh": False})
        self._headers["Authorization"] = f"Bearer {login['access_token']}"
        self._headers["X-CSRFToken"] = self.get("/api/v1/security/csrf_token/")["result"]

    def get(self, path: str) -> Any:
        return self._send(urllib.request.Request(self.url + path, headers=self._headers))

    def post(self, path: str, body: Any) -> Any:
        return self._send(urllib.request.Request(self.url + path, json.dumps(body).encode(),
                                                 {**self._headers, "Content-Type": "application/json"}))

    def post_file(self, path: str, name: str, content: bytes, fields: dict[str, str]) -> Any:
        boundary = uuid.uuid4().hex
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.zip"\r\n'
                     "Content-Type: application/zip\r\n\r\n".encode() + content + b"\r\n")
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        return self._send(urllib.request.Request(self.url + path, body,
                                                 {**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}))

    def _send(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise OSError(f"{request.get_method()} {request.full_url} answered {error.code}: {said[:2000]}") from error


def bundle(store: str) -> bytes:
    """The export as Superset takes it, with the address of the store in it."""
    parts = urllib.parse.urlsplit(store)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OSError(f"--store: expected http://HOST:PORT, got {store}")
    address = f"{parts.hostname}:{parts.port or (8443 if parts.scheme == 'https' else 8123)}"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(ASSETS.rglob("*.yaml")):
            text = file.read_text(encoding="utf-8")
            name = file.relative_to(ASSETS).as_posix()
            if name == DATABASE_FILE:
                text = text.replace(_LOCAL_STORE, address)
                if parts.scheme == "https":
                    text = text.replace("/marquee\n", "/marquee?secure=true\n")
            archive.writestr(f"assets/{name}", text)
    return out.getvalue()


def load(superset: Superset, store: str, reader_password: str) -> None:
    """Imports everything in one transaction of Superset's: all of it or nothing."""
    superset.post_file("/api/v1/assets/import/", "bundle", bundle(store), {"passwords": json.dumps({DATABASE_FILE: reader_password})})


def main() -> int:
    parser = argparse.ArgumentParser(description="Sends Marquee's dashboard to a Superset that runs.")
    parser.add_argument("--superset", default="http://127.0.0.1:8088", help="address of Superset (%(default)s)")
    parser.add_argument("--user", default="admin", help="who may import there (%(default)s)")
    parser.add_argument("--store", default="http://127.0.0.1:8123", help="address of the store, as Superset reaches it (%(default)s)")
    arguments = parser.parse_args()
    try:
        superset = Superset(arguments.superset, arguments.user, os.environ.get("SUPERSET_PASSWORD", ""))
        load(superset, arguments.store, os.environ.get("MARQUEE_READER_PASSWORD", ""))
    except OSError as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.superset.rstrip('/')}/superset/dashboard/marquee-campaigns/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
