// Writes to topics and progress in a group that become visible together, or not at all.
#pragma once

#include <functional>

#include "handle.h"
#include "marquee/kafka/relay.h"

namespace marquee::kafka {

/// Progress to be made with what is written.
struct Advance {
  std::string topic;
  log::Partition partition = 0;
  log::Offset next = 0;
};

/// One owner of a transactional id at a time: who begins shuts out who was it before. Of one thread.
class Transactions {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Transactions>> open(const Cluster& cluster, const std::string& id,
                                                                  Millis limit);
  ~Transactions();
  Transactions(const Transactions&) = delete;
  Transactions& operator=(const Transactions&) = delete;

  /// Makes this the owner of the id; what an owner before left open is ended, unseen. Action::retry may be tried again.
  [[nodiscard]] Result<void> own(Millis wait);

  /// One transaction. After Action::retry it has ended unseen, and may be tried again; after Action::give_up its
  /// outcome is not known or the id is another's: make anew, own(), and see how far the group has come. `goes_on` is
  /// asked now and then while brokers are silent; false gives up.
  [[nodiscard]] Result<void> write(const std::vector<Outgoing>& messages, const Advance& advance,
                                   rd_kafka_consumer_group_metadata_t* group, const std::function<bool()>& goes_on);

 private:
  Transactions() = default;
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  [[nodiscard]] Result<void> produce(const Outgoing& message, const std::function<bool()>& goes_on);
  [[nodiscard]] Result<void> send_progress(const Advance& advance, rd_kafka_consumer_group_metadata_t* group,
                                           const std::function<bool()>& goes_on);
  /// Repeats `step` while it says that it may be repeated.
  template <class Step>
  [[nodiscard]] Result<void> repeat(const char* what, const std::function<bool()>& goes_on, Step step);
  /// Ends the transaction unseen and returns `why`.
  [[nodiscard]] Error abort(Error why, const std::function<bool()>& goes_on);

  rd_kafka_resp_err_t delivery_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;  ///< Of a message of the transaction under way.
  Handle handle_;
};

}  // namespace marquee::kafka
