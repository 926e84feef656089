#include "lying_proxy.h"

#include <fmt/format.h>

#include <stdexcept>

namespace marquee::ingest::testing {
namespace {

constexpr unsigned kWorkers = 6;

bool is_insert_of_events(const http::Request& request) {
  const auto statement = request.query_parameter("query");
  return statement && (statement->find(".events_entry ") != std::string::npos ||
                       statement->find(".events_repair_entry ") != std::string::npos);
}

http::Response clickhouse_error(int code, const std::string& text) {
  auto response = http::Response::text(500, fmt::format("Code: {}. DB::Exception: {}\n", code, text));
  response.headers.add("X-ClickHouse-Exception-Code", std::to_string(code));
  return response;
}

/// Of what the server and the client write themselves.
http::Headers without_framing(const http::Headers& headers) {
  http::Headers kept;
  for (const auto& [name, value] : headers.fields()) {
    http::Headers one;
    one.add(name, value);
    const bool is_framing = one.has("Content-Length") || one.has("Transfer-Encoding") || one.has("Connection") ||
                            one.has("Host") || one.has("Date") || one.has("Keep-Alive");
    if (!is_framing) kept.add(name, value);
  }
  return kept;
}

void break_connection(http::Responder& responder) { responder.stream(http::Response::text(200, ""))->close(false); }

}  // namespace

LyingProxy::LyingProxy(const std::string& store_url) : store_(store_url, {.timeout_ms = 0, .pool_size = kWorkers}) {
  for (unsigned i = 0; i < kWorkers; ++i)
    workers_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
  http::Router router;
  const auto take = [this](http::Request request, http::Responder responder) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::move(request), std::make_shared<http::Responder>(std::move(responder)));
    changed_.notify_one();
  };
  router.add("POST", "/", take);
  router.add("GET", "/ping", take);
  http::ServerOptions options;
  options.max_body_bytes = std::size_t{64} << 20;
  server_ = std::make_unique<http::Server>(options, std::move(router));
  if (auto started = server_->start(); !started) throw std::runtime_error(started.error().message);
}

LyingProxy::~LyingProxy() {
  for (auto& worker : workers_) worker.request_stop();
  workers_.clear();
  server_->stop(0);
}

std::string LyingProxy::url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

void LyingProxy::lie(std::function<Lie()> draw) {
  const std::lock_guard lock(mutex_);
  draw_ = std::move(draw);
}

void LyingProxy::cut_after(Lie lie) {
  const std::lock_guard lock(mutex_);
  draw_ = [this, lie] {  // Called with the lock.
    is_cut_ = true;
    return lie;
  };
}

void LyingProxy::mend() {
  const std::lock_guard lock(mutex_);
  is_cut_ = false;
  draw_ = nullptr;
}

std::map<Lie, unsigned> LyingProxy::told() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

std::size_t LyingProxy::release(std::size_t limit) {
  std::size_t taken = 0;
  for (; limit != 0; --limit) {
    Kept one;
    {
      const std::lock_guard lock(mutex_);
      if (late_.empty()) break;
      one = std::move(late_.front());
      late_.pop_front();
    }
    const auto answer = store_.send("POST", one.target, one.headers, one.body, 0);
    if (answer && answer->status == 200) ++taken;
  }
  return taken;
}

void LyingProxy::work(std::stop_token stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
    auto [request, responder] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    serve(std::move(request), std::move(*responder));
  }
}

void LyingProxy::serve(http::Request request, http::Responder responder) {
  Lie lie = Lie::none;
  bool is_cut = false;
  {
    const std::lock_guard lock(mutex_);
    is_cut = is_cut_;
    if (!is_cut && is_insert_of_events(request)) {
      if (draw_) lie = draw_();
      ++told_[lie];
    }
  }
  if (is_cut) return break_connection(responder);
  Kept kept{request.path + (request.query.empty() ? "" : "?" + request.query), without_framing(request.headers),
            std::move(request.body)};
  if (lie == Lie::late || lie == Lie::late_behind_gateway) {
    const std::lock_guard lock(mutex_);
    late_.push_back(std::move(kept));
    if (lie == Lie::late) return break_connection(responder);
    return responder.send(http::Response::text(504, "gateway timeout"));
  }
  if (lie == Lie::broken_before) return break_connection(responder);
  if (lie == Lie::too_many_parts) return responder.send(clickhouse_error(252, "too many parts"));
  if (lie == Lie::out_of_memory) return responder.send(clickhouse_error(241, "memory limit exceeded"));
  if (lie == Lie::swallowed) return responder.send(http::Response::text(200, "welcome"));
  auto answer = store_.send(request.method, kept.target, kept.headers, kept.body, 0);
  if (!answer) return break_connection(responder);
  if (lie == Lie::broken_after_landing) return break_connection(responder);
  if (lie == Lie::gateway_after_landing) return responder.send(http::Response::text(503, "upstream reset"));
  if (lie == Lie::error_after_landing) return responder.send(clickhouse_error(252, "too many parts"));
  answer->headers = without_framing(answer->headers);
  responder.send(std::move(*answer));
}

}  // namespace marquee::ingest::testing
