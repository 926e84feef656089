#include "join_watch.h"

#include <chrono>
#include <thread>

namespace marquee::kafka {
namespace {

constexpr const char* kName = "join_watch";
constexpr std::int16_t kJoinGroup = 11;
/// The answer is seen here a moment before librdkafka goes on with it.
constexpr Millis kUntilItIsKnown{5};

}  // namespace

void JoinWatch::attach(rd_kafka_conf_t* configuration) {
  rd_kafka_conf_interceptor_add_on_new(configuration, kName, on_new, this);
}

void JoinWatch::wait(Millis limit) {
  {
    std::unique_lock lock(mutex_);
    if (!is_joining_) return;
    changed_.wait_for(lock, limit, [this] { return !is_joining_; });
  }
  std::this_thread::sleep_for(kUntilItIsKnown);
}

rd_kafka_resp_err_t JoinWatch::on_new(rd_kafka_t* handle, const rd_kafka_conf_t*, void* self, char*, std::size_t) {
  rd_kafka_interceptor_add_on_request_sent(handle, kName, on_sent, self);
  return rd_kafka_interceptor_add_on_response_received(handle, kName, on_received, self);
}

rd_kafka_resp_err_t JoinWatch::on_sent(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t key, std::int16_t,
                                       std::int32_t, std::size_t, void* self) {
  if (key == kJoinGroup) static_cast<JoinWatch*>(self)->set(true);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// One whose connection breaks is sent again soon, so its end is seen in time.
rd_kafka_resp_err_t JoinWatch::on_received(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t key, std::int16_t,
                                           std::int32_t, std::size_t, std::int64_t, rd_kafka_resp_err_t, void* self) {
  if (key == kJoinGroup) static_cast<JoinWatch*>(self)->set(false);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void JoinWatch::set(bool is_joining) {
  const std::lock_guard lock(mutex_);
  is_joining_ = is_joining;
  if (!is_joining) changed_.notify_all();
}

}  // namespace marquee::kafka
