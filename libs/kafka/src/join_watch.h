// Knows whether this member's request to join the group's next generation is under way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "handle.h"
#include "marquee/base/time.h"

namespace marquee::kafka {

/// The broker answers a connection's requests one after the other, so a commit that is sent behind such a request waits
/// until all members have joined, is of the last generation by then, and is refused. librdkafka before 2.8 takes that
/// for the loss of everything this member has (its issue 4059), though nothing was lost. Thread safe.
class JoinWatch {
 public:
  /// The watch must live as long as the client that is made of `configuration`.
  void attach(rd_kafka_conf_t* configuration);
  /// Returns when no such request is under way, or after `limit`.
  void wait(Millis limit);

 private:
  static rd_kafka_resp_err_t on_new(rd_kafka_t* handle, const rd_kafka_conf_t*, void* self, char*, std::size_t);
  static rd_kafka_resp_err_t on_sent(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t key, std::int16_t,
                                     std::int32_t, std::size_t, void* self);
  static rd_kafka_resp_err_t on_received(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t key, std::int16_t,
                                         std::int32_t, std::size_t, std::int64_t, rd_kafka_resp_err_t, void* self);
  void set(bool is_joining);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_joining_ = false;
};

}  // namespace marquee::kafka
