// A real marquee-store for tests: started on a free port over a directory of its own, killed at will, started again.
#pragma once

#include <string>

#include <sys/types.h>

namespace marquee::clickhouse::testing {

/// Path of the marquee-store to test with: $MARQUEE_STORE_BIN, else the one beside this test. Empty where there is
/// none; a test then skips, with why_no_store(). (A sanitized build has none of its own: libchdb cannot run in one.)
[[nodiscard]] std::string store_binary();
[[nodiscard]] std::string why_no_store();

class StoreProcess {
 public:
  /// Starts the store over a new directory and waits until it answers.
  StoreProcess();
  ~StoreProcess();
  StoreProcess(const StoreProcess&) = delete;
  StoreProcess& operator=(const StoreProcess&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void start();
  void kill_now();  ///< SIGKILL, and waits for its end.
  /// Waits until the store answers; false after a minute.
  [[nodiscard]] bool is_up() const;

 private:
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace marquee::clickhouse::testing
