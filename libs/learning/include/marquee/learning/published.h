// How readers get at what one writer renews.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace marquee::learning {

/// A shared_ptr that one thread replaces while others read it. A reader holds the lock for the copy of a pointer alone
/// (tens of ns); what it got stays whole and the same for as long as it holds it, and is freed by whoever lets it go
/// last. Thread safe. (std::atomic<std::shared_ptr> takes a lock as well in libstdc++ 12, one that ThreadSanitizer
/// does not understand.)
template <class T>
class Published {
 public:
  void set(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);  // The old one is freed after the lock.
  }
  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace marquee::learning
