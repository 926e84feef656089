#include "parts.h"

#include <fmt/format.h>

#include "marquee/kafka/topic_writer.h"
#include "marquee/log/local_log.h"
#include "store_access.h"

namespace marquee::app {
namespace {

/// An insert into replicated tables is of one partition, and waits for Keeper more than for the machine.
constexpr std::size_t kInsertersOfCluster = 4;
constexpr std::uint64_t kDecidersKeptMs = 60 * 60 * 1'000;  ///< A sign of life is looked at once.

/// "a=b,c=d"
std::map<std::string, std::string> pairs(const std::string& text) {
  std::map<std::string, std::string> all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::size_t equals = std::min(text.find('=', begin), end);
    if (end > begin)
      all[text.substr(begin, equals - begin)] = equals < end ? text.substr(equals + 1, end - equals - 1) : "";
    begin = end + 1;
  }
  return all;
}

/// The events' topic up to its last dot, and `name`.
std::string topic_beside_events(const Settings& settings, const std::string& name) {
  const std::string& topic = settings.kafka_topic;
  return topic.substr(0, topic.rfind('.') == std::string::npos ? 0 : topic.rfind('.') + 1) + name;
}

ingest::DeadLetterSink dead_letter_topic(const Settings& settings) {
  const auto writer = std::make_shared<kafka::TopicWriter>(
      kafka::TopicWriterOptions{.cluster = kafka_cluster(settings),
                                .topic = dead_letters_topic(settings),
                                .acknowledge = Millis(settings.kafka_acknowledge_ms)});
  return [writer](const std::vector<ingest::DeadLetter>& letters) {
    std::vector<kafka::Message> messages;
    messages.reserve(letters.size());
    for (const auto& letter : letters) {
      const auto partition = std::to_string(letter.partition);
      const auto offset = std::to_string(letter.offset);
      messages.push_back({.key = fmt::format("{}/{}/{}", letter.topic, partition, offset),
                          .value = letter.bytes,
                          .headers = {{"reason", letter.reason},
                                      {"source_topic", letter.topic},
                                      {"source_partition", partition},
                                      {"source_offset", offset}}});
    }
    return writer->write(messages);
  };
}

log::LocalLogOptions local_log_options(const Settings& settings) {
  log::LocalLogOptions options;
  options.directory = settings.data_dir + "/log";
  options.partitions = static_cast<log::Partition>(settings.log_partitions);
  options.max_bytes = settings.log_max_bytes;
  options.min_free_disk_bytes = settings.log_min_free_disk_bytes;
  options.keep_confirmed_ms = settings.log_keep_confirmed_ms;
  return options;
}

}  // namespace

std::string topic_of(const Settings& settings) { return settings.log_kind == "kafka" ? settings.kafka_topic : ""; }

const std::map<std::string, std::string>& built_in_sites() {
  static const std::map<std::string, std::string> sites = {
      {"open-bandit", "Open Bandit (sample)"}, {"moodle", "Moodle courses (sample)"}, {"campus", "Campus"}};
  return sites;
}

Result<void> require_kafka(const Settings& settings, std::string_view command) {
  if (settings.log_kind == "kafka") return {};
  return Error::reject(
      fmt::format("`marquee {}` shares a log with other processes: set log.kind to kafka (MARQUEE_LOG_KIND)", command));
}

kafka::Cluster kafka_cluster(const Settings& settings) {
  kafka::Cluster cluster{.brokers = settings.kafka_brokers, .properties = pairs(settings.kafka_properties)};
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) cluster.properties[name] = value;
  };
  set("security.protocol", settings.kafka_security == "plaintext" ? "" : settings.kafka_security);
  set("sasl.mechanism", settings.kafka_sasl_mechanism);
  set("sasl.username", settings.kafka_sasl_user);
  set("sasl.password", settings.kafka_sasl_password);
  set("ssl.ca.location", settings.kafka_ca_file);
  set("ssl.certificate.location", settings.kafka_certificate_file);
  set("ssl.key.location", settings.kafka_key_file);
  return cluster;
}

std::string dead_letters_topic(const Settings& settings) { return topic_beside_events(settings, "dead_letters"); }

std::string decisions_topic(const Settings& settings) { return topic_beside_events(settings, "decisions"); }
std::string deciders_topic(const Settings& settings) { return topic_beside_events(settings, "deciders"); }
std::string erasures_topic(const Settings& settings) { return topic_beside_events(settings, "erasures"); }

std::vector<kafka::TopicWish> topic_wishes(const Settings& settings) {
  const auto partitions = static_cast<std::uint32_t>(settings.kafka_partitions);
  const auto replication = static_cast<std::uint16_t>(settings.kafka_replication);
  const auto kept = [&](std::string name, std::uint32_t count) {
    return kafka::TopicWish{std::move(name), count, replication, false, settings.kafka_retention_ms};
  };
  const auto compacted = [&](std::string name) { return kafka::TopicWish{std::move(name), 1, replication, true, 0}; };
  const auto beside = [&](const char* name) { return topic_beside_events(settings, name); };
  return {kept(settings.kafka_topic, partitions),
          kept(dead_letters_topic(settings), 1),
          kept(decisions_topic(settings), partitions),
          compacted(beside("catalog")),
          compacted(beside("models")),
          compacted(erasures_topic(settings)),
          kafka::TopicWish{deciders_topic(settings), 1, replication, false, kDecidersKeptMs}};
}

kafka::KafkaLogOptions kafka_log_options(const Settings& settings, std::shared_ptr<metrics::Registry> metrics,
                                         std::function<void(const std::string&)> on_fatal) {
  if (metrics) {
    prometheus::BuildGauge()
        .Name("marquee_log_retention_seconds")
        .Help("How long the topic keeps events at least (kafka.retention)")
        .Register(*metrics)
        .Add({})
        .Set(static_cast<double>(settings.kafka_retention_ms) / 1'000);
  }
  kafka::KafkaLogOptions options;
  options.cluster = kafka_cluster(settings);
  options.topic = settings.kafka_topic;
  options.group = settings.kafka_group;
  options.instance = settings.kafka_instance;
  options.session = Millis(settings.kafka_session_ms);
  options.acknowledge = Millis(settings.kafka_acknowledge_ms);
  options.linger = Millis(settings.kafka_linger_ms);
  options.max_pending_bytes = settings.kafka_max_pending_bytes;
  options.on_fatal = std::move(on_fatal);
  options.metrics = std::move(metrics);
  return options;
}

Result<std::unique_ptr<log::EventLog>> open_event_log(const Settings& settings,
                                                      std::shared_ptr<metrics::Registry> metrics,
                                                      std::function<void(const std::string&)> on_fatal) {
  if (settings.log_kind != "kafka") {
    auto options = local_log_options(settings);
    options.metrics = std::move(metrics);
    return log::open_local_log(std::move(options));
  }
  return kafka::open_kafka_log(kafka_log_options(settings, std::move(metrics), std::move(on_fatal)));
}

Result<std::unique_ptr<catalog::Catalog>> open_catalog(const Settings& settings, const Secrets& secrets,
                                                       const std::string& actor) {
  auto catalog = catalog::Catalog::open(settings.data_dir + "/catalog.sqlite");
  if (!catalog) return catalog.error();
  for (const auto& [id, name] : built_in_sites()) {
    if (auto made = (*catalog)->ensure_site({.id = id, .name = name}, actor); !made) return made.error();
    if (auto put = (*catalog)->put_write_key(secrets.write_keys.at(id), id, /*is_trusted=*/true, actor); !put)
      return put.error();
  }
  if (auto put = (*catalog)->put_admin_token(secrets.admin_token, actor); !put) return put.error();
  return catalog;
}

ingest::CollectorOptions collector_options(const Settings& settings, const Secrets& secrets,
                                           std::shared_ptr<metrics::Registry> metrics) {
  return {.max_body_bytes = settings.collector_max_body_bytes,
          .max_events = settings.collector_max_events,
          .key_events_per_second = settings.collector_key_events_per_second,
          .address_events_per_second = settings.collector_address_events_per_second,
          .max_event_age_ms = settings.collector_max_event_age_ms,
          .hash_key = secrets.hash_key_bytes(),
          .clock = std::make_shared<SystemClock>(),
          .metrics = std::move(metrics)};
}

std::function<std::optional<ingest::WriteKey>(std::string_view)> key_finder(catalog::Catalog& catalog) {
  return [&catalog](std::string_view key) -> std::optional<ingest::WriteKey> {
    const auto owner = catalog.find_key(key);
    if (!owner) return std::nullopt;
    return ingest::WriteKey{.site_id = owner->site.id,
                            .allowed_origin = owner->site.allowed_origin,
                            .consent_required = owner->site.consent_required,
                            .trusted = owner->is_trusted};
  };
}

ingest::DeadLetterOptions dead_letter_options(const Settings& settings, const Secrets& secrets,
                                              catalog::Catalog& catalog) {
  return {.topic = topic_of(settings),
          .readers = {},
          .hash_key = secrets.hash_key_bytes(),
          .consent_required = [&catalog](std::string_view site_id) -> std::optional<bool> {
            const auto site = catalog.site(std::string(site_id));
            return site ? std::optional(site->consent_required) : std::nullopt;
          }};
}

ingest::LoaderOptions loader_options(const App& app, std::shared_ptr<metrics::Registry> metrics) {
  const Settings& settings = app.settings();
  ingest::LoaderOptions options;
  options.max_batch_rows = settings.loader_batch_rows;
  options.linger_ms = settings.loader_linger_ms;
  options.identity_window = settings.loader_identity_window;
  options.metrics = std::move(metrics);
  options.topic = topic_of(settings);
  if (!settings.store_cluster.empty()) {
    options.replicated = true;
    options.insert_quorum = settings.store_insert_quorum;
    options.inserters = kInsertersOfCluster;
  }
  if (settings.log_kind == "kafka") options.dead_letter_sink = dead_letter_topic(settings);
  // With Kafka the store is not this machine's, or not for long: its power losses are its replicas' matter.
  if (settings.log_kind != "kafka") options.directory = loader_directory(app);
  return options;
}

api::PipelineContext pipeline_context(const Settings& settings) {
  return {.log_kind = settings.log_kind, .topic = topic_of(settings), .max_batch_rows = settings.loader_batch_rows};
}

notify::NotifierOptions notifier_options(const Settings& settings, const Secrets& secrets,
                                         std::shared_ptr<metrics::Registry> metrics) {
  notify::NotifierOptions options;
  options.webhook = {.allows_private = settings.webhooks_allow_private,
                     .ca_file = settings.webhooks_ca_file,
                     .timeout = Millis(settings.webhooks_timeout_ms),
                     .agent = "Marquee/" MARQUEE_VERSION};
  options.backoff.first = Millis(settings.webhooks_retry_ms);
  options.max_tries = static_cast<int>(settings.webhooks_max_tries);
  options.max_failures = static_cast<int>(settings.webhooks_max_failures);
  options.secret_root = secrets.webhook_key;
  options.metrics = std::move(metrics);
  return options;
}

http::ServerOptions server_options(const Settings& settings) {
  http::ServerOptions options;
  options.address = settings.http_listen;
  options.port = static_cast<std::uint16_t>(settings.http_port);
  options.io_threads = static_cast<unsigned>(settings.http_io_threads);
  options.max_body_bytes = settings.collector_max_body_bytes;
  return options;
}

void add_probes(http::Router& router, std::function<std::string()> not_ready,
                std::shared_ptr<metrics::Registry> metrics) {
  router.add("GET", "/healthz", [](const http::Request&, http::Responder responder) {
    responder.send(http::Response::text(200, "ok\n"));
  });
  router.add("GET", "/readyz", [not_ready = std::move(not_ready)](const http::Request&, http::Responder responder) {
    const std::string waiting_for = not_ready();
    responder.send(waiting_for.empty() ? http::Response::text(200, "ready\n")
                                       : http::Response::text(503, waiting_for + "\n"));
  });
  router.add_blocking("GET", "/metrics", [metrics = std::move(metrics)](const http::Request&) {
    auto response = http::Response::text(200, metrics::render(*metrics));
    response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return response;
  });
}

std::string local_url(const std::string& address, std::uint16_t port) {
  if (address == "0.0.0.0" || address == "::") return fmt::format("http://127.0.0.1:{}", port);
  const bool is_v6 = address.find(':') != std::string::npos;
  return fmt::format("http://{0}{1}{2}:{3}", is_v6 ? "[" : "", address, is_v6 ? "]" : "", port);
}

http::ClientOptions store_connections(const Settings& settings) {
  return {.lost_after_ms = settings.store_lost_after_ms};
}

}  // namespace marquee::app
