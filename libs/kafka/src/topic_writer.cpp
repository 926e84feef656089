#include "marquee/kafka/topic_writer.h"

#include <fmt/format.h>

#include <array>
#include <mutex>

#include "handle.h"

namespace marquee::kafka {
namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(100);

/// What becomes of one write.
struct Delivery {
  std::vector<rd_kafka_resp_err_t> outcomes;
  std::size_t waiting = 0;
};

struct Slot {
  Delivery* delivery = nullptr;
  std::size_t index = 0;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const auto& slot = *static_cast<Slot*>(message->_private);
  slot.delivery->outcomes[slot.index] = message->err;
  --slot.delivery->waiting;
}

rd_kafka_headers_t* headers_of(const Message& message) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
  for (const auto& [name, value] : message.headers) {
    (void)rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                              static_cast<ssize_t>(value.size()));
  }
  return headers;
}

}  // namespace

class TopicWriter::Impl {
 public:
  explicit Impl(TopicWriterOptions options) : options_(std::move(options)) {}

  std::vector<Result<void>> write(const std::vector<Message>& messages) {
    const std::lock_guard lock(mutex_);
    if (auto connected = connect(); !connected) return std::vector<Result<void>>(messages.size(), connected);
    Delivery delivery{.outcomes = std::vector(messages.size(), RD_KAFKA_RESP_ERR_NO_ERROR)};
    std::vector<Slot> slots(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      slots[i] = {&delivery, i};
      send(messages[i], slots[i]);
    }
    // Each message has its report within options_.acknowledge.
    while (delivery.waiting > 0) rd_kafka_poll(client_.get(), to_timeout(kPollEvery));
    std::array<char, 256> why{};
    const bool is_broken = rd_kafka_fatal_error(client_.get(), why.data(), why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (is_broken) client_.reset();  // The next write makes another.
    std::vector<Result<void>> results;
    results.reserve(messages.size());
    for (const auto outcome : delivery.outcomes) results.push_back(result_of(outcome));
    return results;
  }

 private:
  Result<void> connect() {
    if (client_) return {};
    auto conf = configuration(
        options_.cluster, {{"enable.idempotence", "true"},
                           {"acks", "all"},
                           {"compression.codec", "lz4"},
                           {"linger.ms", "0"},
                           {"message.max.bytes", "100000000"},  // The brokers say what is too large.
                           {"message.timeout.ms", std::to_string(options_.acknowledge.count())},
                           {"topic.metadata.propagation.max.ms", std::to_string(options_.acknowledge.count() / 2)}});
    if (!conf) return conf.error();
    rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
    auto client = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!client) return client.error();
    client_ = std::move(*client);
    return {};
  }

  void send(const Message& message, Slot& slot) {
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = options_.topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_KEY;
    parts[2].u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[3].u.mem = {const_cast<char*>(message.value.data()), message.value.size()};
    parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[4].u.headers = headers_of(message);
    parts[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[5].u.ptr = &slot;
    ++slot.delivery->waiting;
    const Owned<rd_kafka_error_t, rd_kafka_error_destroy> failed(
        rd_kafka_produceva(client_.get(), parts.data(), parts.size()));
    if (!failed) return;  // The headers are the message's now.
    rd_kafka_headers_destroy(parts[4].u.headers);
    slot.delivery->outcomes[slot.index] = rd_kafka_error_code(failed.get());
    --slot.delivery->waiting;
  }

  [[nodiscard]] Result<void> result_of(rd_kafka_resp_err_t code) const {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    const bool is_missing = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (is_missing) return Error::reject(fmt::format("there is no topic {}: run `marquee migrate up`", options_.topic));
    return error_of(code, "topic " + options_.topic);
  }

  const TopicWriterOptions options_;
  std::mutex mutex_;
  Handle client_;
};

TopicWriter::TopicWriter(TopicWriterOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
TopicWriter::~TopicWriter() = default;
std::vector<Result<void>> TopicWriter::write(const std::vector<Message>& messages) { return impl_->write(messages); }

}  // namespace marquee::kafka
