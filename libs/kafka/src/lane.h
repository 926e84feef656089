// One partition of a relay's source: read, made into messages, written with the progress.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "membership.h"
#include "observer.h"
#include "transactions.h"

namespace marquee::kafka {

/// Its thread goes on until the lane is closed, whatever fails. Thread safe.
class Lane {
 public:
  /// Everything must outlive it. `source` reads the topic's partitions, each by its own lane.
  Lane(const RelayOptions& options, log::Partition partition, Membership& membership, const Observer& observer,
       rd_kafka_topic_t* source);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Asks it to end after the transaction under way; the destructor waits.
  void close();
  /// All but the end, which the brokers are asked for.
  [[nodiscard]] RelayPartition standing() const;

 private:
  /// Messages that become one transaction.
  struct Gathered {
    std::vector<Outgoing> out;
    std::size_t bytes = 0;
    std::size_t messages = 0;
    log::Offset next = 0;  ///< After the last message, and after what lies behind it that is none.
  };
  using SteadyClock = std::chrono::steady_clock;

  void run();
  /// Owns the partition and carries on until something is wrong.
  [[nodiscard]] Result<void> carry();
  [[nodiscard]] Result<log::Offset> start_offset();
  [[nodiscard]] Result<void> gather(Gathered& gathered);
  [[nodiscard]] Result<void> take(const rd_kafka_message_t& message, Gathered& gathered);
  [[nodiscard]] Result<void> make(const rd_kafka_message_t& message, Gathered& gathered);
  [[nodiscard]] Result<void> write(const Gathered& gathered);
  [[nodiscard]] Result<void> restart(log::Offset at);
  void stop_reading();

  [[nodiscard]] bool is_open() const;
  void pause(unsigned failures);
  void note(const std::string& error);
  void set_next(log::Offset next);

  const RelayOptions& options_;
  const log::Partition partition_;
  Membership& membership_;
  const Observer& observer_;
  rd_kafka_topic_t* const source_;
  std::unique_ptr<RelayWork> work_;
  std::unique_ptr<Transactions> transactions_;
  log::Offset done_ = 0;  ///< What the group has come to.
  bool is_reading_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;  ///< Guarded by mutex_, as are the next.
  RelayPartition standing_;
  std::thread thread_;
};

}  // namespace marquee::kafka
