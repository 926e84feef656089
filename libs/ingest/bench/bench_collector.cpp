// bench_collector collector DIRECTORY | bare: serves until SIGTERM what bench/collector.py loads, prints its port, and
// at the end how many events it has made durable. `collector` is the collector as `marquee serve` runs it, on a local
// log with fsync in DIRECTORY; `bare` is its peer: a server of the same HTTP library that parses nothing and keeps
// nothing.
#include <fmt/format.h>
#include <cstdio>
#include <string_view>

#include "marquee/base/signals.h"
#include "marquee/http/server.h"
#include "marquee/ingest/collector.h"
#include "marquee/log/local_log.h"

namespace {

using namespace marquee;

int serve(http::Router router, const sigset_t& endings) {
  http::Server server(http::ServerOptions{}, std::move(router));
  if (const auto started = server.start(); !started) {
    fmt::print(stderr, "{}\n", started.error().message);
    return 1;
  }
  fmt::print("{}\n", server.port());
  std::fflush(stdout);
  int which = 0;
  sigwait(&endings, &which);
  server.stop();
  return 0;
}

int collect(std::string directory, const sigset_t& endings) {
  log::LocalLogOptions options;
  options.directory = std::move(directory);
  options.partitions = 4;
  options.max_bytes = std::uint64_t{64} << 30;
  auto log = log::open_local_log(options);
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().message);
    return 1;
  }
  ingest::Collector collector({}, **log, [](std::string_view key) -> std::optional<ingest::WriteKey> {
    if (key != "mk_bench") return std::nullopt;
    ingest::WriteKey owner;
    owner.site_id = "campus";
    return owner;
  });
  http::Router router;
  collector.add_routes(router);
  const int status = serve(std::move(router), endings);
  log::Offset records = 0;
  for (log::Partition p = 0; p < (*log)->partitions(); ++p) records += (*log)->end(p);
  fmt::print("{}\n", records);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const sigset_t endings = block_ending_signals();
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "collector" && argc == 3) return collect(argv[2], endings);
  if (mode == "bare" && argc == 2) {
    http::Router router;
    router.add("POST", "/v1/events", [](http::Request, http::Responder responder) {
      responder.send(http::Response::json(200, R"({"accepted":0,"rejected":[]})"));
    });
    return serve(std::move(router), endings);
  }
  fmt::print(stderr, "usage: bench_collector collector DIRECTORY | bare\n");
  return 2;
}
