// ProfileFeeder: keeps a ProfileStore at the tip of the event log, over restarts.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/profile_store.h"

namespace marquee::profile {

/// What the log no longer keeps.
class EventHistory {
 public:
  virtual ~EventHistory() = default;
  /// Gives the events of [range.begin, range.end) in the order of their offsets, those that there are. May be called
  /// again with the same or a larger range after Action::retry. `on_event` says whether to go on.
  [[nodiscard]] virtual Result<void> read(
      log::Partition partition, log::Range range,
      const std::function<bool(log::Offset offset, const event::Event& event)>& on_event) = 0;
};

struct ProfileFeederOptions {
  std::string directory = {};  ///< Of snapshot and erasures; made where it is missing.
  Millis snapshot_every{5 * 60'000};
  std::shared_ptr<EventHistory> history = {};       ///< Null: what the log no longer keeps is not known of.
  std::shared_ptr<metrics::Registry> metrics = {};  ///< Null: none.
};

/// Thread safe. One feeder for a directory. It reads the log beside who lands it, and confirms nothing there.
class ProfileFeeder {
 public:
  /// Makes a store, loads the directory's snapshot into it, and begins to follow each partition from there on a thread
  /// of its own; without a snapshot, or with one that is damaged or from beyond the log's end, from the history's
  /// begin. `log` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<ProfileFeeder>> open(log::EventLog& log, std::size_t capacity,
                                                                   ProfileFeederOptions options);
  /// Saves a last snapshot.
  ~ProfileFeeder();

  [[nodiscard]] ProfileStore& store();

  /// Erases the user: from memory and, durably, from whatever will be read again of the log, when it returns; from the
  /// snapshot as well unless that fails, which is then tried again with the next one. Events that come later count.
  [[nodiscard]] Result<void> erase(std::string_view site_id, std::uint64_t user_key);
  [[nodiscard]] Result<void> save();
  /// Events of the log that are not yet applied.
  [[nodiscard]] std::uint64_t lag() const;

 private:
  class Impl;
  explicit ProfileFeeder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::profile
