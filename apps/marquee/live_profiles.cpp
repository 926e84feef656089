#include "live_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "marquee/base/logging.h"
#include "marquee/clickhouse/row_binary.h"
#include "parts.h"
#include "profile_history.h"

namespace marquee::app {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);

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
  explicit StoredUsers(clickhouse::Client& store) : store_(store) {}
  [[nodiscard]] Result<void> read(const profile::SegmentVersion& segment,
                                  const std::function<void(std::uint64_t user_key)>& on_user) override {
    clickhouse::QueryOptions options;
    options.format = "RowBinary";
    const auto body = store_.query("SELECT user_key FROM marquee.segment_users WHERE version = {version:UInt64}",
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
  clickhouse::Client& store_;
};

LiveProfiles::LiveProfiles(catalog::Catalog& catalog, clickhouse::Client& store)
    : catalog_(catalog), users_(std::make_unique<StoredUsers>(store)), segments_(*users_) {}

LiveProfiles::~LiveProfiles() = default;

Result<std::unique_ptr<LiveProfiles>> LiveProfiles::open(const Settings& settings, catalog::Catalog& catalog,
                                                         log::EventLog& events, clickhouse::Client& store,
                                                         std::shared_ptr<metrics::Registry> metrics) {
  std::unique_ptr<LiveProfiles> made(new LiveProfiles(catalog, store));
  if (settings.log_kind == "kafka") {
    auto own = open_event_log(settings, nullptr);
    if (!own) return own.error();
    made->own_log_ = std::move(*own);
  }
  auto feeder = profile::ProfileFeeder::open(made->own_log_ ? *made->own_log_ : events, settings.profiles_capacity,
                                             {.directory = settings.data_dir + "/profiles",
                                              .snapshot_every = Millis(settings.profiles_snapshot_ms),
                                              .history = std::make_shared<ProfileHistory>(store),
                                              .metrics = std::move(metrics)});
  if (!feeder) return feeder.error();
  made->feeder_ = std::move(*feeder);
  made->watch_ = std::jthread([self = made.get()](const std::stop_token& stop) { self->follow_segments(stop); });
  return made;
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
  } while (!stopped.wait_for(lock, stop, kLookEvery, [&] { return stop.stop_requested(); }));
}

}  // namespace marquee::app
