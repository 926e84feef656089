#include "transactions.h"

#include <fmt/format.h>

#include <array>

#include <algorithm>

namespace marquee::kafka {
namespace {

using KafkaError = Owned<rd_kafka_error_t, rd_kafka_error_destroy>;

constexpr Millis kStep{2'000};      ///< How long one call may wait before it is asked whether to go on.
constexpr Millis kRoomWithin{100};  ///< Looks for room in the queue that often.

}  // namespace

Result<std::unique_ptr<Transactions>> Transactions::open(const Cluster& cluster, const std::string& id, Millis limit) {
  const std::string limit_ms = std::to_string(limit.count());
  auto conf =
      configuration(cluster, {{"transactional.id", id},
                              {"transaction.timeout.ms", limit_ms},
                              {"message.timeout.ms", limit_ms},
                              {"socket.timeout.ms", std::to_string(std::min<std::int64_t>(limit.count(), 10'000))},
                              {"compression.codec", "lz4"},
                              {"linger.ms", "1"},
                              {"batch.num.messages", "100000"},
                              {"queue.buffering.max.messages", "0"}});
  if (!conf) return conf.error();
  std::unique_ptr<Transactions> made(new Transactions());
  rd_kafka_conf_set_opaque(conf->get(), made.get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  auto handle = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle) return handle.error();
  made->handle_ = std::move(*handle);
  return made;
}

Transactions::~Transactions() {
  if (!handle_) return;
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(handle_.get(), 0);
}

void Transactions::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<Transactions*>(self)->delivery_error_ = message->err;
}

Result<void> Transactions::own(Millis wait) {
  const KafkaError error(rd_kafka_init_transactions(handle_.get(), to_timeout(wait)));
  if (!error) return {};
  const std::string message = fmt::format("cannot begin transactions: {}", rd_kafka_error_string(error.get()));
  if (rd_kafka_error_is_retriable(error.get()) != 0) return Error::retry(message);
  return Error::give_up(message);
}

template <class Step>
Result<void> Transactions::repeat(const char* what, const std::function<bool()>& goes_on, Step step) {
  for (;;) {
    const KafkaError error(step());
    if (!error) return {};
    const std::string message = fmt::format("{}: {}", what, rd_kafka_error_string(error.get()));
    if (rd_kafka_error_is_fatal(error.get()) != 0) return Error::give_up(message);
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0) return Error::retry(message);
    if (rd_kafka_error_is_retriable(error.get()) == 0 || !goes_on()) return Error::give_up(message);
  }
}

Result<void> Transactions::write(const std::vector<Outgoing>& messages, const Advance& advance,
                                 rd_kafka_consumer_group_metadata_t* group, const std::function<bool()>& goes_on) {
  delivery_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (const KafkaError error(rd_kafka_begin_transaction(handle_.get())); error)
    return Error::give_up(fmt::format("cannot begin a transaction: {}", rd_kafka_error_string(error.get())));
  auto done = Result<void>();
  for (auto message = messages.begin(); done && message != messages.end(); ++message) done = produce(*message, goes_on);
  if (done) done = send_progress(advance, group, goes_on);
  if (done) {
    done = repeat("the transaction was not committed", goes_on,
                  [this] { return rd_kafka_commit_transaction(handle_.get(), to_timeout(kStep)); });
  }
  if (done || done.error().action == Action::give_up) return done;
  return abort(std::move(done.error()), goes_on);
}

Result<void> Transactions::produce(const Outgoing& message, const std::function<bool()>& goes_on) {
  for (;;) {
    rd_kafka_headers_t* headers = nullptr;
    if (!message.headers.empty()) {
      headers = rd_kafka_headers_new(message.headers.size());
      for (const auto& [name, value] : message.headers)
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    }
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = message.topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[1].u.i32 = static_cast<std::int32_t>(message.partition);
    parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[2].u.i = RD_KAFKA_MSG_F_COPY;
    parts[3].vtype = RD_KAFKA_VTYPE_KEY;
    parts[3].u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
    parts[4].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[4].u.mem = {const_cast<char*>(message.value.data()), message.value.size()};
    parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[5].u.headers = headers;
    const Owned<rd_kafka_error_t, rd_kafka_error_destroy> failed(
        rd_kafka_produceva(handle_.get(), parts.data(), headers == nullptr ? 5 : 6));
    const auto code = rd_kafka_error_code(failed.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (headers != nullptr) rd_kafka_headers_destroy(headers);  // Taken only by a message that was.
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || !goes_on())
      return Error::retry(error_of(code, fmt::format("cannot write to topic {}", message.topic)).message);
    rd_kafka_poll(handle_.get(), to_timeout(kRoomWithin));
  }
}

Result<void> Transactions::send_progress(const Advance& advance, rd_kafka_consumer_group_metadata_t* group,
                                         const std::function<bool()>& goes_on) {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), advance.topic.c_str(), static_cast<std::int32_t>(advance.partition))
      ->offset = static_cast<std::int64_t>(advance.next);
  return repeat("the group's progress was refused", goes_on, [&] {
    return rd_kafka_send_offsets_to_transaction(handle_.get(), list.get(), group, to_timeout(kStep));
  });
}

Error Transactions::abort(Error why, const std::function<bool()>& goes_on) {
  if (delivery_error_ != RD_KAFKA_RESP_ERR_NO_ERROR)
    why.message += fmt::format(" ({})", rd_kafka_err2str(delivery_error_));
  const auto ended = repeat("the transaction could not be ended", goes_on,
                            [this] { return rd_kafka_abort_transaction(handle_.get(), to_timeout(kStep)); });
  if (ended) return why;
  return Error::give_up(fmt::format("{}; {}", why.message, ended.error().message));
}

}  // namespace marquee::kafka
