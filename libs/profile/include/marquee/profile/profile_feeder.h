// ProfileFeeder: keeps a ProfileStore at the tip of the event log, over restarts.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/erasure.h"
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
  std::shared_ptr<EventHistory> history = {};  ///< Null: what the log no longer keeps is not known of.
  /// In which all who keep profiles of these events are told of erasures (erasure.h): read by this feeder alone, and to
  /// outlive it. Null: there is nobody else, and the directory keeps them.
  log::EventLog* erasures = nullptr;
  std::shared_ptr<metrics::Registry> metrics = {};  ///< Null: none.
};

/// Thread safe. One feeder for a directory. It reads the log beside who lands it, and confirms nothing there.
class ProfileFeeder {
 public:
  /// Makes a store, loads the directory's snapshot into it, and begins to follow each partition from there on a thread
  /// of its own; without a snapshot, or with one that is damaged or from beyond the log's end, from the history's
  /// begin. What is erased by then, elsewhere too, is erased when it returns. `log` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<ProfileFeeder>> open(log::EventLog& log, std::size_t capacity,
                                                                   ProfileFeederOptions options);
  /// Saves a last snapshot.
  ~ProfileFeeder();

  [[nodiscard]] ProfileStore& store();

  /// Erases the user: from memory and, durably, from whatever will be read again of the log, when it returns; from the
  /// snapshot as well unless that fails, which is then tried again with the next one. Events that come later count.
  /// Not where erasures are shared.
  [[nodiscard]] Result<void> erase(std::string_view site_id, std::uint64_t user_key);
  /// The same of one that the shared log has, and that this would hear of by itself a moment later.
  void erase(const Erasure& erasure);
  /// Drops what is kept of such an erasure, of a user of whom neither the log nor the history has events of before.
  [[nodiscard]] Result<void> drop_mark(std::string_view site_id, std::uint64_t user_key);
  [[nodiscard]] Result<void> save();
  /// Events of the log that are not yet applied.
  [[nodiscard]] std::uint64_t lag() const;
  /// Whether it knows what the log had when it began. A history that does not answer is not waited for: who decides
  /// knows less without it, but decides.
  [[nodiscard]] bool has_begun() const;

 private:
  class Impl;
  explicit ProfileFeeder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::profile
