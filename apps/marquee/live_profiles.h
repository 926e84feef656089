// What is known of users while deciding: their profiles, and the segments that they are in.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "app.h"
#include "marquee/base/metrics.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/learning/published.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/clusters.h"
#include "marquee/profile/profile_feeder.h"
#include "marquee/profile/segment_memberships.h"

namespace marquee::app {

class LiveProfiles {
 public:
  /// Follows log, catalog and store from now on, until it goes, which must be before log and catalog do. What it keeps
  /// is in `directory`. Without a store there are profiles of what the log still has, and no segments. With Kafka it
  /// knows of all erasures that there were when it returns.
  [[nodiscard]] static Result<std::unique_ptr<LiveProfiles>> open(const Settings& settings, std::string directory,
                                                                  catalog::Catalog& catalog, log::EventLog& events,
                                                                  const std::optional<clickhouse::Endpoint>& store,
                                                                  std::shared_ptr<metrics::Registry> metrics);
  ~LiveProfiles();

  [[nodiscard]] const profile::Profiles& profiles() const { return feeder_->store(); }
  [[nodiscard]] const profile::SegmentMemberships& segments() const { return segments_; }
  [[nodiscard]] const learning::Published<profile::NamedClusters>& clusters() const { return clusters_; }
  /// Whether what the log had at the start is known (ProfileFeeder::has_begun()).
  [[nodiscard]] bool has_begun() const { return feeder_->has_begun(); }
  /// ProfileFeeder::erase(): of a process that is alone, and of one that others are told of as well.
  [[nodiscard]] Result<void> erase(std::string_view site_id, std::uint64_t user_key) {
    return feeder_->erase(site_id, user_key);
  }
  void erase(const profile::Erasure& erasure) { feeder_->erase(erasure); }
  /// ProfileFeeder::drop_mark() and save().
  [[nodiscard]] Result<void> drop_mark(std::string_view site_id, std::uint64_t user_key) {
    return feeder_->drop_mark(site_id, user_key);
  }
  [[nodiscard]] Result<void> save() { return feeder_->save(); }
  /// What is known of a user, for the user to read and to know whether there is something to erase: there is a profile
  /// of none who did not permit it.
  [[nodiscard]] std::optional<profile::Profile> find(std::string_view site_id, std::uint64_t user_key) const;

 private:
  class StoredUsers;
  LiveProfiles(catalog::Catalog& catalog, std::unique_ptr<clickhouse::Client> store);
  void follow_segments(const std::stop_token& stop);
  /// Groups users of like interests anew, time and again; those of before hold meanwhile.
  void follow_clusters(const std::stop_token& stop, std::chrono::milliseconds every);
  [[nodiscard]] Result<void> learn_clusters();

  catalog::Catalog& catalog_;
  std::unique_ptr<clickhouse::Client> store_;  ///< Null: none.
  std::unique_ptr<StoredUsers> users_;
  profile::SegmentMemberships segments_;
  learning::Published<profile::NamedClusters> clusters_;
  // Where a log of others is read by one reader at a time: with Kafka.
  std::unique_ptr<log::EventLog> own_log_, erasures_;
  std::unique_ptr<profile::ProfileFeeder> feeder_;
  std::jthread segment_watch_, cluster_watch_;
};

}  // namespace marquee::app
