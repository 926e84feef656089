#include "handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "marquee/base/logging.h"

namespace marquee::kafka {
namespace {

constexpr Millis kShortestQuestion{1'000};  // A broker under load must be able to answer one.
constexpr int kScramFixed = 0x020601ff;     // Before, it sent its nonce twice (librdkafka pull request 4895).
constexpr Millis kHandshakesMayFailFor{2'000};

void log_line(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int kWarning = 4;
  constexpr int kNotice = 5;
  if (level <= kWarning)
    logging::warn("kafka.client", {{"facility", facility}, {"text", text}});
  else if (level == kNotice)
    logging::info("kafka.client", {{"facility", facility}, {"text", text}});
}

}  // namespace

Result<Configuration> configuration(const Cluster& cluster, const std::map<std::string, std::string>& own) {
  Configuration made(rd_kafka_conf_new());
  std::map<std::string, std::string> all = {
      {"bootstrap.servers", cluster.brokers}, {"client.id", cluster.client_id},
      {"log.connection.close", "false"},      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},   {"topic.metadata.refresh.interval.ms", "30000"},
      {"socket.timeout.ms", "10000"},         {"socket.nagle.disable", "true"}};
  for (const auto& [name, value] : cluster.properties) all[name] = value;
  for (const auto& [name, value] : own) all[name] = value;
  std::array<char, 512> why{};
  for (const auto& [name, value] : all) {
    if (rd_kafka_conf_set(made.get(), name.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
      return Error::reject(fmt::format("Kafka client property {}: {}", name, why.data()));
  }
  rd_kafka_conf_set_log_cb(made.get(), log_line);
  return made;
}

Result<Handle> make_client(rd_kafka_type_t type, Configuration configuration) {
  std::array<char, 512> why{};
  Handle handle(rd_kafka_new(type, configuration.get(), why.data(), why.size()));
  if (!handle) return Error::reject(fmt::format("cannot make a Kafka client: {}", why.data()));
  static_cast<void>(configuration.release());  // The client has it now.
  return handle;
}

Result<std::unique_ptr<Inquirer>> Inquirer::open(const Cluster& cluster) {
  // A broker that closes the connection at once says by it that it wants another kind of connection.
  auto conf = configuration(cluster, {{"log.connection.close", "true"}});
  if (!conf) return conf.error();
  std::unique_ptr<Inquirer> inquirer(new Inquirer(cluster));
  rd_kafka_conf_set_opaque(conf->get(), inquirer.get());
  rd_kafka_conf_set_error_cb(conf->get(), on_error);
  auto handle = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return handle.error();
  inquirer->handle_ = std::move(*handle);
  return inquirer;
}

void Inquirer::on_error(rd_kafka_t*, int code, const char* text, void* self) {
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;  // Says nothing of why.
  auto& inquirer = *static_cast<Inquirer*>(self);
  inquirer.last_text_ = text;
  // Since TLS 1.3 a broker refuses the client's certificate after the handshake: librdkafka calls that a failed
  // receive.
  const bool is_tls = inquirer.last_text_.find("SSL routines") != std::string::npos;
  inquirer.last_error_ = is_tls ? RD_KAFKA_RESP_ERR__SSL : static_cast<rd_kafka_resp_err_t>(code);
}

Result<Inquirer::Metadata> Inquirer::metadata(const char* topic, Millis wait) {
  const Topic one(topic == nullptr ? nullptr : rd_kafka_topic_new(handle_.get(), topic, nullptr));
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const auto passed = std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code =
        rd_kafka_metadata(handle_.get(), one ? 0 : 1, one.get(), &metadata,
                          to_timeout(std::clamp(wait - passed, Millis(1), std::max(wait / 4, kShortestQuestion))));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Metadata(metadata);
    rd_kafka_poll(handle_.get(), 0);  // Calls on_error.
    // A handshake that breaks off may be a broker that just went; one that keeps breaking off is not.
    const bool is_refused = last_error_ == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                            (last_error_ == RD_KAFKA_RESP_ERR__SSL && passed >= std::min(wait, kHandshakesMayFailFor));
    if (is_refused) return Error::reject(refusal());
    if (passed >= wait)
      return Error::retry(fmt::format("Kafka at {} does not answer: {}", cluster_.brokers,
                                      last_text_.empty() ? rd_kafka_err2str(code) : last_text_));
  }
}

std::string Inquirer::refusal() const {
  if (last_error_ == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    const auto mechanism = cluster_.properties.find("sasl.mechanism");
    const bool is_scram = mechanism != cluster_.properties.end() && mechanism->second.starts_with("SCRAM");
    return fmt::format(
        "Kafka at {} refuses this client: {}; check kafka.sasl_user, kafka.sasl_password and kafka.sasl_mechanism{}",
        cluster_.brokers, last_text_,
        is_scram && rd_kafka_version() < kScramFixed
            ? fmt::format(
                  " (brokers from Kafka 4 on take SCRAM from librdkafka 2.6.1 on, and this is {}: use PLAIN over "
                  "TLS, or a client certificate)",
                  rd_kafka_version_str())
            : "");
  }
  return fmt::format(
      "no safe connection to Kafka at {}: {}; check kafka.security, kafka.ca_file (who signed the brokers' "
      "certificates), kafka.certificate_file and kafka.key_file (if the brokers ask for one)",
      cluster_.brokers, last_text_);
}

Error error_of(rd_kafka_resp_err_t code, const std::string& what) {
  std::string message = fmt::format("{}: {}", what, rd_kafka_err2str(code));
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return Error::reject(std::move(message));
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return Error::give_up(std::move(message));
    default:
      return Error::retry(std::move(message));
  }
}

}  // namespace marquee::kafka
