#include "responder.h"

#include "status.h"

namespace marquee::http {
namespace {

class ConnectionStream final : public Stream {
 public:
  ConnectionStream(std::shared_ptr<Connection> connection, const AnswerForm& form)
      : connection_(std::move(connection)), io_(connection_->io()), form_(form) {}

  ~ConnectionStream() override { ConnectionStream::close(false); }

  [[nodiscard]] const std::shared_ptr<StreamState>& state() const { return state_; }

  bool write(std::string chunk) override {
    if (chunk.empty()) return state_->is_open();  // An empty chunk would end the body.
    std::string bytes = form_.is_http10 ? std::move(chunk) : write_chunk(chunk);
    if (!state_->add(bytes.size(), !IoThread::is_io_thread())) return false;
    const std::lock_guard lock(mutex_);
    if (is_closed_) return false;
    if (form_.is_head) return true;
    return io_->send({connection_, std::move(bytes), nullptr, false, false});
  }

  void close(bool clean) override {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    is_closed_ = true;
    std::string last(clean && !form_.is_http10 && !form_.is_head ? kLastChunk : std::string_view());
    io_->send({connection_, std::move(last), nullptr, true, clean && form_.keep_alive});
    connection_.reset();
  }

  [[nodiscard]] bool is_open() const override { return state_->is_open(); }

 private:
  const std::shared_ptr<StreamState> state_ = std::make_shared<StreamState>();
  std::mutex mutex_;  // Orders the chunks of several threads, and the end after them.
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<IoThread> io_;
  const AnswerForm form_;
  bool is_closed_ = false;
};

}  // namespace

void Responder::Impl::send(const Response& response, std::function<void()> written) {
  if (is_answered()) return;
  const auto connection = std::exchange(connection_, nullptr);
  connection->io()->send({.to = connection,
                          .bytes = write_response(response, form_),
                          .keep_alive = form_.keep_alive,
                          .on_written = std::move(written)});
}

std::shared_ptr<Stream> Responder::Impl::stream(const Response& head) {
  AnswerForm form = form_;
  // Without chunks, only the end of the connection ends the body.
  if (form.is_http10) form.keep_alive = false;
  const auto connection = std::exchange(connection_, nullptr);
  auto stream = std::make_shared<ConnectionStream>(connection, form);
  std::string bytes = write_stream_head(head, form);
  stream->state()->add(bytes.size(), false);
  if (!connection->io()->send({connection, std::move(bytes), stream->state(), false, false})) stream->state()->close();
  return stream;
}

void Responder::Impl::begin(const Response& head) {
  // A program of HTTP/1.0 may take the first field for the end of its patience; it gets all at once.
  if (is_answered() || form_.has_begun || form_.is_http10) return;
  connection_->io()->send({.to = connection_, .bytes = write_first_fields(head, form_), .is_last = false});
  form_.has_begun = true;
}

void Responder::Impl::add_fields(const Headers& fields) {
  if (is_answered() || !form_.has_begun) return;
  connection_->io()->send({.to = connection_, .bytes = write_fields(fields), .is_last = false});
}

void Responder::Impl::on_client_gone(std::function<void()> gone) {
  if (is_answered()) return;
  connection_->io()->send({.to = connection_, .is_last = false, .on_gone = std::move(gone)});
}

Responder::Responder(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Responder::Responder(Responder&&) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept {
  Responder taken(std::move(other));
  std::swap(impl_, taken.impl_);  // What was held before is dropped, and so answered, with `taken`.
  return *this;
}

Responder::~Responder() {
  if (impl_ && !impl_->is_answered()) {
    impl_->send(error_response(500, "the server dropped this request without an answer"));
  }
}

void Responder::send(Response response, std::function<void()> written) {
  if (impl_) impl_->send(response, std::move(written));
}

std::shared_ptr<Stream> Responder::stream(Response head) { return impl_->stream(head); }
void Responder::begin(const Response& head) { impl_->begin(head); }
void Responder::add_fields(const Headers& fields) { impl_->add_fields(fields); }
bool Responder::has_begun() const { return impl_ && impl_->has_begun(); }
void Responder::on_client_gone(std::function<void()> gone) { impl_->on_client_gone(std::move(gone)); }

}  // namespace marquee::http
