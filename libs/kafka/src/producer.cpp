#include "producer.h"

#include <array>

#include "marquee/base/logging.h"

namespace marquee::kafka {

constexpr std::size_t kMessageBytes = 192;  // What librdkafka needs for a message besides its record, about.

std::string record_key(std::uint64_t key) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(key >> (56 - 8 * i));
  return bytes;
}

/// One append: told when the last of its messages is.
struct Producer::Request {
  std::atomic<std::size_t> waiting;
  std::atomic<rd_kafka_resp_err_t> error{RD_KAFKA_RESP_ERR_NO_ERROR};
  std::size_t bytes = 0;
  log::Appended done;
};

Result<std::unique_ptr<Producer>> Producer::open(const KafkaLogOptions& options, ProducerMetrics& metrics) {
  const auto pending_kib = options.max_pending_bytes / 512 + 1024;  // Twice ours: ours is the bound that is met.
  auto conf = configuration(
      options.cluster, {{"enable.idempotence", "true"},
                        {"acks", "all"},
                        {"compression.codec", "lz4"},
                        {"linger.ms", std::to_string(options.linger.count())},
                        {"batch.num.messages", "100000"},
                        {"queue.buffering.max.messages", "0"},
                        {"queue.buffering.max.kbytes", std::to_string(pending_kib)},
                        {"message.timeout.ms", options.is_backed ? "0" : std::to_string(options.acknowledge.count())}});
  if (!conf) return conf.error();
  std::unique_ptr<Producer> producer(new Producer(options, metrics));
  rd_kafka_conf_set_opaque(conf->get(), producer.get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  auto handle = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return handle.error();
  producer->handle_ = std::move(*handle);
  producer->topic_ = Topic(rd_kafka_topic_new(producer->handle_.get(), options.topic.c_str(), nullptr));
  producer->thread_ = std::thread([it = producer.get()] { it->serve(); });
  return producer;
}

Producer::Producer(const KafkaLogOptions& options, ProducerMetrics& metrics)
    : max_pending_bytes_(options.max_pending_bytes), acknowledge_(options.acknowledge), metrics_(metrics) {}

Producer::~Producer() { close(); }

void Producer::append(std::vector<log::Batch> batches, log::Appended done) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const log::Batch& batch : batches) {
    bytes += batch.bytes().size() + batch.count() * kMessageBytes;
    count += batch.count();
  }
  if (is_closed_ || is_broken_ || pending_bytes_.fetch_add(bytes) + bytes > max_pending_bytes_) {
    const bool is_over = is_closed_ || is_broken_;
    if (!is_over) pending_bytes_ -= bytes;
    return done(Error::retry(is_over ? "the log is closing" : "too many events wait for Kafka"));
  }
  metrics_.pending_bytes.Increment(static_cast<double>(bytes));
  // One more than there are messages, so that it outlives the loop below.
  auto* request = new Request{.waiting = count + 1, .error = {}, .bytes = bytes, .done = std::move(done)};
  std::vector<rd_kafka_message_t> messages;
  std::vector<std::string> keys;
  for (const log::Batch& batch : batches) {
    const auto records = batch.records();
    messages.assign(records.size(), {});
    keys.resize(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      keys[i] = record_key(batch.keys()[i]);
      messages[i].payload = const_cast<char*>(records[i].data());
      messages[i].len = records[i].size();
      messages[i].key = keys[i].data();
      messages[i].key_len = keys[i].size();
      messages[i]._private = request;
    }
    rd_kafka_produce_batch(topic_.get(), static_cast<std::int32_t>(batch.partition()), RD_KAFKA_MSG_F_COPY,
                           messages.data(), static_cast<int>(messages.size()));
    for (const auto& message : messages) {
      if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) note(request, message.err, 1);
    }
  }
  note(request, RD_KAFKA_RESP_ERR_NO_ERROR, 1);
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<Producer*>(self)->note(static_cast<Request*>(message->_private), message->err, 1);
}

void Producer::note(Request* request, rd_kafka_resp_err_t error, std::size_t messages) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    request->error = error;
    std::array<char, 512> why{};
    if (rd_kafka_fatal_error(handle_.get(), why.data(), why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR &&
        !is_broken_.exchange(true)) {
      logging::error("kafka.producer_broken", {{"error", why.data()}});
      metrics_.broken.Increment();
    }
  }
  if (request->waiting.fetch_sub(messages) != messages) return;
  const std::unique_ptr<Request> owned(request);
  pending_bytes_ -= owned->bytes;
  metrics_.pending_bytes.Decrement(static_cast<double>(owned->bytes));
  if (owned->error == RD_KAFKA_RESP_ERR_NO_ERROR) return owned->done({});
  Error failed = error_of(owned->error, "Kafka did not acknowledge");
  if (failed.action == Action::give_up) failed.action = Action::retry;
  owned->done(std::move(failed));
}

void Producer::serve() {
  while (!stops_) rd_kafka_poll(handle_.get(), 100);
}

void Producer::close() {
  if (is_closed_.exchange(true) || !handle_) return;
  rd_kafka_flush(handle_.get(), to_timeout(acknowledge_));
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(handle_.get(), 1'000);
  stops_ = true;
  thread_.join();
}

}  // namespace marquee::kafka
