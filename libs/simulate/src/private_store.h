// A marquee-store of one's own, for as long as it takes to make a file.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/http/client.h"

namespace marquee::simulate {

/// Keeps its data in `directory`, which it makes and removes. It listens on a free port of 127.0.0.1 with a password of
/// its own, and dies with this process. Not thread safe.
class PrivateStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<PrivateStore>> start(const std::string& binary,
                                                                   const std::string& directory);
  ~PrivateStore();
  PrivateStore(const PrivateStore&) = delete;
  PrivateStore& operator=(const PrivateStore&) = delete;

  /// Runs a statement with `data` after it.
  [[nodiscard]] Result<void> run(std::string_view statement, std::string_view data = {});
  /// Gives the answer in pieces; `on_data` returns false to cancel.
  [[nodiscard]] Result<void> read(std::string_view statement, const std::function<bool(std::string_view)>& on_data);

 private:
  explicit PrivateStore(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] Result<void> launch(const std::string& binary);
  [[nodiscard]] Result<void> connect(int announcements);

  std::string directory_;
  std::string password_;
  pid_t pid_ = 0;
  std::unique_ptr<http::Client> client_;
};

}  // namespace marquee::simulate
