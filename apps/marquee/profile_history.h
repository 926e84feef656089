// Events of profiles that the log no longer keeps, from the store.
#pragma once

#include "marquee/clickhouse/client.h"
#include "marquee/profile/profile_feeder.h"

namespace marquee::app {

/// Of users who say their age alone: what profiles take nothing of is left out. Thread safe. Action::retry while the
/// store is not there.
class ProfileHistory final : public profile::EventHistory {
 public:
  explicit ProfileHistory(clickhouse::Client& store) : store_(store) {}
  [[nodiscard]] Result<void> read(
      log::Partition partition, log::Range range,
      const std::function<bool(log::Offset offset, const event::Event& event)>& on_event) override;

 private:
  /// The first offset of the range at which there is such an event; its end where there is none.
  [[nodiscard]] Result<log::Offset> first(log::Partition partition, log::Range range);

  clickhouse::Client& store_;
};

}  // namespace marquee::app
