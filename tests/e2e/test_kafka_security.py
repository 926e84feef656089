"""Marquee on a Kafka broker with TLS, passwords (SASL) and client certificates: what works, and what it says where it does not."""

from __future__ import annotations

import os
import subprocess
import time
import unittest

from tests.support.kafka import KafkaMarquee
from tests.support.ledger import impressions
from tests.support.marquee import BINARY, wait_until
from tests.support.secure_kafka import Authority, SecureCluster


class KafkaSecurityTest(unittest.TestCase):
    cluster: SecureCluster

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = SecureCluster()
        cls.enterClassContext(cls.cluster)

    def test_collect_load_and_migrate_work_by_each_way_to_say_who_calls(self) -> None:
        ways = {"password": self.cluster.sasl("PLAIN"), "certificate": self.cluster.certificate()}
        ways |= {name: self.cluster.sasl(name) for name in ("SCRAM-SHA-256", "SCRAM-SHA-512") if self.takes_scram(name)}
        with KafkaMarquee(self.cluster, ways["password"], partitions=len(ways), collectors=0, loaders=0) as marquee:
            for name, way in ways.items():
                checked = subprocess.run([BINARY, "migrate", "status"], env={**marquee.environment, **way}, capture_output=True, text=True,
                                         timeout=60)
                self.assertEqual(checked.returncode, 0, checked.stderr)
                marquee.collectors.append(marquee.add("collect", way))
                marquee.loaders.append(marquee.add("load", way))
            for name in ways:
                self.assertEqual(marquee.post_events(impressions(name, 100)).status, 200)
            # Each loader has a partition, and each collector's events are in all of them.
            wait_until(lambda: marquee.count("SELECT count() FROM marquee.events") == 100 * len(ways), 60, "every event to land")
            wait_until(lambda: len({p["loader"] for p in marquee.api("/v1/pipeline").json()["partitions"]}) == len(ways), 60,
                       "each loader to have a partition")
            self.assertEqual(marquee.count("SELECT uniqExact(session_id) FROM marquee.events"), len(ways))

    def takes_scram(self, mechanism: str) -> bool:
        """Whether the librdkafka here can do it with this Kafka; where not, that is what the message must say."""
        environment = {**self.environment(), **self.cluster.sasl(mechanism)}
        done = subprocess.run([BINARY, "migrate", "up", "--topics-only"], env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            self.assertIn("take SCRAM from librdkafka 2.6.1 on", done.stderr)
            print(f"{mechanism} is not possible with this librdkafka")
        return done.returncode == 0

    def environment(self) -> dict[str, str]:
        return {**{k: v for k, v in os.environ.items() if not k.startswith("MARQUEE_")}, "MARQUEE_LOG_KIND": "kafka",
                "MARQUEE_HTTP_PORT": "0", "MARQUEE_DATA_DIR": self.cluster.directory, "MARQUEE_STORE_URL": "http://127.0.0.1:1"}

    def refused(self, command: list[str], settings: dict[str, str]) -> str:
        """Runs a command that must end by itself, soon and with an error; what it said."""
        environment = {**self.environment(), **settings}
        began = time.monotonic()
        done = subprocess.run([BINARY, *command], env=environment, capture_output=True, text=True, timeout=60)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(done.returncode, 1, done.stderr)
        said = [line for line in done.stderr.splitlines() if line.startswith("marquee: ")]
        self.assertEqual(len(said), 1, done.stderr)
        return said[0]

    def test_a_wrong_password_ends_a_command_with_what_to_mend(self) -> None:
        for mechanism in ("PLAIN", "SCRAM-SHA-512"):
            for command in (["collect"], ["migrate", "up", "--topics-only"]):
                said = self.refused(command, self.cluster.sasl(mechanism, "wrong"))
                self.assertIn("kafka.sasl_password", said)
                self.assertIn("Authentication failed", said)

    def test_a_loader_with_a_wrong_password_ends_and_says_what_to_mend(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0, collectors=0) as marquee:
            loader = marquee.add_unready("load", self.cluster.sasl("SCRAM-SHA-256", "wrong"))
            assert loader.process is not None
            self.assertEqual(loader.process.wait(30), 1)
            self.assertIn("kafka.sasl_password", loader.log_tail())

    def test_a_certificate_that_nobody_trusts_ends_a_command_with_what_to_mend(self) -> None:
        stranger = Authority(self.cluster.directory, "stranger")
        said = self.refused(["collect"], {**self.cluster.sasl("PLAIN"), "MARQUEE_KAFKA_CA_FILE": stranger.certificate})
        self.assertIn("kafka.ca_file", said)
        self.assertIn("certificate verify failed", said)
        # The brokers do not know the client's.
        certificate, key = stranger.sign("client")
        said = self.refused(["collect"], {**self.cluster.certificate(), "MARQUEE_KAFKA_CERTIFICATE_FILE": certificate,
                                          "MARQUEE_KAFKA_KEY_FILE": key})
        self.assertIn("kafka.certificate_file", said)
        # The client has none.
        without = {k: v for k, v in self.cluster.certificate().items() if "CERTIFICATE" not in k and "KEY" not in k}
        self.assertIn("kafka.certificate_file", self.refused(["collect"], without))
        # A file that is not there.
        self.assertIn("ssl.ca.location", self.refused(["collect"], {**self.cluster.certificate(), "MARQUEE_KAFKA_CA_FILE": "/no-such-file"}))

    def test_a_collector_that_speaks_plain_text_to_a_safe_listener_says_so_while_it_waits(self) -> None:
        with KafkaMarquee(self.cluster, loaders=0, collectors=0) as marquee:
            log_path = os.path.join(marquee.data_dir, "plain.log")
            with open(log_path, "wb") as log:
                process = subprocess.Popen([BINARY, "collect"], stderr=log, env={
                    **marquee.environment, "MARQUEE_KAFKA_BROKERS": f"127.0.0.1:{self.cluster.sasl_port}"})
            try:
                def waits() -> bool:
                    with open(log_path) as log:
                        return any('"collect.waits"' in line and "security.protocol" in line for line in log)
                wait_until(waits, 30, "the collector to say why it waits")
            finally:
                process.kill()
                process.wait()


if __name__ == "__main__":
    unittest.main()
