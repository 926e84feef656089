#include "service.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "marquee/base/logging.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/log/local_log.h"
#include "store_access.h"

namespace marquee::app {
namespace {

using std::chrono::milliseconds;

constexpr const char* kReader = "reader";
constexpr std::uint64_t kFailedStarts = 3;  ///< In a row, before the store was ever there: it will not come.
constexpr auto kProbeEvery = milliseconds(20);

const std::map<std::string, std::string>& built_in_sites() {
  static const std::map<std::string, std::string> sites = {
      {"open-bandit", "Open Bandit (sample)"}, {"moodle", "Moodle courses (sample)"}, {"campus", "Campus"}};
  return sites;
}

/// A port that was free a moment ago.
Result<std::uint16_t> free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!is_bound) return Error::give_up("no port is free");
  return ntohs(address.sin_port);
}

std::string store_binary() {
  const char* chosen = std::getenv("MARQUEE_STORE_BIN");
  return chosen != nullptr ? std::string(chosen) : executable_directory() + "/marquee-store";
}

std::string console_directory(const Settings& settings) {
  if (!settings.http_console_dir.empty()) return settings.http_console_dir;
  // Beside the executable where it is installed; in a source tree, where the build puts it.
  const std::string beside = executable_directory() + "/../share/marquee/console";
  std::error_code ec;
  return std::filesystem::exists(beside, ec) ? beside : executable_directory() + "/../../../web/console/dist";
}

}  // namespace

Service::~Service() {
  stop();
  if (lock_ >= 0) ::close(lock_);
}

Result<void> Service::start() {
  for (const auto step : {&Service::lock_data, &Service::open_catalog, &Service::open_log, &Service::start_server,
                          &Service::start_store}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  if (auto written = write_runtime(); !written) return written;
  bring_up_ = std::thread([this] { bring_up(); });
  return {};
}

Result<void> Service::lock_data() {
  std::error_code ec;
  std::filesystem::create_directories(settings_.data_dir, ec);
  if (ec) return Error::give_up(fmt::format("cannot make the data directory {}: {}", settings_.data_dir, ec.message()));
  const std::string path = settings_.data_dir + "/marquee.lock";
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return Error::give_up(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  return Error::give_up(fmt::format(
      "another Marquee uses {}; stop it, or choose another data directory (MARQUEE_DATA_DIR)", settings_.data_dir));
}

Result<void> Service::open_catalog() {
  auto secrets = load_secrets(settings_.data_dir + "/secrets.json", built_in_sites());
  if (!secrets) return secrets.error();
  secrets_ = std::move(*secrets);
  auto catalog = catalog::Catalog::open(settings_.data_dir + "/catalog.sqlite");
  if (!catalog) return catalog.error();
  catalog_ = std::move(*catalog);
  for (const auto& [id, name] : built_in_sites()) {
    if (auto made = catalog_->ensure_site({.id = id, .name = name}, "serve"); !made) return made;
    if (auto put = catalog_->put_write_key(secrets_.write_keys.at(id), id, /*is_trusted=*/true, "serve"); !put)
      return put;
  }
  return catalog_->put_admin_token(secrets_.admin_token, "serve");
}

Result<void> Service::open_log() {
  log::LocalLogOptions options;
  options.directory = settings_.data_dir + "/log";
  options.partitions = static_cast<log::Partition>(settings_.log_partitions);
  options.max_bytes = settings_.log_max_bytes;
  options.min_free_disk_bytes = settings_.log_min_free_disk_bytes;
  options.keep_confirmed_ms = settings_.log_keep_confirmed_ms;
  options.metrics = metrics_;
  auto opened = log::open_local_log(std::move(options));
  if (!opened) return opened.error();
  log_ = std::move(*opened);
  return {};
}

ingest::CollectorOptions Service::collector_options() const {
  return {.max_body_bytes = settings_.collector_max_body_bytes,
          .max_events = settings_.collector_max_events,
          .key_events_per_second = settings_.collector_key_events_per_second,
          .address_events_per_second = settings_.collector_address_events_per_second,
          .max_event_age_ms = settings_.collector_max_event_age_ms,
          .hash_key = secrets_.hash_key_bytes(),
          .clock = std::make_shared<SystemClock>(),
          .metrics = metrics_};
}

Result<void> Service::start_server() {
  endpoint_ = {.url = settings_.store_url, .user = settings_.store_user, .password = settings_.store_password};
  if (settings_.store_url.empty()) {
    std::uint64_t port = settings_.store_port;
    if (port == 0) {
      const auto chosen = free_port();
      if (!chosen) return chosen.error();
      port = *chosen;
    }
    endpoint_ = {
        .url = fmt::format("http://127.0.0.1:{}", port), .user = "default", .password = secrets_.store_password};
  }
  loading_ = std::make_unique<clickhouse::Client>(endpoint_);
  answering_ = std::make_unique<clickhouse::Client>(endpoint_);
  probing_ = std::make_unique<clickhouse::Client>(
      endpoint_, http::ClientOptions{.connect_timeout_ms = 1'000, .timeout_ms = 1'000, .pool_size = 1});
  loader_ = std::make_unique<ingest::Loader>(ingest::LoaderOptions{.max_batch_rows = settings_.loader_batch_rows,
                                                                   .linger_ms = settings_.loader_linger_ms,
                                                                   .identity_window = settings_.loader_identity_window,
                                                                   .metrics = metrics_,
                                                                   .directory = loader_directory(app_)},
                                             *log_, *loading_);
  collector_ = std::make_unique<ingest::Collector>(
      collector_options(), *log_, [this](std::string_view key) -> std::optional<ingest::WriteKey> {
        const auto owner = catalog_->find_key(key);
        if (!owner) return std::nullopt;
        return ingest::WriteKey{.site_id = owner->site.id,
                                .allowed_origin = owner->site.allowed_origin,
                                .consent_required = owner->site.consent_required,
                                .trusted = owner->is_trusted};
      });
  api_ = std::make_unique<api::Api>(api::ApiOptions{.version = MARQUEE_VERSION,
                                                    .console_dir = console_directory(settings_),
                                                    .metrics = metrics_,
                                                    .not_ready = [this] { return not_ready(); }},
                                    *catalog_, *answering_, *loader_, *log_);
  loader_->on_landed([this](std::uint64_t) { api_->landed(); });
  http::Router router;
  collector_->add_routes(router);
  api_->add_routes(router);
  http::ServerOptions options;
  options.address = settings_.http_listen;
  options.port = static_cast<std::uint16_t>(settings_.http_port);
  options.io_threads = static_cast<unsigned>(settings_.http_io_threads);
  options.max_body_bytes = settings_.collector_max_body_bytes;
  server_ = std::make_unique<http::Server>(std::move(options), std::move(router));
  auto started = server_->start();
  if (!started)
    return Error::give_up(started.error().message + "; choose another with MARQUEE_HTTP_PORT (or http.port)");
  return {};
}

Result<void> Service::start_store() {
  if (!settings_.store_url.empty()) return {};
  const std::string binary = store_binary();
  if (::access(binary.c_str(), X_OK) != 0) return Error::give_up(binary + " is missing: run `make build`");
  const std::string port = endpoint_.url.substr(endpoint_.url.rfind(':') + 1);
  SupervisorOptions options;
  options.name = "marquee-store";
  options.command = {binary, "--data",       settings_.data_dir + "/store", "--port",
                     port,   "--log-format", settings_.logging_format};
  if (!settings_.store_engine.empty())
    options.command.insert(options.command.end(), {"--engine", settings_.store_engine});
  options.environment = {{"MARQUEE_STORE_PASSWORD", secrets_.store_password},
                         {"MARQUEE_READER_PASSWORD", secrets_.reader_password}};
  options.hang_ms = settings_.store_hang_ms;
  options.is_alive = [this] {
    const bool answers = probing_->ping();
    if (store_answers_.exchange(answers) != answers) logging::info("store.answers", {{"answers", answers}});
    return answers;
  };
  store_answers_ = false;
  supervisor_ = std::make_unique<Supervisor>(std::move(options));
  supervisor_->start();
  return {};
}

Result<void> Service::write_runtime() const {
  const std::string host =
      settings_.http_listen == "0.0.0.0" || settings_.http_listen == "::" ? "127.0.0.1" : settings_.http_listen;
  nlohmann::ordered_json runtime = {{"pid", ::getpid()},
                                    {"http_url", fmt::format("http://{}:{}", host, server_->port())},
                                    {"admin_token", secrets_.admin_token},
                                    {"store_url", endpoint_.url},
                                    {"store_user", endpoint_.user},
                                    {"store_password", endpoint_.password},
                                    {"reader_user", supervisor_ ? kReader : endpoint_.user.c_str()},
                                    {"reader_password", supervisor_ ? secrets_.reader_password : endpoint_.password}};
  runtime["write_keys"] = nlohmann::ordered_json::object();
  for (const auto& [site, key] : secrets_.write_keys) runtime["write_keys"][site] = key;
  return write_private_file(app_.runtime_file(), runtime.dump(2) + "\n");
}

void Service::bring_up() {
  const auto fail = [this](const std::string& why) {
    const std::lock_guard lock(mutex_);
    failure_ = why;
  };
  for (;;) {
    if (is_stopping_) return;
    if (supervisor_ && supervisor_->status().failed_starts >= kFailedStarts) {
      return fail(
          fmt::format("the store ended {} times with status {} before it was ready: its last lines above say why "
                      "(a taken port: MARQUEE_STORE_PORT)",
                      kFailedStarts, supervisor_->status().last_status));
    }
    if (probing_->ping()) {
      const auto applied = clickhouse::migrate_up(*loading_, clickhouse::built_in_migrations());
      if (applied) break;
      if (applied.error().action != Action::retry) return fail(applied.error().message);
    }
    std::this_thread::sleep_for(kProbeEvery);
  }
  store_answers_ = true;
  loader_->start();
  is_up_ = true;
  logging::info("serve.ready", {{"port", server_->port()}, {"store", endpoint_.url}});
}

std::string Service::not_ready() const {
  if (is_stopping_) return "stopping";
  if (!is_up_) return "the store is starting";
  return store_answers_ ? "" : "the store does not answer";
}

std::string Service::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Service::stop() {
  if (is_stopping_.exchange(true)) return;
  if (bring_up_.joinable()) bring_up_.join();
  if (api_) api_->stop();
  if (server_) server_->stop();
  if (is_up_) loader_->stop();
  if (log_) log_->close();
  if (supervisor_) {
    supervisor_->stop();
    ::unlink(app_.runtime_file().c_str());
  }
}

}  // namespace marquee::app
