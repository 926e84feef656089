// What the roles (serve, collect, load) are put together from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app.h"
#include "marquee/api/pipeline_json.h"
#include "marquee/base/metrics.h"
#include "marquee/catalog/catalog.h"
#include "marquee/http/client.h"
#include "marquee/http/server.h"
#include "marquee/ingest/collector.h"
#include "marquee/ingest/dead_letter_office.h"
#include "marquee/ingest/loader.h"
#include "marquee/kafka/kafka_log.h"
#include "marquee/kafka/topics.h"
#include "marquee/log/event_log.h"
#include "marquee/notify/notifier.h"
#include "secrets.h"

namespace marquee::app {

/// Sites that every Marquee has, by id.
[[nodiscard]] const std::map<std::string, std::string>& built_in_sites();

/// The log that the configuration names. `on_fatal` hears what ends a member of Kafka's group for good.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_event_log(
    const Settings& settings, std::shared_ptr<metrics::Registry> metrics,
    std::function<void(const std::string&)> on_fatal = nullptr);
[[nodiscard]] kafka::KafkaLogOptions kafka_log_options(const Settings& settings,
                                                       std::shared_ptr<metrics::Registry> metrics,
                                                       std::function<void(const std::string&)> on_fatal);
/// Action::reject unless log.kind is kafka.
[[nodiscard]] Result<void> require_kafka(const Settings& settings, std::string_view command);
[[nodiscard]] kafka::Cluster kafka_cluster(const Settings& settings);
/// Of the events; empty where the log is this machine's own.
[[nodiscard]] std::string topic_of(const Settings& settings);
[[nodiscard]] std::string dead_letters_topic(const Settings& settings);
[[nodiscard]] std::string decisions_topic(const Settings& settings);
/// In which deciders tell each other that they live.
[[nodiscard]] std::string deciders_topic(const Settings& settings);
/// In which all who keep something of users are told whom to forget.
[[nodiscard]] std::string erasures_topic(const Settings& settings);
/// Every topic that Marquee keeps; the events' first.
[[nodiscard]] std::vector<kafka::TopicWish> topic_wishes(const Settings& settings);

/// The catalog with the built-in sites and the secrets' keys in it.
[[nodiscard]] Result<std::unique_ptr<catalog::Catalog>> open_catalog(const Settings& settings, const Secrets& secrets,
                                                                     const std::string& actor);

[[nodiscard]] ingest::CollectorOptions collector_options(const Settings& settings, const Secrets& secrets,
                                                         std::shared_ptr<metrics::Registry> metrics);
/// `catalog` must outlive it.
[[nodiscard]] std::function<std::optional<ingest::WriteKey>(std::string_view)> key_finder(catalog::Catalog& catalog);
/// Whose events a dead letter may hold, and how they are read. `catalog` must outlive it.
[[nodiscard]] ingest::DeadLetterOptions dead_letter_options(const Settings& settings, const Secrets& secrets,
                                                            catalog::Catalog& catalog);
[[nodiscard]] ingest::LoaderOptions loader_options(const App& app, std::shared_ptr<metrics::Registry> metrics);
[[nodiscard]] api::PipelineContext pipeline_context(const Settings& settings);
[[nodiscard]] notify::NotifierOptions notifier_options(const Settings& settings, const Secrets& secrets,
                                                       std::shared_ptr<metrics::Registry> metrics);
[[nodiscard]] http::ServerOptions server_options(const Settings& settings);

/// /healthz, /readyz and /metrics of a role of its own. `not_ready` is empty once it is of use.
void add_probes(http::Router& router, std::function<std::string()> not_ready,
                std::shared_ptr<metrics::Registry> metrics);

/// The address at which this machine reaches a server that listens on `address`.
[[nodiscard]] std::string local_url(const std::string& address, std::uint16_t port);
/// How connections to the store are to behave.
[[nodiscard]] http::ClientOptions store_connections(const Settings& settings);

}  // namespace marquee::app
