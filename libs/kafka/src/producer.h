// Appends to the topic: idempotent, acknowledged by all in-sync replicas.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "handle.h"
#include "marquee/kafka/kafka_log.h"
#include "producer_metrics.h"

namespace marquee::kafka {

/// Thread safe.
class Producer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Producer>> open(const KafkaLogOptions& options, ProducerMetrics& metrics);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  void append(std::vector<log::Batch> batches, log::Appended done);
  /// It will acknowledge nothing more; another must take its place.
  [[nodiscard]] bool is_broken() const { return is_broken_; }
  /// Waits for what is under way, as long as an append may take; fails the rest.
  void close();

 private:
  struct Request;
  Producer(const KafkaLogOptions& options, ProducerMetrics& metrics);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  void note(Request* request, rd_kafka_resp_err_t error, std::size_t messages);
  void serve();

  const std::uint64_t max_pending_bytes_;
  const Millis acknowledge_;
  ProducerMetrics& metrics_;
  Handle handle_;
  Topic topic_;
  std::atomic<std::uint64_t> pending_bytes_{0};
  std::atomic<bool> is_broken_{false};
  std::atomic<bool> is_closed_{false};
  std::atomic<bool> stops_{false};
  std::thread thread_;
};

}  // namespace marquee::kafka
