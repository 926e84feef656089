// What is known of users while deciding: their profiles, and the segments that they are in.
#pragma once

#include <memory>
#include <string_view>
#include <thread>

#include "app.h"
#include "marquee/base/metrics.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/profile_feeder.h"
#include "marquee/profile/segment_memberships.h"

namespace marquee::app {

class LiveProfiles {
 public:
  /// Follows log, catalog and store from now on, until it goes, which must be before they do.
  [[nodiscard]] static Result<std::unique_ptr<LiveProfiles>> open(const Settings& settings, catalog::Catalog& catalog,
                                                                  log::EventLog& events, clickhouse::Client& store,
                                                                  std::shared_ptr<metrics::Registry> metrics);
  ~LiveProfiles();

  [[nodiscard]] const profile::Profiles& profiles() const { return feeder_->store(); }
  [[nodiscard]] const profile::SegmentMemberships& segments() const { return segments_; }
  /// ProfileFeeder::erase().
  [[nodiscard]] Result<void> erase(std::string_view site_id, std::uint64_t user_key) {
    return feeder_->erase(site_id, user_key);
  }

 private:
  class StoredUsers;
  LiveProfiles(catalog::Catalog& catalog, clickhouse::Client& store);
  void follow_segments(const std::stop_token& stop);

  catalog::Catalog& catalog_;
  std::unique_ptr<StoredUsers> users_;
  profile::SegmentMemberships segments_;
  std::unique_ptr<log::EventLog> own_log_;  ///< Where the log of others is read by one reader at a time: with Kafka.
  std::unique_ptr<profile::ProfileFeeder> feeder_;
  std::jthread watch_;
};

}  // namespace marquee::app
