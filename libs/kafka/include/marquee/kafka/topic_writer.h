// Writes messages of any kind to one topic.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/kafka/cluster.h"

namespace marquee::kafka {

struct Message {
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct TopicWriterOptions {
  Cluster cluster;
  std::string topic;
  Millis acknowledge{10'000};  ///< A message that the brokers have not acknowledged by then fails.
};

/// acks=all, idempotent. Connects when it is first used. Thread safe; one write at a time, the others wait.
class TopicWriter {
 public:
  explicit TopicWriter(TopicWriterOptions options);
  ~TopicWriter();

  /// Returns when each message is durable, or will not be: an outcome for each, in order. Action::retry: no answer, and
  /// it may be durable all the same. Action::reject: the brokers do not take it (no such topic, no right to it, too
  /// large).
  [[nodiscard]] std::vector<Result<void>> write(const std::vector<Message>& messages);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::kafka
