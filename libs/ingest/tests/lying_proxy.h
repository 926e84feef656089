// Stands between the loader and a real store, and lies about what became of an insert.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "marquee/http/client.h"
#include "marquee/http/server.h"

namespace marquee::ingest::testing {

/// What becomes of an insert of the loader's.
enum class Lie {
  none,
  broken_after_landing,   ///< It landed; the connection breaks.
  broken_before,          ///< It never reaches the store; the connection breaks.
  error_after_landing,    ///< It landed; the answer is ClickHouse's "too many parts".
  gateway_after_landing,  ///< It landed; the answer is a gateway's 503.
  late,                   ///< The connection breaks; the insert reaches the store with release().
  late_behind_gateway,    ///< The same, but a gateway answers 504.
  too_many_parts,         ///< Not sent on; ClickHouse's error 252.
  out_of_memory,          ///< Not sent on; ClickHouse's error 241.
  swallowed,              ///< Not sent on; somebody else's 200.
};
inline constexpr unsigned kLies = static_cast<unsigned>(Lie::swallowed) + 1;

/// Thread safe.
class LyingProxy {
 public:
  explicit LyingProxy(const std::string& store_url);
  ~LyingProxy();
  [[nodiscard]] std::string url() const;

  /// Of each insert the lie is drawn from `draw`, until there is another; null: none.
  void lie(std::function<Lie()> draw);
  /// The next insert is told `lie`, and then nobody reaches the store until mend().
  void cut_after(Lie lie);
  void mend();
  /// What is late reaches the store now, the oldest first, at most `limit`; returns how many of them it took.
  std::size_t release(std::size_t limit = 1'000'000);
  [[nodiscard]] std::map<Lie, unsigned> told() const;

 private:
  struct Kept {
    std::string target;
    http::Headers headers;
    std::string body;
  };
  void work(std::stop_token stop);
  void serve(http::Request request, http::Responder responder);

  http::Client store_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<http::Request, std::shared_ptr<http::Responder>>> waiting_;
  std::deque<Kept> late_;
  std::function<Lie()> draw_;
  std::map<Lie, unsigned> told_;
  bool is_cut_ = false;
  std::vector<std::jthread> workers_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace marquee::ingest::testing
