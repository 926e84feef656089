#include "marquee/base/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "config_setting.h"
#include "config_text.h"
#include "marquee/base/nearest.h"

namespace marquee::config {
namespace {

constexpr std::string_view kEnvironmentPrefix = "MARQUEE_";

std::string environment_name(std::string_view key) {
  std::string name(kEnvironmentPrefix);
  for (const char c : key) name += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

/// Builds the key of a type from how its text is read, judged and written.
template <class T, class Parse, class Format>
Key typed_key(std::string name, T* target, std::string description, std::string bounds, Parse parse, Format format) {
  Key key;
  key.name = std::move(name);
  key.description = std::move(description);
  key.default_text = format(*target);
  key.bounds = std::move(bounds);
  key.check = [parse](std::string_view text) -> Result<void> {
    if (auto value = parse(text); !value) return value.error();
    return {};
  };
  key.set = [parse, target](std::string_view text) -> Result<void> {
    auto value = parse(text);
    if (!value) return value.error();
    *target = std::move(*value);
    return {};
  };
  key.get = [target, format] { return format(*target); };
  return key;
}

template <class T, class Format>
std::string bounds_text(T min, T max, Format format) {
  if (max == std::numeric_limits<T>::max()) return "at least " + format(min);
  return fmt::format("{} to {}", format(min), format(max));
}

/// `parse`, then a refusal of what lies outside [min, max].
template <class T, class Parse>
auto bounded(Parse parse, T min, T max, std::string bounds) {
  return [=](std::string_view text) -> Result<T> {
    auto value = parse(text);
    if (value && (*value < min || *value > max)) {
      return Error::reject(fmt::format("\"{}\" is out of bounds ({})", text, bounds));
    }
    return value;
  };
}

template <class T, class Parse, class Format>
Key bounded_key(std::string name, T* target, T min, T max, std::string description, Parse parse, Format format) {
  const std::string bounds = bounds_text(min, max, format);
  return typed_key(std::move(name), target, std::move(description), bounds, bounded(parse, min, max, bounds), format);
}

}  // namespace

void Schema::add_key(Key key) { keys_.push_back(std::move(key)); }

void Schema::add(std::string name, std::string* target, std::string description, bool secret) {
  Key key = typed_key(
      std::move(name), target, std::move(description), "",
      [](std::string_view text) -> Result<std::string> { return std::string(text); },
      [](const std::string& value) { return value; });
  key.secret = secret;
  add_key(std::move(key));
}

void Schema::add(std::string name, bool* target, std::string description) {
  add_key(typed_key(std::move(name), target, std::move(description), "true or false", parse_bool,
                    [](bool value) { return std::string(value ? "true" : "false"); }));
}

void Schema::add(std::string name, std::uint64_t* target, std::uint64_t min, std::uint64_t max,
                 std::string description) {
  add_key(bounded_key(std::move(name), target, min, max, std::move(description), parse_count,
                      [](std::uint64_t value) { return fmt::to_string(value); }));
}

void Schema::add(std::string name, double* target, double min, double max, std::string description) {
  add_key(bounded_key(std::move(name), target, min, max, std::move(description), parse_real,
                      [](double value) { return fmt::to_string(value); }));
}

void Schema::add_duration(std::string name, std::uint64_t* target_ms, std::uint64_t min_ms, std::uint64_t max_ms,
                          std::string description) {
  add_key(
      bounded_key(std::move(name), target_ms, min_ms, max_ms, std::move(description), parse_duration, format_duration));
}

void Schema::add_size(std::string name, std::uint64_t* target_bytes, std::uint64_t min_bytes, std::uint64_t max_bytes,
                      std::string description) {
  add_key(bounded_key(std::move(name), target_bytes, min_bytes, max_bytes, std::move(description), parse_size,
                      format_size));
}

void Schema::add_choice(std::string name, std::string* target, std::vector<std::string> choices,
                        std::string description) {
  const std::string bounds = fmt::format("{}", fmt::join(choices, ", "));
  const auto parse = [choices = std::move(choices), bounds](std::string_view text) -> Result<std::string> {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
    return Error::reject(fmt::format("\"{}\" is not one of: {}", text, bounds));
  };
  add_key(typed_key(std::move(name), target, std::move(description), bounds, parse,
                    [](const std::string& value) { return value; }));
}

const Key* Schema::find(std::string_view name) const {
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name == name; });
  return key == keys_.end() ? nullptr : &*key;
}

std::string Schema::nearest(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const Key& key : keys_) names.push_back(key.name);
  return std::string(marquee::nearest(name, names));
}

Error Schema::unknown(const std::string& name, std::string_view where) const {
  if (keys_.empty()) return Error::reject(fmt::format("{}: unknown key \"{}\"", where, name));
  return Error::reject(fmt::format("{}: unknown key \"{}\"; did you mean \"{}\"?", where, name, nearest(name)));
}

Result<void> Schema::set_all(const std::vector<Setting>& settings) {
  // All are judged before the first is stored, so that an error leaves every variable as it was.
  for (const Setting& setting : settings) {
    if (auto good = setting.key->check(setting.text); !good) {
      return Error::reject(fmt::format("{}: {}: {}", setting.origin, setting.name, good.error().message));
    }
  }
  for (const Setting& setting : settings) {
    if (auto stored = setting.key->set(setting.text); !stored) return stored;
    origins_[setting.key->name] = setting.origin;
  }
  return {};
}

Result<void> Schema::load_environment(const std::map<std::string, std::string>& environment,
                                      const std::vector<std::string>& ignored) {
  std::map<std::string, const Key*> known;
  for (const Key& key : keys_) known.emplace(environment_name(key.name), &key);
  std::vector<Setting> settings;
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kEnvironmentPrefix)) continue;
    if (const auto found = known.find(name); found != known.end()) {
      settings.push_back({found->second, name, text, "environment"});
      continue;
    }
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) continue;
    std::string dotted = name.substr(kEnvironmentPrefix.size());
    for (char& c : dotted) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    return Error::reject(
        fmt::format("environment: unknown variable {}; did you mean {}?", name, environment_name(nearest(dotted))));
  }
  return set_all(settings);
}

}  // namespace marquee::config
