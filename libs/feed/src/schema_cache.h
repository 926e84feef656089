// Schemas, each fetched and compiled once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "schema_registry.h"

namespace marquee::feed {

/// Thread safe. Who asks for what is being fetched waits for it.
template <class Schema>
class SchemaCache {
 public:
  using Compiled = Result<std::shared_ptr<const Schema>>;

  SchemaCache(std::shared_ptr<SchemaRegistry> registry, std::function<Compiled(const RegisteredSchema&)> compile)
      : registry_(std::move(registry)), compile_(std::move(compile)) {}

  /// Errors as SchemaRegistry::schema and `compile` give them. What the registry does not have is asked for each time:
  /// it may be registered the next moment, and its messages must not pay for one that came before.
  [[nodiscard]] Compiled find(std::uint32_t id) {
    constexpr std::size_t kMostKept = 10'000;
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(id); found != kept_.end()) return found->second;
    const auto fetched = registry_->schema(id);
    if (!fetched) return fetched.error();
    Compiled compiled = compile_(*fetched);
    if (kept_.size() >= kMostKept) kept_.clear();
    kept_.emplace(id, compiled);
    return compiled;
  }

 private:
  const std::shared_ptr<SchemaRegistry> registry_;
  const std::function<Compiled(const RegisteredSchema&)> compile_;
  std::mutex mutex_;
  std::map<std::uint32_t, Compiled> kept_;  ///< An id is of one schema for ever.
};

}  // namespace marquee::feed
