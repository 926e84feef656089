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
  std::string store_url;
  std::string store_user = "default";
  std::string store_password;
  std::uint64_t store_port = 8123;
  std::string store_engine;
  std::uint64_t store_hang_ms = 60'000;
  std::string log_kind = "local";
  std::uint64_t log_partitions = 1;
  std::uint64_t log_max_bytes = std::uint64_t{8} << 30;
  std::uint64_t log_min_free_disk_bytes = std::uint64_t{1} << 30;
  std::uint64_t log_keep_confirmed_ms = 15 * 60 * 1000;
  std::uint64_t collector_max_body_bytes = std::uint64_t{4} << 20;
  std::uint64_t collector_max_events = 10'000;
  double collector_key_events_per_second = 0;
  double collector_address_events_per_second = 0;
  std::uint64_t collector_max_event_age_ms = 30ULL * 86'400'000;
  std::uint64_t loader_batch_rows = 100'000;
  std::uint64_t loader_linger_ms = 10;
  std::uint64_t loader_identity_window = 2'000'000;
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

/// Writes `content` to `path` with mode 0600, atomically (temporary file and rename), fsynced.
[[nodiscard]] Result<void> write_private_file(const std::string& path, const std::string& content);

}  // namespace marquee::app
