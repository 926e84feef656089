#include "live_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "decision_logs.h"
#include "marquee/base/logging.h"
#include "marquee/clickhouse/row_binary.h"
#include "parts.h"
#include "profile_history.h"
#include "topic_texts.h"

namespace marquee::app {
namespace {

constexpr auto kProfilesLookEvery = std::chrono::seconds(1);
constexpr auto kTryAgainEvery = std::chrono::minutes(1);  ///< While there are no clusters.
constexpr std::size_t kSampledProfiles = 20'000;

using Versions = std::vector<profile::SegmentVersion>;

/// All sites' segments, as many of each as can be told while deciding; `complaint` says where there are more.
Result<Versions> segment_versions(const catalog::Catalog& catalog, std::string& complaint) {
  Versions all;
  for (const auto& site : catalog.sites()) {
    const auto of_site = catalog.segment_versions(site.id);
    if (!of_site) return of_site.error();
    if (of_site->size() > profile::kSegmentsOfSite)
      complaint = fmt::format("site {} has {} segments: while deciding only the first {} by title are known", site.id,
                              of_site->size(), profile::kSegmentsOfSite);
    for (std::size_t i = 0; i < std::min(of_site->size(), profile::kSegmentsOfSite); ++i)
      all.push_back({site.id, (*of_site)[i].first, (*of_site)[i].second});
  }
  return all;
}

}  // namespace

/// Users of segments as the store has them.
class LiveProfiles::StoredUsers final : public profile::SegmentUsers {
 public:
  explicit StoredUsers(clickhouse::Client* store) : store_(store) {}
  [[nodiscard]] Result<void> read(const profile::SegmentVersion& segment,
                                  const std::function<void(std::uint64_t user_key)>& on_user) override {
    if (store_ == nullptr) return Error::give_up("there is no store");
    clickhouse::QueryOptions options;
    options.format = "RowBinary";
    const auto body = store_->query("SELECT user_key FROM marquee.segment_users WHERE version = {version:UInt64}",
                                    {{"version", std::to_string(segment.version)}}, options);
    if (!body) return body.error();
    clickhouse::RowBinaryReader reader(*body);
    while (!reader.at_end()) {
      const auto user_key = reader.number<std::uint64_t>();
      if (!user_key) return Error::retry("the store's answer was cut off");
      on_user(*user_key);
    }
    return {};
  }

 private:
  clickhouse::Client* const store_;
};

LiveProfiles::LiveProfiles(catalog::Catalog& catalog, std::unique_ptr<clickhouse::Client> store)
    : catalog_(catalog),
      store_(std::move(store)),
      users_(std::make_unique<StoredUsers>(store_.get())),
      segments_(*users_) {}

LiveProfiles::~LiveProfiles() = default;

Result<std::unique_ptr<LiveProfiles>> LiveProfiles::open(const Settings& settings, std::string directory,
                                                         catalog::Catalog& catalog, log::EventLog& events,
                                                         const std::optional<clickhouse::Endpoint>& store,
                                                         std::shared_ptr<metrics::Registry> metrics) {
  std::unique_ptr<clickhouse::Client> client;
  if (store) {
    auto unhurried = *store;
    unhurried.settings = {{"max_threads", "1"}};
    client = std::make_unique<clickhouse::Client>(unhurried, store_connections(settings));
  }
  std::unique_ptr<LiveProfiles> made(new LiveProfiles(catalog, std::move(client)));
  if (settings.log_kind == "kafka") {
    auto own = open_event_log(settings, nullptr);
    if (!own) return own.error();
    made->own_log_ = std::move(*own);
    auto erasures = open_topic(settings, erasures_topic(settings));
    if (!erasures) return erasures.error();
    made->erasures_ = std::move(*erasures);
  }
  std::shared_ptr<profile::EventHistory> history;
  if (made->store_) history = std::make_shared<ProfileHistory>(*made->store_);
  auto feeder = profile::ProfileFeeder::open(made->own_log_ ? *made->own_log_ : events, settings.profiles_capacity,
                                             {.directory = std::move(directory),
                                              .snapshot_every = Millis(settings.profiles_snapshot_ms),
                                              .history = std::move(history),
                                              .erasures = made->erasures_.get(),
                                              .metrics = std::move(metrics)});
  if (!feeder) return feeder.error();
  made->feeder_ = std::move(*feeder);
  if (!made->store_) return made;
  auto* self = made.get();
  made->segment_watch_ = std::jthread([self](const std::stop_token& stop) { self->follow_segments(stop); });
  made->cluster_watch_ = std::jthread([self, every = Millis(settings.profiles_clusters_ms)](
                                          const std::stop_token& stop) { self->follow_clusters(stop, every); });
  return made;
}

std::optional<profile::Profile> LiveProfiles::find(std::string_view site_id, std::uint64_t user_key) const {
  const auto permission = profile::Permission::grant(site_id, user_key, event::Consent::full, profile::kAdultYears);
  return permission ? feeder_->store().read(*permission) : std::nullopt;
}

void LiveProfiles::follow_segments(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  Versions known;
  std::string said;
  do {
    std::string complaint;
    if (auto all = segment_versions(catalog_, complaint); !all) {
      complaint = all.error().message;
    } else if (*all != known) {
      if (auto refreshed = segments_.refresh(*all); refreshed)
        known = std::move(*all);
      else
        complaint = refreshed.error().message;
    }
    if (!complaint.empty() && complaint != said) logging::warn("profile.segments_not_known", {{"error", complaint}});
    said = std::move(complaint);
  } while (!stopped.wait_for(lock, stop, kProfilesLookEvery, [&] { return stop.stop_requested(); }));
}

void LiveProfiles::follow_clusters(const std::stop_token& stop, std::chrono::milliseconds every) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  std::chrono::milliseconds wait = kProfilesLookEvery;
  while (!stopped.wait_for(lock, stop, wait, [&] { return stop.stop_requested(); })) {
    if (!clusters_.get() && feeder_->lag() > 0) continue;  // Until the log is read.
    const auto learned = learn_clusters();
    if (!learned) logging::info("profile.clusters_not_learned", {{"error", learned.error().message}});
    const auto known = clusters_.get();
    const bool has_some = known && known->clusters.size() > 0;
    wait = has_some ? every : std::min<std::chrono::milliseconds>(every, kTryAgainEvery);
  }
}

Result<void> LiveProfiles::learn_clusters() {
  const auto sample = feeder_->store().sample(kSampledProfiles);
  const auto now = static_cast<profile::Seconds>(SystemClock().now().time_since_epoch().count() / 1'000);
  auto learned = std::make_shared<profile::NamedClusters>();
  learned->clusters = profile::Clusters(sample, now, {});
  if (learned->clusters.size() > 0) {
    const auto texts = TopicTexts::read(*store_);
    if (!texts) return texts.error();
    learned->names = profile::names_of(
        learned->clusters, [&](profile::TopicKind kind, profile::Topic topic) { return texts->find(kind, topic); });
  }
  clusters_.set(std::move(learned));
  return {};
}

}  // namespace marquee::app
