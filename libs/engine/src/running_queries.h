// The query ids in use, so that a running one is not taken twice.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace marquee::engine {

/// Thread safe.
class RunningQueries {
 public:
  /// Holds an id until it goes.
  class Held {
   public:
    Held(RunningQueries* all, std::string id) : all_(all), id_(std::move(id)) {}
    ~Held() {
      if (all_ != nullptr) all_->release(id_);
    }
    Held(Held&& other) noexcept : all_(other.all_), id_(std::move(other.id_)) { other.all_ = nullptr; }
    Held& operator=(Held&&) = delete;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    RunningQueries* all_;
    std::string id_;
  };

  /// Empty where `id` is running.
  [[nodiscard]] std::optional<Held> hold(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    if (!ids_.insert(id).second) return std::nullopt;
    return std::optional<Held>(std::in_place, this, id);
  }

 private:
  void release(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    ids_.erase(id);
  }
  std::mutex mutex_;
  std::set<std::string> ids_;
};

}  // namespace marquee::engine
