// What every subcommand of `marquee` shares: the configuration, and how to find a Marquee that runs on this machine.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "marquee/base/config.h"
#include "marquee/base/result.h"

namespace marquee::app {

/// Every configuration key as a typed value; see settings.cpp for the descriptions and bounds.
struct Settings {
  std::string data_dir = "var";
  std::string http_listen = "127.0.0.1";
  std::uint64_t http_port = 8080;
  std::uint64_t http_io_threads = 2;
  std::string http_console_dir;
  std::string http_sdk_dir;
  std::string store_url;
  std::string store_user = "default";
  std::string store_password;
  std::string store_reader_user;
  std::string store_reader_password;
  std::uint64_t sql_timeout_ms = 30'000;
  std::string store_listen = "127.0.0.1";
  std::string store_cluster;
  std::string store_insert_quorum = "auto";
  std::uint64_t store_port = 8123;
  std::string store_engine;
  std::uint64_t store_hang_ms = 60'000;
  std::uint64_t store_lost_after_ms = 30'000;
  std::string log_kind = "local";
  std::uint64_t log_partitions = 1;
  std::uint64_t log_max_bytes = std::uint64_t{8} << 30;
  std::uint64_t log_min_free_disk_bytes = std::uint64_t{1} << 30;
  std::uint64_t log_keep_confirmed_ms = 15 * 60 * 1000;
  std::string kafka_brokers = "127.0.0.1:9092";
  std::string kafka_topic = "marquee.events";
  std::string kafka_group = "marquee-loader";
  std::string kafka_instance;
  std::uint64_t kafka_partitions = 8;
  std::uint64_t kafka_replication = 1;
  std::uint64_t kafka_retention_ms = 7ULL * 86'400'000;
  std::uint64_t kafka_session_ms = 10'000;
  std::uint64_t kafka_acknowledge_ms = 10'000;
  std::uint64_t kafka_linger_ms = 2;
  std::uint64_t kafka_max_pending_bytes = std::uint64_t{128} << 20;
  std::string kafka_security = "plaintext";
  std::string kafka_sasl_mechanism;
  std::string kafka_sasl_user;
  std::string kafka_sasl_password;
  std::string kafka_ca_file;
  std::string kafka_certificate_file;
  std::string kafka_key_file;
  std::string kafka_properties;
  std::uint64_t spill_max_bytes = 0;
  std::string spill_directory;
  std::uint64_t spill_after_ms = 2'000;
  std::string feeds_file;
  std::uint64_t feeds_transaction_ms = 10'000;
  std::uint64_t drain_notice_ms = 0;
  std::uint64_t drain_limit_ms = 30'000;
  bool serve_collect = true;
  bool serve_load = true;
  std::uint64_t collector_max_body_bytes = std::uint64_t{4} << 20;
  std::uint64_t collector_max_events = 10'000;
  double collector_key_events_per_second = 0;
  double collector_address_events_per_second = 0;
  std::uint64_t collector_max_event_age_ms = 30ULL * 86'400'000;
  std::uint64_t loader_batch_rows = 100'000;
  std::uint64_t loader_linger_ms = 10;
  std::uint64_t loader_identity_window = 2'000'000;
  std::string decisions_policy = "learned";
  std::string decisions_auction = "none";
  std::uint64_t decisions_click_window_ms = 120'000;
  std::uint64_t decisions_publish_every_ms = 1'000;
  std::uint64_t decisions_sync_behind_ms = 0;
  std::uint64_t decisions_log_within_ms = 1'000;
  double decisions_address_requests_per_second = 0;
  double decisions_uniform_share = 0.02;
  std::uint64_t decisions_compare_for_ms = 3'600'000;
  std::uint64_t segments_refresh_ms = 60'000;
  bool journeys_enabled = true;
  std::uint64_t journeys_refresh_ms = 60'000;
  std::string sign_in_public_url;
  std::uint64_t sign_in_idle_ms = 12ULL * 3'600'000;
  std::uint64_t sign_in_lifetime_ms = 7ULL * 86'400'000;
  std::string sign_in_oidc_issuer;
  std::string sign_in_oidc_name = "your organization";
  std::string sign_in_oidc_client_id = "marquee";
  std::string sign_in_oidc_client_secret;
  std::string sign_in_oidc_scopes = "openid profile email";
  std::string sign_in_oidc_name_claim = "preferred_username";
  std::string sign_in_oidc_role_claim = "groups";
  std::string sign_in_oidc_roles;
  std::string sign_in_oidc_default_role = "none";
  std::string sign_in_oidc_ca_file;
  bool profiles_enabled = true;
  std::uint64_t profiles_capacity = 1'048'576;
  std::uint64_t profiles_snapshot_ms = 300'000;
  std::uint64_t profiles_clusters_ms = 3'600'000;
  std::uint64_t retention_events_ms = 0;
  std::string retention_kinds;
  std::uint64_t retention_decisions_ms = 0;
  std::uint64_t retention_dead_letters_ms = 0;
  bool demo_enabled = false;
  std::string demo_dir;
  bool webhooks_allow_private = false;
  std::string webhooks_ca_file;
  std::uint64_t webhooks_timeout_ms = 15'000;
  std::uint64_t webhooks_retry_ms = 5'000;
  std::uint64_t webhooks_max_tries = 8;
  std::uint64_t webhooks_max_failures = 5;
  std::string logging_level = "info";
  std::string logging_format = "json";
};

/// Binds `settings` to `schema`; both must outlive it.
void bind(Settings& settings, config::Schema& schema);

/// A Marquee that runs on this machine, as `marquee serve` describes itself in <data_dir>/runtime.json (mode 0600).
struct Running {
  std::int64_t pid = 0;
  std::string http_url;     ///< "http://127.0.0.1:8080"
  std::string admin_token;  ///< For the JSON API: Authorization: Bearer.
  std::string store_url;    ///< "http://127.0.0.1:8123"
  std::string store_user;
  std::string store_password;
  std::string reader_user;  ///< Read-only user of the store, for `marquee query`.
  std::string reader_password;
  std::map<std::string, std::string> write_keys;  ///< Trusted write key of each site, for importers.
};

/// Configuration and discovery. Not thread safe; lives in main.
class App {
 public:
  App();

  /// Reads `config_file` (empty: marquee.yaml in the working directory if there is one) and MARQUEE_* variables.
  [[nodiscard]] Result<void> load(const std::string& config_file);

  /// The running Marquee of this data directory. Action::reject with what to do where none runs.
  [[nodiscard]] Result<Running> running() const;

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Settings& settings() { return settings_; }
  [[nodiscard]] const config::Schema& schema() const { return schema_; }

  [[nodiscard]] std::string runtime_file() const { return settings_.data_dir + "/runtime.json"; }

  /// Set by a subcommand's callback; the exit status of the process.
  int exit_code = 0;

 private:
  Settings settings_;
  config::Schema schema_;
};

/// Directory of the running executable.
[[nodiscard]] std::string executable_directory();

/// The marquee-store to run: MARQUEE_STORE_BIN, or the one beside this executable.
[[nodiscard]] std::string store_binary();

/// Prints "marquee: <message>" on stderr; the exit status 1.
int fail(const Error& error);

/// Writes `content` to `path` with mode 0600, atomically (temporary file and rename), fsynced.
[[nodiscard]] Result<void> write_private_file(const std::string& path, const std::string& content);

}  // namespace marquee::app
