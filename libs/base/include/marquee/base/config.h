// Typed configuration: one YAML file, a default for every key, environment overrides, and refusal of unknown keys.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::config {

/// "250ms", "5s", "10m", "2h", "7d", "0": milliseconds.
[[nodiscard]] Result<std::uint64_t> parse_duration(std::string_view text);

/// One key as people see it. `name` is dotted ("collector.max_body"); the environment variable is MARQUEE_ plus the
/// name in capitals with dots as underscores (MARQUEE_COLLECTOR_MAX_BODY).
struct Key {
  std::string name;
  std::string description;
  std::string default_text;
  std::string bounds;   ///< "1 to 64", "local", or empty; for messages and `config print`.
  bool secret = false;  ///< Printed as "(set)" instead of its value.
  std::function<Result<void>(std::string_view text)> check;  ///< Says whether `set` would take it; stores nothing.
  std::function<Result<void>(std::string_view text)> set;    ///< Parses and stores, or says why not.
  std::function<std::string()> get;                          ///< The present value as text, also of a secret.
};

/// The keys of a program, each bound to a variable that it fills. The variables must outlive the schema.
/// Not thread safe; fill it at start.
class Schema {
 public:
  /// Scalars: text is parsed and bounds are checked. Durations are written "250ms", "5s", "7d"; sizes "64KiB", "2GiB".
  void add(std::string name, std::string* target, std::string description, bool secret = false);
  void add(std::string name, bool* target, std::string description);
  void add(std::string name, std::uint64_t* target, std::uint64_t min, std::uint64_t max, std::string description);
  void add(std::string name, double* target, double min, double max, std::string description);
  void add_duration(std::string name, std::uint64_t* target_ms, std::uint64_t min_ms, std::uint64_t max_ms,
                    std::string description);
  void add_size(std::string name, std::uint64_t* target_bytes, std::uint64_t min_bytes, std::uint64_t max_bytes,
                std::string description);
  void add_choice(std::string name, std::string* target, std::vector<std::string> choices, std::string description);

  /// Reads YAML text; `origin` names it in messages ("marquee.yaml"). An unknown key is refused, naming its line and
  /// the nearest known key; so is a value out of bounds. Nothing is half applied: on error no variable is changed.
  [[nodiscard]] Result<void> load_yaml(std::string_view yaml, std::string_view origin);

  /// Applies MARQUEE_* variables from `environment`. Unknown MARQUEE_* names are refused like unknown keys, unless
  /// listed in `ignored`.
  [[nodiscard]] Result<void> load_environment(const std::map<std::string, std::string>& environment,
                                              const std::vector<std::string>& ignored = {});

  /// The configuration in force as commented YAML: description, bounds, default and where the value came from.
  /// A secret that is set is a comment, so that what is printed can be kept as a configuration file.
  [[nodiscard]] std::string print() const;

  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }

 private:
  struct Setting;
  void add_key(Key key);
  [[nodiscard]] const Key* find(std::string_view name) const;
  [[nodiscard]] std::string nearest(std::string_view name) const;
  [[nodiscard]] Result<void> set_all(const std::vector<Setting>& settings);
  [[nodiscard]] Result<void> collect(const void* yaml_node, const std::string& prefix, std::string_view origin,
                                     std::vector<Setting>& out) const;
  [[nodiscard]] Error unknown(const std::string& name, std::string_view where) const;

  std::vector<Key> keys_;
  std::map<std::string, std::string> origins_;  ///< Of keys that are not at their default: "marquee.yaml:3".
};

}  // namespace marquee::config
