"""A Kafka broker that asks who calls (SASL over TLS, or a client certificate), with certificates made for the test."""

from __future__ import annotations

import os
import pathlib
import subprocess

from tests.support.kafka import Cluster
from tests.support.ports import free_port

USER = "marquee"
PASSWORD = "correct-horse"


class Authority:
    """Signs certificates; keys and certificates are PEM files in `directory`."""

    def __init__(self, directory: str, name: str) -> None:
        self._directory, self._name = directory, name
        self._run("req", "-x509", *self._new_key(name), "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}",
                  "-addext", "basicConstraints=critical,CA:TRUE")

    @property
    def certificate(self) -> str:
        return self._path(self._name + ".pem")

    def sign(self, name: str) -> tuple[str, str]:
        """A certificate for `name` at 127.0.0.1: paths of the certificate and of its key."""
        key, certificate, wish, extensions = (self._path(f"{self._name}-{name}.{kind}") for kind in ("key", "pem", "csr", "ext"))
        pathlib.Path(extensions).write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
        self._run("req", *self._new_key(f"{self._name}-{name}"), "-out", wish, "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", wish, "-CA", self.certificate, "-CAkey", self._path(self._name + ".key"), "-CAcreateserial",
                  "-out", certificate, "-days", "2", "-extfile", extensions)
        return certificate, key

    def _new_key(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._path(name + ".key")]

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    @staticmethod
    def _run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class SecureCluster(Cluster):
    """One broker with three listeners: plain text (for itself), SASL_SSL, and SSL that demands a client certificate."""

    def __init__(self) -> None:
        super().__init__()
        self.sasl_port, self.ssl_port = free_port(), free_port()
        self.authority = Authority(self.directory, "authority")
        self.client_certificate, self.client_key = self.authority.sign("client")
        certificate, key = self.authority.sign("broker")
        store = os.path.join(self.directory, "broker-store.pem")
        pathlib.Path(store).write_text(pathlib.Path(key).read_text() + pathlib.Path(certificate).read_text())
        plain, scram = ("org.apache.kafka.common.security." + module for module in ("plain.PlainLoginModule", "scram.ScramLoginModule"))
        outer = f"PLAINTEXT://127.0.0.1:{self.ports[0]},SASL_SSL://127.0.0.1:{self.sasl_port},SSL://127.0.0.1:{self.ssl_port}"
        properties = os.path.join(self.directory, "secure.properties")
        pathlib.Path(properties).write_text(f"""
listeners={outer},CONTROLLER://127.0.0.1:{self._controllers[0]}
advertised.listeners={outer}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={self.authority.certificate}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={plain} required user_{USER}="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={scram} required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram} required;
""")
        self.environment = {
            "MARQUEE_KAFKA_PROPERTIES": properties,
            "MARQUEE_KAFKA_SCRAM": " ".join(f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]" for bits in (256, 512))}

    def sasl(self, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
        """Settings of a Marquee that calls with user and password."""
        return {"MARQUEE_KAFKA_BROKERS": f"127.0.0.1:{self.sasl_port}", "MARQUEE_KAFKA_SECURITY": "sasl_ssl",
                "MARQUEE_KAFKA_SASL_MECHANISM": mechanism, "MARQUEE_KAFKA_SASL_USER": USER, "MARQUEE_KAFKA_SASL_PASSWORD": password,
                "MARQUEE_KAFKA_CA_FILE": self.authority.certificate}

    def certificate(self) -> dict[str, str]:
        """Settings of a Marquee that calls with a certificate."""
        return {"MARQUEE_KAFKA_BROKERS": f"127.0.0.1:{self.ssl_port}", "MARQUEE_KAFKA_SECURITY": "ssl",
                "MARQUEE_KAFKA_CA_FILE": self.authority.certificate, "MARQUEE_KAFKA_CERTIFICATE_FILE": self.client_certificate,
                "MARQUEE_KAFKA_KEY_FILE": self.client_key}
