// How whoever keeps something of users is told whom to forget, where several do.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "app.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/erasure.h"

namespace marquee::app {

/// Of a process on Kafka; connects when it is first used. Thread safe; one at a time, the others wait.
class SharedErasures {
 public:
  explicit SharedErasures(const Settings& settings) : settings_(settings) {}

  /// profile::tell_erasure().
  [[nodiscard]] Result<profile::Erasure> tell(std::string_view site_id, std::uint64_t user_key);

 private:
  const Settings& settings_;
  std::mutex mutex_;
  std::unique_ptr<log::EventLog> events_, erasures_;  ///< Guarded by mutex_.
};

}  // namespace marquee::app
