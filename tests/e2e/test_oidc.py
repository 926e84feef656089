"""Signing in by OpenID Connect at a real provider (oidc-provider, tests/oidc), the way a browser goes: every redirect, form and cookie."""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import subprocess
import unittest
import urllib.parse

from tests.support.marquee import ROOT, Answer, Marquee
from tests.support.ports import free_port

PROVIDER = ROOT / "tests/oidc"


def install_provider() -> None:
    if not (PROVIDER / "node_modules/oidc-provider").is_dir():
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PROVIDER, check=True)


class Traveller:
    """A browser's cookies, by host and port, over redirects and forms."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, tuple[str, str]]] = {}
        self.visited: list[str] = []

    def ask(self, method: str, url: str, body: str = "") -> Answer:
        parts = urllib.parse.urlsplit(url)
        held = self.cookies.setdefault(parts.netloc, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, (value, path) in held.items() if parts.path.startswith(path))}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        connection.request(method, (parts.path or "/") + ("?" + parts.query if parts.query else ""), body or None, headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            path = re.search(r"; ?path=([^;]+)", cookie, re.I)
            if value:
                held[name] = (value, path[1] if path else "/")
            else:
                held.pop(name, None)
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def go(self, url: str, method: str = "GET", body: str = "", until: str = "") -> Answer:
        """Follows redirects; stops before an address that contains `until`."""
        for _ in range(20):
            self.visited.append(url)
            answer = self.ask(method, url, body)
            if answer.status not in (302, 303):
                return answer
            url, method, body = urllib.parse.urljoin(url, answer.headers["location"]), "GET", ""
            if until and until in url:
                self.visited.append(url)
                return answer
        raise AssertionError(f"went in circles: {self.visited}")

    def sign_in(self, start: str, login: str, until: str = "") -> Answer:
        """Through the provider's own pages: its sign-in form, then its consent."""
        answer = self.go(start, until=until)
        for _ in range(3):
            page = answer.body.decode()
            form = re.search(r'<form[^>]+action="([^"]+)"', page)
            if form is None or answer.status in (302, 303):
                return answer
            fields = dict(re.findall(r'<input[^>]+name="([^"]+)"[^>]+value="([^"]*)"', page))
            if 'name="login"' in page:
                fields |= {"login": login, "password": "anything"}
            answer = self.go(urllib.parse.urljoin(self.visited[-1], html.unescape(form[1])), "POST", urllib.parse.urlencode(fields), until)
        return answer


class OidcTest(unittest.TestCase):
    """A client with a secret, whose tokens are signed by RS256."""

    CLIENT = {"MARQUEE_SIGN_IN_OIDC_CLIENT_ID": "marquee", "MARQUEE_SIGN_IN_OIDC_CLIENT_SECRET": "se cret+/&"}

    @classmethod
    def setUpClass(cls) -> None:
        install_provider()
        port = free_port()
        cls.provider = subprocess.Popen(["node", "provider.mjs"], cwd=PROVIDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env={**os.environ, "REDIRECT_URI": f"http://127.0.0.1:{port}/v1/session/oidc/callback"})
        assert cls.provider.stdout is not None
        cls.issuer = cls.provider.stdout.readline().strip()
        cls.marquee = Marquee({**cls.CLIENT, "MARQUEE_HTTP_PORT": str(port), "MARQUEE_SIGN_IN_OIDC_ISSUER": cls.issuer,
                               "MARQUEE_SIGN_IN_OIDC_NAME": "Campus", "MARQUEE_SIGN_IN_OIDC_SCOPES": "openid profile email groups",
                               "MARQUEE_SIGN_IN_OIDC_ROLES": "admins=admin,editors=manager"})
        cls.marquee.start()
        cls.start = cls.marquee.url + "/v1/session/oidc?to=/ctr%3Fsite%3Dcampus"
        # The first account is an admin.
        Traveller().sign_in(cls.start, "admins-root")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.marquee.__exit__(None, None, None)
        cls.provider.terminate()
        cls.provider.wait(10)
        if cls.provider.stdout is not None:
            cls.provider.stdout.close()

    def session(self, traveller: Traveller) -> dict[str, object]:
        return dict(traveller.ask("GET", self.marquee.url + "/v1/session").json())

    def refusals(self) -> str:
        return json.dumps(self.marquee.api("/v1/audit?actor=sign-in").json())

    def test_signs_in_with_the_role_of_the_claim_and_goes_where_it_was_going(self) -> None:
        traveller = Traveller()
        traveller.sign_in(self.start, "editors-ravi")
        self.assertTrue(traveller.visited[-1].endswith("/ctr?site=campus"), traveller.visited)
        told = self.session(traveller)
        self.assertEqual((told["name"], told["role"], told["has_password"]), ("editors-ravi", "manager", False))
        accounts = {one["name"]: one for one in self.marquee.api("/v1/accounts").json()["accounts"]}
        self.assertEqual(accounts["editors-ravi"]["by"], "oidc")
        asked = next(url for url in traveller.visited if url.startswith(self.issuer + "/auth"))
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(asked).query))
        self.assertEqual((query["response_type"], query["code_challenge_method"]), ("code", "S256"))
        self.assertTrue(all(len(query[name]) >= 43 for name in ("state", "nonce", "code_challenge")))

    def test_the_same_person_has_the_same_account_again(self) -> None:
        for _ in range(2):
            traveller = Traveller()
            traveller.sign_in(self.start, "editors-again")
            self.assertEqual(self.session(traveller)["name"], "editors-again")
        names = [one["name"] for one in self.marquee.api("/v1/accounts").json()["accounts"]]
        self.assertEqual(names.count("editors-again"), 1)

    def test_without_a_role_nobody_is_let_in_and_the_log_says_why(self) -> None:
        traveller = Traveller()
        traveller.sign_in(self.start, "others-eve", until="sign-in=failed")
        self.assertTrue(traveller.visited[-1].endswith("#sign-in=failed"), traveller.visited)
        self.assertFalse(self.session(traveller)["is_signed_in"])
        self.assertIn("the claim groups gives no role", self.refusals())

    def test_a_name_of_a_local_account_is_not_taken_over(self) -> None:
        made = self.marquee.api("/v1/accounts", "POST", {"name": "admins-local", "role": "viewer", "password": "correct horse battery"})
        self.assertEqual(made.status, 201)
        traveller = Traveller()
        traveller.sign_in(self.start, "admins-local", until="sign-in=failed")
        self.assertFalse(self.session(traveller)["is_signed_in"])
        self.assertIn("there is an account admins-local already", self.refusals())

    def callback(self, login: str) -> tuple[Traveller, str]:
        """Up to the address that the provider sends the browser back to, which is not opened."""
        traveller = Traveller()
        traveller.sign_in(self.start, login, until="/v1/session/oidc/callback")
        return traveller, traveller.visited[-1]

    def refused(self, traveller: Traveller, url: str, why: str) -> None:
        answer = traveller.ask("GET", url)
        self.assertEqual((answer.status, answer.headers["location"].split("#")[1]), (302, "sign-in=failed"))
        self.assertFalse(self.session(traveller)["is_signed_in"])
        self.assertIn(why, self.refusals())

    def test_an_answer_holds_once_and_in_the_browser_that_asked(self) -> None:
        traveller, url = self.callback("editors-once")
        self.refused(Traveller(), url, "begun in another browser")
        self.assertEqual(traveller.ask("GET", url).headers["location"], "/ctr?site=campus")
        self.assertTrue(self.session(traveller)["is_signed_in"])
        other = Traveller()
        other.cookies = {host: dict(held) for host, held in traveller.cookies.items()}
        other.cookies[urllib.parse.urlsplit(self.marquee.url).netloc] = {
            name: value for name, value in traveller.cookies[urllib.parse.urlsplit(self.marquee.url).netloc].items() if name == "marquee_oidc"}
        self.refused(other, url, "there is no such sign-in")

    def test_what_was_changed_on_the_way_is_refused(self) -> None:
        traveller, url = self.callback("editors-code")
        self.refused(traveller, re.sub(r"code=[^&]+", "code=made-up", url), "the provider refused the code")
        traveller, url = self.callback("editors-state")
        self.refused(traveller, re.sub(r"state=[^&]+", "state=made-up", url), "there is no such sign-in")
        traveller, url = self.callback("editors-iss")
        self.refused(traveller, re.sub(r"iss=[^&]+", "iss=http%3A%2F%2Fevil.example", url), "of another issuer")

    def test_goes_nowhere_else_afterwards(self) -> None:
        for to in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
            traveller = Traveller()
            traveller.sign_in(self.marquee.url + "/v1/session/oidc?to=" + urllib.parse.quote(to, safe=""), "editors-to")
            self.assertEqual(urllib.parse.urlsplit(traveller.visited[-1]).netloc, urllib.parse.urlsplit(self.marquee.url).netloc)


class PublicClientTest(OidcTest):
    """A client without secret, by PKCE alone, whose tokens are signed by ES256."""

    CLIENT = {"MARQUEE_SIGN_IN_OIDC_CLIENT_ID": "marquee-public"}


class AwayTest(unittest.TestCase):
    def test_a_provider_that_is_away_is_told_and_keeps_nobody_waiting(self) -> None:
        with Marquee({"MARQUEE_SIGN_IN_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}", "MARQUEE_SIGN_IN_OIDC_DEFAULT_ROLE": "viewer"}) as marquee:
            traveller = Traveller()
            answer = traveller.ask("GET", marquee.url + "/v1/session/oidc")
            self.assertEqual((answer.status, answer.headers["location"]), (302, "/ctr#sign-in=failed"))

    def test_a_configuration_that_lets_nobody_in_is_refused_at_the_start(self) -> None:
        marquee = Marquee({"MARQUEE_SIGN_IN_OIDC_ISSUER": "http://127.0.0.1:1"})
        try:
            with self.assertRaisesRegex(AssertionError, "sign_in.oidc.roles"):
                marquee.start()
        finally:
            marquee.__exit__(None, None, None)


if __name__ == "__main__":
    unittest.main()
