// librdkafka's handles with owners, and its errors as ours.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/kafka/cluster.h"

namespace marquee::kafka {

template <class T, auto destroy>
struct Destroyer {
  void operator()(T* it) const { destroy(it); }
};
template <class T, auto destroy>
using Owned = std::unique_ptr<T, Destroyer<T, destroy>>;

using Handle = Owned<rd_kafka_t, rd_kafka_destroy>;
using Topic = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using PartitionList = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Received = Owned<rd_kafka_message_t, rd_kafka_message_destroy>;
using Configuration = Owned<rd_kafka_conf_t, rd_kafka_conf_destroy>;

/// How long one question to the brokers may take.
inline constexpr Millis kAnswerWithin{5'000};

/// A configuration with the cluster's properties and `own`, which win. Action::reject names the property that
/// librdkafka does not take. What librdkafka logs goes to our log.
[[nodiscard]] Result<Configuration> configuration(const Cluster& cluster,
                                                  const std::map<std::string, std::string>& own);
/// Makes a client; the configuration is used up.
[[nodiscard]] Result<Handle> make_client(rd_kafka_type_t type, Configuration configuration);

/// A client that asks: of topics, settings, partitions. It notes why the brokers refuse it. Not thread safe.
class Inquirer {
 public:
  using Metadata = Owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
  [[nodiscard]] static Result<std::unique_ptr<Inquirer>> open(const Cluster& cluster);
  [[nodiscard]] rd_kafka_t* get() const { return handle_.get(); }
  /// Of one topic, or of all (nullptr). Action::reject, saying what to mend, where the brokers refuse this client or it
  /// them (password, certificate), which asking again would not change; Action::retry where none answers in time.
  [[nodiscard]] Result<Metadata> metadata(const char* topic, Millis wait);

 private:
  explicit Inquirer(const Cluster& cluster) : cluster_(cluster) {}
  static void on_error(rd_kafka_t*, int code, const char* text, void* self);
  [[nodiscard]] std::string refusal() const;

  const Cluster cluster_;
  rd_kafka_resp_err_t last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string last_text_;
  Handle handle_;
};

/// "what: Broker: Unknown topic or partition", with what the caller can do about it.
[[nodiscard]] Error error_of(rd_kafka_resp_err_t code, const std::string& what);

[[nodiscard]] inline int to_timeout(std::chrono::milliseconds wait) { return static_cast<int>(wait.count()); }

}  // namespace marquee::kafka
