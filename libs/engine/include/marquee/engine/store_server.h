// The store: ClickHouse's HTTP interface over the engine in this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/engine/pool.h"
#include "marquee/engine/users.h"

namespace marquee::engine {

struct StoreOptions {
  EngineOptions engine;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8123;                          ///< 0 takes a free one.
  std::vector<User> users;                            ///< Who is none of these is refused.
  unsigned concurrency = 8;                           ///< Statements at once; readers get half of as many besides.
  std::size_t max_waiting = 512;                      ///< Requests that wait for their turn; beyond, 503.
  std::size_t max_body_bytes = std::size_t{2} << 30;  ///< As sent and, again, once decompressed.
};

/// Serves until stopped. Thread safe.
class StoreServer {
 public:
  /// Starts the engine and listens. Action::give_up says what to do about a taken port or a missing engine.
  [[nodiscard]] static Result<std::unique_ptr<StoreServer>> start(StoreOptions options);
  ~StoreServer();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const std::string& engine_version() const;
  /// Takes no new connections, lets running statements end for at most `grace_ms`. False where some still run.
  bool stop(std::uint64_t grace_ms);

 private:
  class Impl;
  explicit StoreServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::engine
