#include "service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "demo_key.h"
#include "marquee/base/logging.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/event/person.h"
#include "marquee/ingest/event_order.h"
#include "marquee/ingest/rollup.h"
#include "marquee/privacy/export.h"
#include "marquee/serving/decision_person.h"
#include "marquee/serving/interest_targeting.h"
#include "marquee/serving/live_segments.h"
#include "parts.h"
#include "retention_settings.h"
#include "sign_in.h"
#include "spill.h"
#include "store_access.h"

namespace marquee::app {
namespace {

using std::chrono::milliseconds;

constexpr const char* kReader = "reader";
constexpr std::uint64_t kFailedStarts = 3;  ///< In a row, before the store was ever there: it will not come.
constexpr auto kProbeEvery = milliseconds(20);
constexpr auto kServiceLookEvery = milliseconds(200);

/// Of the built files of web/`part`: beside the executable where it is installed; in a source tree, where the build
/// puts it.
std::string web_directory(const std::string& set, const std::string& part) {
  if (!set.empty()) return set;
  const std::string beside = executable_directory() + "/../share/marquee/" + part;
  std::error_code ec;
  return std::filesystem::exists(beside, ec) ? beside : executable_directory() + "/../../../web/" + part + "/dist";
}

}  // namespace

Service::~Service() {
  stop();
  if (lock_ >= 0) ::close(lock_);
}

Result<void> Service::start() {
  for (const auto step : {&Service::read_retention, &Service::lock_data, &Service::open_catalog, &Service::open_log,
                          &Service::start_server, &Service::start_store}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  if (auto written = write_runtime(); !written) return written;
  bring_up_ = std::thread([this] { bring_up(); });
  return {};
}

Result<void> Service::read_retention() {
  auto retention = retention_of(settings_);
  if (!retention) return retention.error();
  retention_ = std::move(*retention);
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
  auto catalog = app::open_catalog(settings_, secrets_, "serve");
  if (!catalog) return catalog.error();
  catalog_ = std::move(*catalog);
  return {};
}

Result<void> Service::open_log() {
  const auto on_fatal = [this](const std::string& why) { set_failure(why); };
  auto opened = settings_.serve_collect ? open_collector_log(settings_, metrics_, on_fatal)
                                        : open_event_log(settings_, metrics_, on_fatal);
  if (!opened) return opened.error();
  log_ = std::move(*opened);
  return {};
}

Result<void> Service::start_server() {
  std::vector<clickhouse::Endpoint> shards;
  if (!settings_.store_url.empty()) {
    const auto any = store_endpoint(app_);
    if (!any) return any.error();
    endpoint_ = *any;
    const auto all = store_shards(app_);
    if (!all) return all.error();
    shards = *all;
  } else if (!settings_.store_cluster.empty()) {
    return Error::reject("store.cluster needs the nodes of the cluster in store.url");
  } else {
    auto hold = PortHold::take(settings_.store_listen, static_cast<std::uint16_t>(settings_.store_port));
    if (!hold) return Error::give_up(hold.error().message + "; choose another with MARQUEE_STORE_PORT (or store.port)");
    store_port_.emplace(std::move(*hold));
    endpoint_ = {.url = local_url(settings_.store_listen, store_port_->port()),
                 .user = "default",
                 .password = secrets_.store_password};
    shards.push_back(endpoint_);
  }
  loading_ = clickhouse::connect(shards, store_connections(settings_));
  answering_ = std::make_unique<clickhouse::Client>(endpoint_, store_connections(settings_));
  auto unhurried = endpoint_;
  unhurried.settings = {{"max_threads", "1"}};
  notifying_ = std::make_unique<clickhouse::Client>(unhurried, store_connections(settings_));
  open_reader();
  probing_ = std::make_unique<clickhouse::Client>(
      endpoint_, http::ClientOptions{.connect_timeout_ms = 1'000, .timeout_ms = 1'000, .pool_size = 1});
  watching_ = std::make_unique<clickhouse::Client>(
      endpoint_, http::ClientOptions{.connect_timeout_ms = 1'000, .timeout_ms = 5'000, .pool_size = 1});
  auto sign_in = sign_in_options(settings_);
  if (!sign_in) return sign_in.error();
  loader_ = std::make_unique<ingest::Loader>(loader_options(app_, metrics_), *log_, clickhouse::borrowed(loading_));
  if (settings_.log_kind == "kafka") erasures_ = std::make_unique<SharedErasures>(settings_);
  if (auto opened = open_profiles(); !opened) return opened;
  if (has_demo()) open_demo();
  collector_ = std::make_unique<ingest::Collector>(collector_options(settings_, secrets_, metrics_), *log_,
                                                   key_finder_with_demo(*catalog_, demo_.get()));
  watch_ = std::make_unique<ingest::PipelineWatch>(
      ingest::PipelineWatchOptions{
          .topic = topic_of(settings_), .own = [this] { return loader_->partitions(); }, .metrics = metrics_},
      *watching_, *log_);
  letters_ = std::make_unique<ingest::DeadLetterOffice>(dead_letter_options(settings_, secrets_, *catalog_),
                                                        *answering_, *log_);
  erasing_ = std::make_unique<clickhouse::Client>(unhurried, store_connections(settings_));
  eraser_ = std::make_unique<privacy::Eraser>(*catalog_, *erasing_, places_of_users());
  api_ = std::make_unique<api::Api>(
      api::ApiOptions{
          .version = MARQUEE_VERSION,
          .console_dir = web_directory(settings_.http_console_dir, "console"),
          .sdk_dir = web_directory(settings_.http_sdk_dir, "sdk"),
          .demo_dir = has_demo() ? web_directory(settings_.demo_dir, "demo") : "",
          .metrics = metrics_,
          .not_ready = [this] { return not_ready(); },
          .pipeline = pipeline_context(settings_),
          .refresh_segments_ms = settings_.segments_refresh_ms,
          .keeps_journeys = settings_.journeys_enabled,
          .refresh_journeys_ms = settings_.journeys_refresh_ms,
          .can_remember = settings_.store_cluster.empty(),
          .erase_profile = [this](const auto& site, const auto& user) { return erase_profile(site, user); },
          .eraser = eraser_.get(),
          .export_user = [this](const auto& site, const auto& user) { return export_user(site, user); },
          .clusters = [this] { return clusters(); },
          .check_live_rule = [](std::string_view rule) -> Result<void> {
            const auto read = serving::LiveRule::read(rule);
            return read ? Result<void>() : Result<void>(read.error());
          },
          .retention = settings_.store_cluster.empty() ? std::optional(retention_) : std::nullopt,
          .notifier = notifier_options(settings_, secrets_, metrics_),
          .models = [this] { return decisions_ ? decisions_->versions_json() : ""; },
          .sign_in = std::move(*sign_in),
          .sql = {.reader = reading_.get(),
                  .tables = settings_.store_url.empty() ? api::sql_tables() : std::span<const std::string_view>(),
                  .seconds = static_cast<std::int64_t>(settings_.sql_timeout_ms / 1000)}},
      *catalog_, *answering_, *notifying_, *loader_, *log_, *watch_, *letters_);
  loader_->on_landed([this](std::uint64_t) { api_->landed(); });
  http::Router router;
  if (settings_.serve_collect) {
    collector_->add_routes(router);
    if (demo_) demo_->add_routes(router);
    if (auto opened = open_decisions(router); !opened) return opened;
  }
  api_->add_routes(router);
  server_ = std::make_unique<http::Server>(server_options(settings_), std::move(router));
  auto started = server_->start();
  if (!started)
    return Error::give_up(started.error().message + "; choose another with MARQUEE_HTTP_PORT (or http.port)");
  return {};
}

void Service::open_reader() {
  auto reader = endpoint_;
  const bool is_own = settings_.store_url.empty();
  if (!is_own && settings_.store_reader_user.empty()) return;
  reader.user = is_own ? api::kSqlReader : settings_.store_reader_user;
  reader.password = is_own ? secrets_.analyst_password : settings_.store_reader_password;
  reading_ = std::make_unique<clickhouse::Client>(reader, store_connections(settings_));
}

Result<void> Service::open_profiles() {
  if (!settings_.serve_collect || !settings_.profiles_enabled) return {};
  auto profiles =
      LiveProfiles::open(settings_, settings_.data_dir + "/profiles", *catalog_, *log_, endpoint_, metrics_);
  if (!profiles) return profiles.error();
  profiles_ = std::move(*profiles);
  return {};
}

void Service::open_demo() {
  serving::DemoOptions options{
      .site_id = kDemoSite, .hash_key = secrets_.hash_key_bytes(), .token_key = secrets_.token_key_bytes()};
  if (profiles_) {
    options.profiles = &profiles_->profiles();
    options.segments = &profiles_->segments();
    options.clusters = &profiles_->clusters();
  }
  options.title_of = [this](std::string_view id) {
    const auto segment = catalog_->segment(id);
    return segment && *segment ? (*segment)->title : std::string(id);
  };
  demo_ = std::make_unique<serving::DemoServer>(std::move(options));
}

std::uint64_t Service::key_of(std::string_view user_id) const {
  return event::hash_user(secrets_.hash_key_bytes(), user_id);
}

Result<void> Service::erase_profile(const std::string& site_id, const std::string& user_id) {
  const auto user_key = key_of(user_id);
  if (erasures_) {
    const auto told = erasures_->tell(site_id, user_key);
    if (!told) return told.error();
    // Not to wait for what the others wait for.
    if (decisions_) decisions_->forget(site_id, user_key, told->asked_ms);
    if (profiles_) profiles_->erase(*told);
    return {};
  }
  if (!profiles_) return Error::reject("site: this process keeps no profiles (profiles.enabled, serve.collect)");
  decisions_->forget(site_id, user_key, SystemClock().now().time_since_epoch().count());
  return profiles_->erase(site_id, user_key);
}

privacy::Places Service::places_of_users() {
  privacy::Places places;
  if (settings_.log_kind == "kafka")
    places.refusal =
        "with Kafka (log.kind) nobody is erased from here: topics keep a record until their retention ends, and a "
        "loader "
        "could bring it back; `marquee profiles erase` forgets what is known while deciding (docs/privacy.md)";
  else if (!settings_.store_cluster.empty())
    places.refusal = "on a cluster (store.cluster) nobody is erased from here yet: see docs/privacy.md";
  places.events = log_.get();
  places.hash_user = [this](std::string_view user_id) { return key_of(user_id); };
  // What decides is opened later than this, and ended after the eraser.
  places.decisions = [this]() -> log::EventLog* { return decisions_ ? &decisions_->log() : nullptr; };
  places.is_decision_of = [](std::string_view record, const privacy::Person& person, std::int64_t until_ms) {
    return serving::is_decision_of(record, person.site_id, person.user_key, until_ms);
  };
  places.forget_profile = [this](const privacy::Person& person) -> Result<bool> {
    if (!profiles_) return false;
    const bool had_one = profiles_->find(person.site_id, person.user_key).has_value();
    if (auto erased = profiles_->erase(person.site_id, person.user_key); !erased) return erased.error();
    if (auto saved = profiles_->save(); !saved) return saved.error();
    return had_one;
  };
  places.forget_counts = [this](const privacy::Person& person, std::int64_t until_ms) -> Result<void> {
    if (!decisions_) return {};
    decisions_->forget(person.site_id, person.user_key, until_ms);
    return decisions_->save_counts();
  };
  places.drop_marks = [this](const privacy::Person& person) -> Result<void> {
    return profiles_ ? profiles_->drop_mark(person.site_id, person.user_key) : Result<void>();
  };
  if (settings_.store_url.empty())
    places.sync_store = [directory = settings_.data_dir]() -> Result<void> {
      const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      const bool is_synced = descriptor >= 0 && ::syncfs(descriptor) == 0;
      const int why = errno;
      if (descriptor >= 0) ::close(descriptor);
      if (is_synced) return {};
      return Error::retry(fmt::format("{} cannot be brought to the disk: {}", directory, std::strerror(why)));
    };
  return places;
}

Result<std::string> Service::export_user(const std::string& site_id, const std::string& user_id) {
  privacy::KnownPlaces places{.profile = {}, .hash_user = [this](std::string_view id) { return key_of(id); }};
  if (profiles_)
    places.profile = [this](const privacy::Person& person) { return profiles_->find(person.site_id, person.user_key); };
  return privacy::export_user(*answering_, *catalog_, places, {site_id, key_of(user_id)});
}

std::vector<std::pair<std::string, std::uint64_t>> Service::clusters() const {
  std::vector<std::pair<std::string, std::uint64_t>> all;
  const auto known = profiles_ ? profiles_->clusters().get() : nullptr;
  for (std::size_t i = 0; known && i < known->names.size(); ++i)
    if (!known->names[i].empty())
      all.emplace_back(std::string(serving::kClusterPrefix) + known->names[i], known->clusters.users(i));
  return all;
}

Result<void> Service::open_decisions(http::Router& router) {
  auto place = decider_place(settings_, /*keeps_profiles=*/false);
  if (!place) return place.error();
  auto opened =
      Decisions::open(settings_, secrets_, std::move(*place), *catalog_, *log_, profiles_.get(), metrics_, demo_.get());
  if (opened) {
    decisions_ = std::move(*opened);
    decisions_->add_routes(router);
    return {};
  }
  // Events are taken all the same, into the spill.
  const bool can_spill = settings_.log_kind == "kafka" && settings_.spill_max_bytes > 0;
  if (!can_spill || opened.error().action != Action::retry) return opened.error();
  logging::error("serve.decides_not", {{"error", opened.error().message}, {"until", "it is started again"}});
  return {};
}

Result<void> Service::start_store() {
  if (!settings_.store_url.empty()) return {};
  const std::string binary = store_binary();
  if (::access(binary.c_str(), X_OK) != 0) return Error::give_up(binary + " is missing: run `make build`");
  SupervisorOptions options;
  options.name = "marquee-store";
  options.command = {binary,
                     "--data",
                     settings_.data_dir + "/store",
                     "--listen",
                     settings_.store_listen,
                     "--port",
                     std::to_string(store_port_->port()),
                     "--log-format",
                     settings_.logging_format};
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
  nlohmann::ordered_json runtime = {{"pid", ::getpid()},
                                    {"http_url", local_url(settings_.http_listen, server_->port())},
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
  for (;;) {
    if (is_stopping_) return;
    if (supervisor_ && supervisor_->status().failed_starts >= kFailedStarts) {
      return set_failure(
          fmt::format("the store ended {} times with status {} before it was ready: its last lines above say why",
                      kFailedStarts, supervisor_->status().last_status));
    }
    if (probing_->ping()) {
      auto schema = cluster_schema(app_);
      const auto applied =
          clickhouse::migrate_up(*loading_.front(), clickhouse::built_in_migrations(), schema ? &*schema : nullptr);
      auto counted = applied ? follow_schema() : Result<void>(applied.error());
      if (counted) break;
      if (counted.error().action != Action::retry) return set_failure(counted.error().message);
    }
    std::this_thread::sleep_for(kProbeEvery);
  }
  store_answers_ = true;
  if (settings_.serve_load) loader_->start();
  is_up_ = true;
  api_->start_notifier();
  logging::info("serve.ready", {{"port", server_->port()}, {"store", endpoint_.url}});
  for (auto started = start_decision_loader(); !started && !is_stopping_; started = start_decision_loader()) {
    if (started.error().action != Action::retry) return set_failure(started.error().message);
    logging::warn("serve.decisions_wait", {{"error", started.error().message}});  // Each try waits for the brokers.
  }
  eraser_->start();
  // Its own store is looked at by the supervisor.
  while (!supervisor_ && !is_stopping_) {
    store_answers_ = probing_->ping();
    std::this_thread::sleep_for(kServiceLookEvery);
  }
}

/// Who keeps the log of decisions on this machine carries it to the store; Kafka's whoever loads.
Result<void> Service::start_decision_loader() {
  const bool has_kafka = settings_.log_kind == "kafka";
  if (has_kafka ? !settings_.serve_load : !decisions_) return {};
  if (has_kafka) {
    auto opened = open_landing_decisions(settings_, [this](const std::string& why) { set_failure(why); });
    if (!opened) return opened.error();
    landing_log_ = std::move(*opened);
  }
  landing_decisions_ = std::make_unique<clickhouse::Client>(endpoint_, store_connections(settings_));
  decision_loader_ = std::make_unique<serving::DecisionLoader>(landing_log_ ? *landing_log_ : decisions_->log(),
                                                               *landing_decisions_, metrics_);
  decision_loader_->start();
  return {};
}

Result<void> Service::follow_schema() {
  for (const auto& shard : loading_) {
    if (auto ordered = ingest::order_events(*shard); !ordered) return ordered.error();
    if (auto counted = ingest::count_changed_rollups(*shard); !counted) return counted.error();
    if (!settings_.store_cluster.empty()) continue;
    if (auto applied = ingest::apply_retention(*shard, retention_); !applied) return applied.error();
  }
  if (settings_.store_url.empty())
    if (auto made = api::make_sql_reader(*answering_, secrets_.analyst_password); !made) return made.error();
  return {};
}

std::string Service::not_ready() const {
  if (is_stopping_) return "stopping";
  if (!is_up_) return "the store is starting";
  return store_answers_ ? "" : "the store does not answer";
}

void Service::set_failure(const std::string& why) {
  const std::lock_guard lock(mutex_);
  failure_ = why;
}

std::string Service::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Service::stop() {
  if (is_stopping_.exchange(true)) return;
  if (bring_up_.joinable()) bring_up_.join();
  if (eraser_) eraser_->stop();
  if (api_) api_->stop();
  if (server_) server_->stop();
  if (decision_loader_) decision_loader_->stop();
  if (decisions_) decisions_->stop();
  profiles_.reset();
  if (landing_log_) landing_log_->close();
  watch_.reset();
  if (is_up_) loader_->stop();
  if (log_) log_->close();
  if (supervisor_) {
    supervisor_->stop();
    ::unlink(app_.runtime_file().c_str());
  }
}

}  // namespace marquee::app
