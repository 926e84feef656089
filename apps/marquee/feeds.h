// The feeds that the configuration names.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app.h"
#include "catalog_watch.h"
#include "marquee/clickhouse/client.h"
#include "marquee/feed/feed.h"
#include "marquee/log/event_log.h"

namespace marquee::app {

/// What feeds.file describes; none where it is empty. Action::reject names the line.
[[nodiscard]] Result<std::vector<feed::Description>> load_feeds(const Settings& settings);

/// The feeds at work in this process. start() once, stop() once.
class Feeds {
 public:
  /// Action::retry where the data directory has no secrets.json yet: users are hashed with its key, which must be that
  /// of the collectors. `store` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Feeds>> open(const App& app, const std::vector<feed::Description>& feeds,
                                                           log::Partition partitions, clickhouse::Client& store,
                                                           std::shared_ptr<metrics::Registry> metrics,
                                                           const std::function<void(const std::string&)>& on_fatal);
  ~Feeds();
  [[nodiscard]] Result<void> start();
  void stop();
  [[nodiscard]] std::vector<feed::FeedStatus> status() const;

 private:
  Feeds() = default;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<CatalogWatch> catalog_watch_;
  std::vector<std::unique_ptr<feed::Feed>> feeds_;
  clickhouse::Client* store_ = nullptr;
  std::shared_ptr<metrics::Registry> metrics_;
  mutable std::mutex mutex_;
  std::vector<feed::FeedStatus> reported_;  ///< Guarded by mutex_: what was told last, with the rates.
  std::jthread reporter_;
};

}  // namespace marquee::app
