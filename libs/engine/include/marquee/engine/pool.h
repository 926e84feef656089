// The engine with its connections: as many side by side as asked for, opened when needed, reused while clean.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/engine/connection.h"

namespace marquee::engine {

struct EngineOptions {
  std::filesystem::path library;         ///< See find_library().
  std::filesystem::path data_directory;  ///< Made if missing.
  std::size_t max_memory_bytes = 0;      ///< For all queries and merges; 0: six tenths of the machine's memory.
  unsigned background_threads = 2;       ///< For merges.
};

/// Starts the engine and lends its connections. Thread safe. One per process, as the engine allows one data directory.
class Pool {
 public:
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection);
    ~Lease();
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Starts the engine on its data. Action::give_up says what an operator must do.
  [[nodiscard]] static Result<std::unique_ptr<Pool>> start(EngineOptions options);
  ~Pool();

  /// A clean connection, idle or new. How many are lent at once is the caller's to bound. Prefers one whose current
  /// database is `database`. The lease must end before the pool.
  [[nodiscard]] Answer<Lease> lend(std::string_view database = "default");

  /// The engine's own version(), for people.
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::string& timezone() const { return timezone_; }

 private:
  explicit Pool(std::shared_ptr<const Library> library);
  void give_back(std::unique_ptr<Connection> connection);
  Result<void> look_at_engine();

  std::shared_ptr<const Library> library_;
  std::vector<std::string> arguments_;
  std::unique_ptr<Connection> keeper_;  // Closing the last connection would stop the engine.
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::string version_;
  std::string timezone_;
};

}  // namespace marquee::engine
