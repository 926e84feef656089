// Segments: what the catalog keeps of them, and their users in the store, kept together.
//
// The users are written under a version of their own, and the catalog's transaction then says that it is the one that
// holds. What is under no version that the catalog names is of a refresh that is under way, that died, or that another
// followed: it is removed when no report can be reading it any more.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "answers.h"
#include "marquee/analytics/segments.h"
#include "marquee/catalog/catalog.h"
#include "segment_definition.h"

namespace marquee::api {

struct SegmentKeeperOptions {
  std::chrono::milliseconds refresh_every{60'000};
  bool can_tell_changes = true;          ///< Whether the store's parts are all there are, which no cluster's are.
  std::function<bool()> is_store_ready;  ///< Before, nothing is refreshed by itself.
  CheckRule check_live = {};             ///< Of live segments. Null: none are taken.
  /// Longer than a report may take: one that began with the version before reads it to its end.
  std::chrono::milliseconds outdated_for = std::chrono::minutes(3);
};

/// Thread safe; blocks while the store answers. Refreshes by itself, on a thread of its own, the segments whose users
/// may be others by now, one after another.
class SegmentKeeper {
 public:
  SegmentKeeper(SegmentKeeperOptions options, catalog::Catalog& catalog, clickhouse::Client& store);
  ~SegmentKeeper() { stop(); }
  SegmentKeeper(const SegmentKeeper&) = delete;
  SegmentKeeper& operator=(const SegmentKeeper&) = delete;

  /// Of its site, title and definition. One whose users cannot be found is not kept: Action::reject names why.
  [[nodiscard]] Result<catalog::Segment> add(catalog::Segment segment, std::string_view actor);
  /// The same in place of another. nullopt where there is none of that id.
  [[nodiscard]] Result<std::optional<catalog::Segment>> replace(catalog::Segment segment, std::string_view actor);
  /// Finds its users again. nullopt where there is none of that id.
  [[nodiscard]] Result<std::optional<catalog::Segment>> refresh(std::string_view id);
  /// With its users. False where there is none.
  [[nodiscard]] Result<bool> remove(std::string_view id, std::string_view actor);
  /// Ends what is under way, of which nothing is kept.
  void stop();

 private:
  /// Keeps a version from being removed as long as it lives.
  class Writing;
  struct Meant {
    analytics::SegmentDefinition definition;
    analytics::Scope scope;
  };
  [[nodiscard]] Result<Meant> meant(const catalog::Segment& segment) const;
  /// Whether it has no users to be found.
  [[nodiscard]] Result<bool> is_live(const catalog::Segment& segment) const;
  /// Writes the users under a new version, and gives the segment with it and their number.
  [[nodiscard]] Result<catalog::Segment> write(catalog::Segment segment, const Meant& meant, Writing& writing);
  [[nodiscard]] Result<std::optional<catalog::Segment>> refresh(const catalog::Segment& segment, const Meant& meant);

  void run(const std::stop_token& stop);
  [[nodiscard]] Result<void> refresh_if_changed(const catalog::Segment& segment,
                                                const std::vector<std::uint64_t>& written);
  [[nodiscard]] Result<void> remove_outdated(const std::vector<std::uint64_t>& written);

  const SegmentKeeperOptions options_;
  catalog::Catalog& catalog_;
  analytics::SegmentWriter writer_;
  std::mutex mutex_;
  std::set<std::uint64_t> being_written_;  ///< Versions; guarded by mutex_.
  // Of the thread alone:
  std::map<std::string, std::string> states_;  ///< By segment, of what its users were last found from.
  std::map<std::uint64_t, std::chrono::steady_clock::time_point>
      outdated_;  ///< Versions, since when they are known so.
  std::binary_semaphore ended_{0};
  std::jthread thread_;
};

}  // namespace marquee::api
