// bench_produce BROKERS TOPIC [RATE]: sends each line of standard input as a message, RATE a second (0, the default: as
// fast as the broker takes them), and at the end prints how many the broker has acknowledged; fails unless it is all of
// them. What fills the topics of bench/kafka.py's peers, as an application's own producer would.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "handle.h"

namespace {

using namespace marquee;

struct Count {
  std::uint64_t sent = 0, acknowledged = 0;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* count) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++static_cast<Count*>(count)->acknowledged;
}

/// False where librdkafka does not take it.
bool send(rd_kafka_t* client, rd_kafka_topic_t* topic, std::string& line) {
  while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, line.data(), line.size(), nullptr, 0,
                          nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    (void)rd_kafka_poll(client, 10);
  }
  return true;
}

int run(const std::string& brokers, const std::string& topic_name, double rate) {
  kafka::Cluster cluster;
  cluster.brokers = brokers;
  auto conf = kafka::configuration(cluster, {{"enable.idempotence", "true"},
                                             {"compression.codec", "lz4"},
                                             {"linger.ms", "2"},
                                             {"batch.num.messages", "100000"}});
  if (!conf) return 1;
  Count count;
  rd_kafka_conf_set_opaque(conf->get(), &count);
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  const auto client = kafka::make_client(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!client) return 1;
  const kafka::Topic topic(rd_kafka_topic_new(client->get(), topic_name.c_str(), nullptr));
  const auto began = std::chrono::steady_clock::now();
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!send(client->get(), topic.get(), line)) return 1;
    ++count.sent;
    (void)rd_kafka_poll(client->get(), 0);
    if (rate <= 0) continue;
    const auto due = began + std::chrono::duration<double>(static_cast<double>(count.sent) / rate);
    if (due > std::chrono::steady_clock::now() + std::chrono::milliseconds(1)) std::this_thread::sleep_until(due);
  }
  (void)rd_kafka_flush(client->get(), 60'000);
  fmt::print("{}\n", count.acknowledged);
  return count.acknowledged == count.sent ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fmt::print(stderr, "usage: bench_produce BROKERS TOPIC [RATE]\n");
    return 2;
  }
  std::ios::sync_with_stdio(false);
  return run(argv[1], argv[2], argc == 4 ? std::strtod(argv[3], nullptr) : 0);
}
