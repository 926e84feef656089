#include "marquee/engine/store_server.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "exchange.h"
#include "marquee/base/logging.h"
#include "marquee/http/server.h"
#include "work_queue.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kPeek = 4096;
// An address may hold a query; ClickHouse takes one of 1 MiB (http_max_uri_size).
constexpr std::size_t kMostHeader = (std::size_t{1} << 20) + std::size_t{64} * 1024;

Result<std::vector<std::string>> table_functions(Pool& pool) {
  auto connection = pool.lend();
  if (!connection) return Error::give_up(connection.error().message);
  auto names = (*connection)->query("SELECT name FROM system.table_functions", "TSVRaw");
  if (!names) return Error::give_up("the engine does not tell its table functions: " + names.error().message);
  std::vector<std::string> out;
  for (std::size_t begin = 0, end = 0; (end = names->find('\n', begin)) != std::string::npos; begin = end + 1) {
    out.push_back(names->substr(begin, end - begin));
  }
  return out;
}

/// What a browser asks before a page of another origin may send its query; as ClickHouse answers.
http::Response preflight() {
  http::Response response;
  response.status = 204;
  response.headers.add("Access-Control-Allow-Origin", "*");
  response.headers.add("Access-Control-Allow-Headers",
                       "origin, x-requested-with, x-clickhouse-format, "
                       "x-clickhouse-user, x-clickhouse-key, Authorization");
  response.headers.add("Access-Control-Allow-Methods", "POST, GET, OPTIONS");
  response.headers.add("Access-Control-Max-Age", "86400");
  return response;
}

/// True for KILL, which must get through when every other thread is busy.
bool is_kill(const StoreRequest& store, const std::string& body) {
  if (!store.query.empty())
    return read_statement(std::string_view(store.query).substr(0, kPeek)).kind == Statement::Kind::kill;
  if (!store.content_encoding.empty() || body.size() > kPeek) return false;
  return read_statement(body).kind == Statement::Kind::kill;
}

}  // namespace

class StoreServer::Impl {
 public:
  explicit Impl(const StoreOptions& options)
      : admins_(options.concurrency, options.max_waiting),
        readers_(std::max(1U, options.concurrency / 2), options.max_waiting),
        kills_(1, options.max_waiting) {}

  Result<void> start(StoreOptions options) {
    auto pool = Pool::start(options.engine);
    if (!pool) return pool.error();
    auto functions = table_functions(**pool);
    if (!functions) return functions.error();
    shared_.pool = std::move(*pool);
    shared_.policy = std::make_unique<ReaderPolicy>(*functions);
    shared_.watch = std::make_unique<QueryWatch>(*shared_.pool);
    auto access = Access::open(options.engine.data_directory, options.users);
    if (!access) return access.error();
    shared_.access = std::move(*access);
    if (auto made = QueryLog::create(*shared_.pool); !made) return made.error();
    if (auto made = SessionLog::create(*shared_.pool); !made) return made.error();
    shared_.identity.timezone = shared_.pool->timezone();
    shared_.max_body_bytes = options.max_body_bytes;
    return listen(options);
  }

  Result<void> listen(const StoreOptions& options) {
    http::Router router;
    // One node has no replicas that could lag: its status is good while it answers.
    for (const char* path : {"/ping", "/replicas_status"}) {
      router.add("GET", path,
                 [](http::Request, http::Responder responder) { responder.send(http::Response::text(200, "Ok.\n")); });
    }
    const auto handle = [this](http::Request request, http::Responder responder) {
      accept(std::move(request), std::move(responder));
    };
    for (const char* path : {"/", "/query"}) {
      router.add("GET", path, handle);
      router.add("POST", path, handle);
      router.add("OPTIONS", path, [](http::Request, http::Responder responder) { responder.send(preflight()); });
    }
    http::ServerOptions server;
    server.address = options.address;
    server.port = options.port;
    server.worker_threads = 1;
    server.max_header_bytes = kMostHeader;
    server.max_body_for = [limit = options.max_body_bytes](std::string_view) { return limit; };
    server.read_timeout_ms = 300'000;
    server.max_connections = 1'000;
    // A client's pooled connections sit idle between its batches; each one closed under it costs it a repeat.
    server.idle_timeout_ms = 600'000;
    server_ = std::make_unique<http::Server>(std::move(server), std::move(router));
    return server_->start();
  }

  void accept(http::Request request, http::Responder responder) {
    AnswerWriter writer(std::move(responder), shared_.identity);
    if (request.method == "GET" && request.query.empty()) {
      static_cast<void>(writer.write("Ok.\n"));
      writer.finish({});
      return;
    }
    auto store = interpret(request);
    if (!store) {
      writer.fail(store.error());
      return;
    }
    auto caller = shared_.access->admit(*store);
    if (!caller || !store->session_id.empty()) shared_.logins.add(*store, caller ? nullptr : &caller.error());
    if (!caller) {
      writer.fail(caller.error());
      return;
    }
    // Where no password is asked for, any page that a browser here shows could send queries; it may not read answers.
    store->adds_cors_header = store->adds_cors_header && caller->has_password;
    WorkQueue& queue = caller->role == Role::reader ? readers_ : is_kill(*store, request.body) ? kills_ : admins_;
    const auto client = std::make_shared<Client>();
    caller->client = client;
    writer.on_client_gone([this, client] {
      client->has_left = true;
      shared_.watch->look_now();
    });
    auto shared_writer = std::make_shared<AnswerWriter>(std::move(writer));
    WorkQueue::Job job = [this, store = std::move(*store), caller = std::move(*caller), shared_writer,
                          body = std::move(request.body)]() mutable {
      Exchange(shared_, std::move(store), std::move(caller), std::move(*shared_writer)).run(std::move(body));
    };
    if (!queue.add(job)) {
      shared_writer->fail(
          failure(kTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "too many queries wait; try again in a moment"));
    }
  }

  bool stop(std::uint64_t grace_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
    if (server_ != nullptr) server_->stop(grace_ms);
    const bool admins = admins_.drain(deadline);
    const bool readers = readers_.drain(deadline);
    return kills_.drain(deadline) && admins && readers;
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] const std::string& engine_version() const { return shared_.pool->version(); }

 private:
  Shared shared_;
  std::unique_ptr<http::Server> server_;
  // Last, so that they end first: what they run uses all the rest.
  WorkQueue admins_;
  WorkQueue readers_;
  WorkQueue kills_;
};

StoreServer::StoreServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoreServer::~StoreServer() = default;

Result<std::unique_ptr<StoreServer>> StoreServer::start(StoreOptions options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto started = impl->start(std::move(options)); !started) return started.error();
  return std::unique_ptr<StoreServer>(new StoreServer(std::move(impl)));
}

std::uint16_t StoreServer::port() const { return impl_->port(); }
const std::string& StoreServer::engine_version() const { return impl_->engine_version(); }
bool StoreServer::stop(std::uint64_t grace_ms) { return impl_->stop(grace_ms); }

}  // namespace marquee::engine
