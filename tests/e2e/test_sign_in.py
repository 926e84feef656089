"""Signing in by password: sessions, roles of every route, limits, and the audit log, on a Marquee as it is started."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import re
import unittest
import urllib.parse
from typing import Any

from tests.support.marquee import Answer, Marquee, request

ROLES = ("viewer", "analyst", "manager", "admin")
PASSWORD = "correct horse battery"
MARQUEE: Marquee
DOCUMENT: dict[str, Any]


def setUpModule() -> None:
    global MARQUEE, DOCUMENT
    MARQUEE = Marquee({"MARQUEE_DEMO_ENABLED": "true"})
    MARQUEE.start()
    DOCUMENT = request(MARQUEE.url + "/openapi.json").json()


def tearDownModule() -> None:
    MARQUEE.__exit__(None, None, None)


class Browser:
    """Keeps the cookie, and says where its requests come from, as a browser does."""

    def __init__(self, origin: str | None = None) -> None:
        self.cookies: dict[str, str] = {}
        self.set_cookie = ""
        self.headers = {"Sec-Fetch-Site": "same-origin", "Origin": origin or MARQUEE.url}

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        sent = {**self.headers, **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = "application/json"
        answer = request(MARQUEE.url + path, method, None if body is None else json.dumps(body).encode(), sent)
        self.set_cookie = answer.headers.get("set-cookie", "")
        if self.set_cookie:
            name, value = self.set_cookie.split(";")[0].split("=", 1)
            self.cookies.pop(name, None)
            if "Max-Age=0" not in self.set_cookie:
                self.cookies[name] = value
        return answer

    def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        return self.ask("POST", "/v1/session", {"name": name, "password": password})


def signed_in(name: str, password: str = PASSWORD) -> Browser:
    browser = Browser()
    answer = browser.sign_in(name, password)
    assert answer.status == 200, answer.body
    return browser


def ensure_account(name: str, role: str = "viewer") -> str:
    answer = MARQUEE.api("/v1/accounts", "POST", {"name": name, "role": role, "password": PASSWORD})
    assert answer.status in (201, 409), answer.body
    return name


def operations() -> list[tuple[str, str, str | None]]:
    """Method, path and least role of each operation of the document; None where it has none."""
    return [(method.upper(), path, operation.get("x-role"))
            for path, methods in DOCUMENT["paths"].items()
            for method, operation in methods.items() if method in ("get", "post", "put", "delete")]


class A1BeforeAnyAccount(unittest.TestCase):
    """Runs first: the classes are sorted by name."""

    def test_the_link_opens_the_console_and_the_first_account_closes_it(self) -> None:
        told = Browser().ask("GET", "/v1/session").json()
        self.assertEqual(told, {"is_signed_in": False, "has_accounts": False})
        linked = {"Authorization": "Bearer " + MARQUEE.runtime["admin_token"]}
        told = Browser().ask("GET", "/v1/session", headers=linked).json()
        self.assertEqual((told["is_signed_in"], told["role"], told["is_token"]), (True, "admin", True))
        self.assertEqual(Browser().ask("GET", "/v1/sites", headers=linked).status, 200)
        refused = MARQUEE.api("/v1/accounts", "POST", {"name": "viewer", "role": "viewer", "password": PASSWORD})
        self.assertEqual(refused.status, 400)
        self.assertIn("must be an admin", refused.json()["error"]["message"])
        self.assertEqual(MARQUEE.run("accounts", "add", "admin-1", "--role", "admin", stdin=PASSWORD + "\n").returncode, 0)
        # A program's key goes on, a browser's does not.
        self.assertEqual(MARQUEE.api("/v1/sites").status, 200)
        self.assertEqual(Browser().ask("GET", "/v1/sites", headers=linked).status, 401)
        self.assertEqual(Browser().ask("GET", "/v1/session", headers=linked).json(), {"is_signed_in": False, "has_accounts": True})


class RolesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        ensure_account("admin-1", "admin")
        cls.browsers = {role: signed_in(ensure_account(f"{role}-r", role)) for role in ROLES}

    def ask(self, role: str, method: str, path: str) -> Answer:
        target = re.sub(r"\{[^}]+\}", "nothing-of-this-name", path)
        # With what no route takes, so that whoever may ask changes nothing.
        return self.browsers[role].ask(method, target, {"no such field": 1} if method in ("POST", "PUT") else None)

    def test_every_route_is_refused_to_lesser_roles_and_taken_of_the_others(self) -> None:
        looked_at = 0
        for method, path, least in operations():
            if least is None:
                continue
            needed = ROLES.index(least)
            with self.subTest(f"{method} {path}"):
                target = re.sub(r"\{[^}]+\}", "x", path)
                self.assertEqual(request(MARQUEE.url + target, method, b"{}" if method in ("POST", "PUT") else None).status, 401)
                for role in ROLES[:needed]:
                    answer = self.ask(role, method, path)
                    self.assertEqual(answer.status, 403, (role, answer.body))
                    self.assertEqual(answer.json()["error"]["role"], least)
                    self.assertIn(least, answer.json()["error"]["message"])
                for role in ROLES[needed:]:
                    self.assertNotIn(self.ask(role, method, path).status, (401, 403), role)
            looked_at += 1
        self.assertGreater(looked_at, 75)

    def test_every_route_says_its_role_or_is_open_by_intent(self) -> None:
        """A new route is an admin's until it is in the table (libs/api/src/route_access.cpp)."""
        without = {(method, path) for method, path, least in operations() if least is None}
        for method, path in sorted(without):
            keyed = DOCUMENT["paths"][path][method.lower()].get("security")
            self.assertIsNotNone(keyed, f"{method} {path} has neither x-role nor security of its own")

    def test_a_role_holds_from_the_next_request_on(self) -> None:
        browser = signed_in(ensure_account("rising"))
        body = {"id": "x"}
        self.assertEqual(browser.ask("POST", "/v1/sites", body).status, 403)
        self.assertEqual(MARQUEE.run("accounts", "role", "rising", "admin").returncode, 0)
        self.assertNotEqual(browser.ask("POST", "/v1/sites", {"no": 1}).status, 403)
        self.assertEqual(MARQUEE.run("accounts", "role", "rising", "viewer").returncode, 0)
        self.assertEqual(browser.ask("POST", "/v1/sites", body).status, 403)


class SessionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        ensure_account("admin-1", "admin")

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self) -> None:
        browser = signed_in(ensure_account("kavya"))
        port = MARQUEE.url.rsplit(":", 1)[1]
        self.assertRegex(browser.set_cookie, rf"^marquee_session_{port}=[0-9a-f]{{64}}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax$")
        browser = Browser()
        browser.ask("POST", "/v1/session", {"name": "kavya", "password": PASSWORD}, {"X-Forwarded-Proto": "https"})
        self.assertRegex(browser.set_cookie, r"^__Host-marquee_session\w*=.*; Secure$")
        self.assertEqual(browser.ask("GET", "/v1/session").json()["name"], "kavya")
        with open(MARQUEE.data_dir + "/catalog.sqlite", "rb") as file, open(MARQUEE.data_dir + "/catalog.sqlite-wal", "rb") as wal:
            stored = file.read() + wal.read()
        for secret in browser.cookies.values():
            self.assertNotIn(secret.encode(), stored)
        self.assertNotIn(PASSWORD.encode(), stored)

    def test_signing_out_ends_this_session_alone(self) -> None:
        one, other = signed_in(ensure_account("meera")), signed_in("meera")
        kept = dict(one.cookies)
        self.assertEqual(one.ask("DELETE", "/v1/session").status, 204)
        self.assertEqual(one.cookies, {})
        one.cookies = kept
        self.assertEqual(one.ask("GET", "/v1/sites").status, 401)
        self.assertEqual(other.ask("GET", "/v1/sites").status, 200)

    def test_a_changed_password_ends_the_others(self) -> None:
        one, other = signed_in(ensure_account("arjun")), signed_in("arjun")
        wrong = one.ask("PUT", "/v1/session/password", {"current": "not my password", "password": "another good one"})
        self.assertEqual((wrong.status, wrong.json()["error"]["field"]), (400, "current"))
        self.assertEqual(one.ask("PUT", "/v1/session/password", {"current": PASSWORD, "password": "short"}).status, 400)
        self.assertEqual(one.ask("PUT", "/v1/session/password", {"current": PASSWORD, "password": "another good one"}).status, 204)
        self.assertEqual(one.ask("GET", "/v1/sites").status, 200)
        self.assertEqual(other.ask("GET", "/v1/sites").status, 401)
        self.assertEqual(Browser().sign_in("arjun").status, 401)
        self.assertEqual(Browser().sign_in("Arjun", "another good one").status, 200)

    def test_an_admin_ends_sessions_resets_and_removes(self) -> None:
        admin = signed_in("admin-1")
        browser = signed_in(ensure_account("dev"))
        self.assertEqual(admin.ask("DELETE", "/v1/accounts/dev/sessions").json(), {"ended": 1})
        self.assertEqual(browser.ask("GET", "/v1/sites").status, 401)
        browser = signed_in("dev")
        self.assertEqual(MARQUEE.run("accounts", "password", "dev", stdin="given by an admin\n").returncode, 0)
        self.assertEqual(browser.ask("GET", "/v1/sites").status, 401)
        browser = signed_in("dev", "given by an admin")
        self.assertEqual(admin.ask("DELETE", "/v1/accounts/dev").status, 204)
        self.assertEqual(browser.ask("GET", "/v1/sites").status, 401)
        self.assertEqual(Browser().sign_in("dev", "given by an admin").status, 401)
        self.assertEqual(admin.ask("DELETE", "/v1/accounts/dev").status, 404)

    def test_a_live_stream_ends_with_its_session(self) -> None:
        ensure_account("watcher")
        for path in ("/v1/live?site=campus", "/v1/live/campaigns?site=campus"):
            browser = signed_in("watcher")
            name, value = next(iter(browser.cookies.items()))
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(MARQUEE.url).netloc, timeout=20)
            connection.request("GET", path, headers={"Cookie": f"{name}={value}"})
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            self.assertTrue(response.readline())
            browser.ask("DELETE", "/v1/session")
            while response.readline():  # Ends, or the connection's timeout fails the test.
                pass
            connection.close()

    def test_outlives_a_restart(self) -> None:
        browser = signed_in(ensure_account("lasting"))
        port = MARQUEE.url.rsplit(":", 1)[1]
        MARQUEE.environment["MARQUEE_HTTP_PORT"] = port  # The same place for the browser.
        MARQUEE.stop()
        MARQUEE.start()
        self.assertEqual(browser.ask("GET", "/v1/sites").status, 200)

    def test_changes_by_cookie_come_from_the_consoles_own_pages(self) -> None:
        browser = signed_in(ensure_account("admin-csrf", "admin"))
        change = ("PUT", "/v1/accounts/admin-csrf/role", {"role": "admin"})
        self.assertEqual(browser.ask(*change).status, 200)
        own = MARQUEE.url
        for headers, status in [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
                                ({"Sec-Fetch-Site": "none"}, 403),
                                ({"Sec-Fetch-Site": "", "Origin": "http://evil.example"}, 403),
                                ({"Sec-Fetch-Site": "", "Origin": "null"}, 403), ({"Sec-Fetch-Site": "", "Origin": ""}, 403),
                                ({"Sec-Fetch-Site": "", "Origin": own}, 200),
                                ({"Sec-Fetch-Site": "cross-site", "Origin": own}, 403)]:
            with self.subTest(headers):
                before = browser.headers
                browser.headers = {k: v for k, v in {**before, **headers}.items() if v}
                self.assertEqual(browser.ask(*change).status, status)
                self.assertEqual(browser.ask("GET", "/v1/sites").status, 200)
                browser.headers = before
        stranger = Browser()
        stranger.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
        self.assertEqual(stranger.sign_in("admin-csrf").status, 403)
        self.assertEqual(stranger.cookies, {})


class AttemptsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        ensure_account("admin-1", "admin")

    def test_wrong_passwords_of_a_name_are_held_up_and_others_let_in(self) -> None:
        ensure_account("guessed")
        statuses = [Browser().sign_in("guessed", f"wrong password {i}").status for i in range(11)]
        self.assertEqual(statuses, [401] * 10 + [429])
        answer = Browser().sign_in("guessed")
        self.assertEqual(answer.status, 429, "the right one, too, for a while")
        self.assertTrue(1 <= int(answer.headers["retry-after"]) <= 60)
        self.assertEqual(Browser().sign_in(ensure_account("untouched")).status, 200)

    def test_known_and_unknown_names_get_the_same_answer(self) -> None:
        ensure_account("known")
        known, unknown = Browser().sign_in("known", "wrong password"), Browser().sign_in("nobody", "wrong password")
        self.assertEqual((known.status, known.body), (unknown.status, unknown.body))

    def test_many_at_once_are_told_to_wait_and_the_rest_goes_on(self) -> None:
        ensure_account("crowd")
        with concurrent.futures.ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(lambda _: Browser().sign_in("crowd"), range(60)))
        statuses = {answer.status for answer in answers}
        self.assertLessEqual(statuses, {200, 429, 503})
        self.assertIn(200, statuses)
        for answer in answers:
            if answer.status != 200:
                self.assertIn("retry-after", answer.headers)
        self.assertEqual(MARQUEE.api("/v1/status").status, 200)


class AuditTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        ensure_account("admin-1", "admin")

    def entries(self, **query: str) -> list[dict[str, str]]:
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return list(MARQUEE.api("/v1/audit?" + parameters).json()["entries"])

    def test_tells_who_did_what(self) -> None:
        browser = signed_in(ensure_account("auditor", "manager"))
        Browser().sign_in("auditor", "wrong password")
        campaign = {"id": "by-auditor", "name": "Fair"}
        self.assertEqual(browser.ask("POST", "/v1/campaigns?site=campus", campaign).status, 201)
        kept = browser.ask("GET", "/v1/campaigns/by-auditor?site=campus").json()
        self.assertEqual(kept["changed_by"], "auditor")
        mine = [entry["what"] for entry in self.entries(actor="auditor")]
        self.assertTrue(any(what.startswith("signed in by password, from 127.0.0.1") for what in mine), mine)
        self.assertTrue(any("campaign by-auditor of site campus made" in what for what in mine), mine)
        refused = [entry["what"] for entry in self.entries(actor="sign-in")]
        self.assertTrue(any("sign-in as auditor refused, from 127.0.0.1" in what for what in refused), refused)
        printed = MARQUEE.run("accounts", "audit", "--actor", "auditor").stdout
        self.assertIn("campaign by-auditor", printed)

    def test_an_unknown_name_is_not_written_down(self) -> None:
        Browser().sign_in("my-secret-in-the-wrong-field", "wrong password")
        self.assertNotIn("my-secret", json.dumps(self.entries(limit="1000")))

    def test_pages_join_without_gap(self) -> None:
        for _ in range(5):
            signed_in("admin-1")
        everything = self.entries(limit="1000")
        paged: list[dict[str, str]] = []
        before = ""
        while page := self.entries(limit="7", **({"before": before} if before else {})):
            paged += page
            before = page[-1]["time"]
        self.assertEqual(paged, everything)


class CommandTest(unittest.TestCase):
    def test_accounts_from_the_command_line(self) -> None:
        ensure_account("admin-1", "admin")
        self.assertEqual(MARQUEE.run("accounts", "add", "cli", stdin=PASSWORD + "\n").returncode, 0)
        listed = MARQUEE.run("accounts", "list", "--format", "json").stdout
        accounts = {one["name"]: one for one in json.loads(listed)["accounts"]}
        self.assertEqual(accounts["cli"]["role"], "viewer")
        self.assertEqual(MARQUEE.run("accounts", "remove", "cli").returncode, 0)
        for arguments, message in [(("remove", "cli"), "there is no account"), (("role", "cli", "admin"), "there is no account")]:
            failed = MARQUEE.run("accounts", *arguments, check=False)
            self.assertEqual(failed.returncode, 1)
            self.assertIn(message, failed.stderr)


if __name__ == "__main__":
    unittest.main()
