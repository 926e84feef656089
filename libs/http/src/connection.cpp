#include "connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <span>

#include "lost_peer.h"
#include "marquee/base/logging.h"
#include "responder.h"
#include "status.h"

namespace marquee::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kSmallRead = 4 * 1024;
constexpr std::size_t kLargeRead = 256 * 1024;
constexpr std::size_t kMostKept = 64 * 1024;  ///< A buffer that grew beyond this is given back after the request.
constexpr std::size_t kMostAtOnce = 16;       ///< Strings in one gathered write.
constexpr std::uint64_t kLingerMs = 2'000;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// What the guard answers; a guard that fails lets nobody through.
std::optional<Response> refusal_of(const Router::Guard& guard, const Router::Route& route, Request& request) {
  try {
    return guard(route, request);
  } catch (const std::exception& e) {
    logging::error("http.guard_failed", {{"pattern", route.pattern}, {"error", std::string_view(e.what())}});
    return error_response(500, "the server failed at this request; its log says why");
  }
}

}  // namespace

bool StreamState::add(std::size_t bytes, bool may_block) {
  std::unique_lock lock(mutex_);
  if (may_block) changed_.wait(lock, [&] { return !is_open_ || waiting_ <= kMostWaiting; });
  waiting_ += bytes;
  return is_open_;
}

void StreamState::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  waiting_ -= std::min(bytes, waiting_);
  if (waiting_ <= kMostWaiting) changed_.notify_all();
}

void StreamState::close() {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
  changed_.notify_all();
}

bool StreamState::is_open() const {
  const std::lock_guard lock(mutex_);
  return is_open_;
}

Connection::Connection(std::shared_ptr<IoThread> io, asio::ip::tcp::socket socket, Service& service)
    : io_(std::move(io)), socket_(std::move(socket)), service_(service) {}

void Connection::start(bool refused) {
  place_ = io_->enter(shared_from_this());
  error_code ec;
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  socket_.non_blocking(true, ec);
  probe_when_idle(socket_.native_handle(), lost_after());
  const auto peer = socket_.remote_endpoint(ec);
  if (ec) return close();
  remote_address_ = peer.address().to_string();
  if (refused) {
    Response busy = error_response(503, "the server has as many connections as it takes; try again in a second");
    busy.headers.add("Retry-After", "1");
    return answer_at_once(busy, {}, false);
  }
  expire_after(service_.options.idle_timeout_ms);
  read();
}

void Connection::read() {
  if (is_reading_ || state_ == State::closed) return;
  is_reading_ = true;
  const std::size_t body = parser_ ? parser_->remaining_body() : 0;
  const auto space = in_.prepare(std::clamp(body, kSmallRead, kLargeRead));
  socket_.async_read_some(
      space, [self = shared_from_this()](const error_code& ec, std::size_t bytes) { self->on_read(ec, bytes); });
}

void Connection::on_read(const error_code& ec, std::size_t bytes) {
  is_reading_ = false;
  if (state_ == State::closed) return;
  if (ec) return close();
  if (state_ == State::lingering) return read();
  in_.commit(bytes);
  process();
}

void Connection::process() {
  if (!parser_) {
    // Some clients end a body with a line break that no one asked for (RFC 9112, section 2.2).
    std::string_view bytes(static_cast<const char*>(in_.data().data()), in_.size());
    in_.consume(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
    if (in_.size() == 0) return read();
    parser_.emplace(service_.limits);
    expire_after(service_.options.read_timeout_ms);
  }
  in_.consume(parser_->feed({static_cast<const char*>(in_.data().data()), in_.size()}));
  if (parser_->is_refused()) return refuse(parser_->refusal());
  if (parser_->is_complete()) return dispatch();
  if (parser_->take_expectation()) {
    out_.emplace_back(kContinue);
    flush();
  }
  read();
}

void Connection::dispatch() {
  state_ = State::answering;
  deadline_ = Clock::time_point::max();
  is_answer_complete_ = false;
  AnswerForm form;
  form.is_http10 = parser_->is_http10();
  form.keep_alive = parser_->keep_alive() && !service_.is_stopping;
  Request request = std::move(parser_->request());
  parser_.reset();
  form.is_head = request.method == "HEAD";
  request.remote_address = remote_address_;
  Router::Match match = service_.router.match(request.method, request.path);
  Responder responder(std::make_shared<Responder::Impl>(shared_from_this(), form));
  if (match.route == nullptr) {
    if (match.allowed.empty()) {
      return responder.send(error_response(404, fmt::format("there is nothing at {}", request.path.substr(0, 200))));
    }
    const std::string allowed = fmt::format("{}", fmt::join(match.allowed, ", "));
    Response refused = error_response(405, "this path takes only " + allowed);
    refused.headers.add("Allow", allowed);
    return responder.send(std::move(refused));
  }
  request.path_parameters = std::move(match.parameters);
  if (const auto& guard = service_.router.guard()) {
    if (auto refused = refusal_of(guard, *match.route, request)) return responder.send(std::move(*refused));
  }
  call(*match.route, std::move(request), std::move(responder));
}

void Connection::call(const Router::Route& route, Request request, Responder responder) {
  if (route.handler) {
    try {
      route.handler(std::move(request), std::move(responder));
    } catch (const std::exception& e) {
      // The responder, dropped, has answered 500.
      logging::error("http.handler_failed", {{"pattern", route.pattern}, {"error", std::string_view(e.what())}});
    }
    return;
  }
  // asio wants a handler that it may copy.
  auto work = std::make_shared<std::pair<Request, Responder>>(std::move(request), std::move(responder));
  asio::post(*service_.workers, [&route, work] {
    auto& [asked, answer] = *work;
    try {
      answer.send(route.blocking(asked));
    } catch (const std::exception& e) {
      logging::error("http.handler_failed", {{"pattern", route.pattern}, {"error", std::string_view(e.what())}});
      answer.send(error_response(500, "the server failed at this request; its log says why"));
    }
  });
}

void Connection::take(Parcel parcel) {
  if (state_ != State::answering) {
    if (parcel.stream) parcel.stream->close();
    if (parcel.on_gone && state_ == State::closed) parcel.on_gone();
    return;
  }
  if (parcel.stream) stream_ = std::move(parcel.stream);
  if (parcel.on_gone) {
    on_gone_ = std::move(parcel.on_gone);
    watch_client();
  }
  if (!parcel.bytes.empty()) out_.push_back(std::move(parcel.bytes));
  if (parcel.is_last) {
    is_answer_complete_ = true;
    on_written_ = std::move(parcel.on_written);
    keep_alive_ = parcel.keep_alive && !service_.is_stopping;
  }
  if (!is_writing_) flush();
}

void Connection::flush() {
  while (!out_.empty()) {
    std::array<asio::const_buffer, kMostAtOnce> pieces;
    const std::size_t count = std::min(out_.size(), kMostAtOnce);
    for (std::size_t i = 0; i < count; ++i) pieces[i] = asio::buffer(out_[i]);
    pieces[0] += out_offset_;
    error_code ec;
    std::size_t written = socket_.write_some(std::span(pieces).first(count), ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) return wait_to_write();
    if (ec) return close();
    if (stream_) stream_->sent(written);
    for (written += out_offset_; !out_.empty() && written >= out_.front().size(); out_.pop_front()) {
      written -= out_.front().size();
    }
    out_offset_ = written;
  }
  if (state_ != State::answering) return;
  deadline_ = Clock::time_point::max();
  if (is_answer_complete_) on_answered();
}

void Connection::wait_to_write() {
  // A client that takes nothing for as long as a silent one may live is gone.
  expire_after(service_.options.idle_timeout_ms);
  is_writing_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const error_code& ec) {
    self->is_writing_ = false;
    if (self->state_ == State::closed) return;
    if (ec) return self->close();
    self->flush();
  });
}

void Connection::on_answered() {
  on_gone_ = nullptr;
  if (const auto written = std::exchange(on_written_, nullptr)) written();
  if (stream_) stream_->close();
  stream_.reset();
  if (!keep_alive_) return close();
  if (in_.size() == 0 && in_.capacity() > kMostKept) in_.shrink_to_fit();
  state_ = State::reading;
  expire_after(service_.options.idle_timeout_ms);
  process();
}

void Connection::watch_client() {
  if (has_peer_ended(socket_.native_handle())) return tell_gone();
  if (is_watching_) return;
  is_watching_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    self->is_watching_ = false;
    if (self->state_ != State::answering || !self->on_gone_) return;
    if (ec || has_peer_ended(self->socket_.native_handle())) self->tell_gone();
    // Else it is the next request that waits to be read, and check_deadline() looks on.
  });
}

void Connection::tell_gone() {
  if (const auto gone = std::exchange(on_gone_, nullptr)) gone();
}

void Connection::answer_at_once(const Response& response, AnswerForm form, bool keep_alive) {
  form.keep_alive = keep_alive;
  state_ = State::lingering;
  out_.push_back(write_response(response, form));
  flush();
  if (state_ != State::closed) linger();
}

void Connection::refuse(const Refusal& refusal) {
  AnswerForm form;
  form.is_head = parser_->request().method == "HEAD";
  answer_at_once(error_response(refusal.status, refusal.message), form, false);
}

void Connection::linger() {
  // Closing with unread bytes would reset the connection, and the client could lose the answer.
  error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  in_.clear();
  expire_after(kLingerMs);
  read();
}

void Connection::check_deadline(Clock::time_point now) {
  // A stream's writer waits for a client that takes nothing; not for one that is gone.
  if (is_writing_ && is_peer_lost(socket_.native_handle(), lost_after())) return close();
  if (on_gone_ && has_peer_ended(socket_.native_handle())) tell_gone();
  if (now < deadline_) return;
  if (state_ == State::reading && parser_ && !is_writing_) {
    return answer_at_once(error_response(408, "the request did not arrive in time"), {}, false);
  }
  close();
}

void Connection::stop_when_idle() {
  if (state_ == State::reading && !parser_) close();
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  tell_gone();
  error_code ec;
  socket_.close(ec);
  if (stream_) stream_->close();
  stream_.reset();
  out_.clear();
  if (place_) {
    --service_.connections;
    io_->leave(*place_);
    place_.reset();
  }
}

}  // namespace marquee::http
