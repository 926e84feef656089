#include "marquee/feed/description.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>

#include "json_parts.h"
#include "marquee/base/nearest.h"
#include "marquee/event/field_names.h"

namespace marquee::feed {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr std::size_t kMaxFeeds = 100;
constexpr std::size_t kMaxMappings = 200;
constexpr std::size_t kMaxFieldPath = 32;
constexpr std::size_t kMaxValues = 10'000;
constexpr std::string_view kUserAgent = "user_agent";
constexpr std::string_view kHeaders = "$headers.";

constexpr std::array<std::string_view, 3> kFormats = {"json", "avro", "protobuf"};
constexpr std::array<std::string_view, 4> kUnits = {"ns", "us", "ms", "s"};
constexpr std::array<std::string_view, 5> kOrigins = {"$key", "$timestamp", "$topic", "$partition", "$offset"};

/// Thrown inside this file only: yaml-cpp throws anyway, and most of what is read here may be wrong.
struct Wrong {
  YAML::Mark mark;
  std::string why;
};

[[noreturn]] void refuse(const YAML::Node& node, std::string why) { throw Wrong{node.Mark(), std::move(why)}; }

std::string scalar_text(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar()) refuse(node, fmt::format("{}: must be a single value", what));
  return node.Scalar();
}

/// A scalar as JSON: quoted text stays text, and what looks like a number, true or false is one.
std::string json_of(const YAML::Node& node, std::string_view what) {
  const std::string text = scalar_text(node, what);
  const bool is_quoted = node.Tag() == "!";
  if (!is_quoted && (text == "true" || text == "false" || is_json_number(text))) return text;
  std::string json;
  append_json_string(json, text);
  return json;
}

template <class Names>
std::size_t choice_of(const YAML::Node& node, std::string_view what, const Names& names) {
  const std::string text = scalar_text(node, what);
  const auto found = std::ranges::find(names, text);
  if (found == names.end())
    refuse(node, fmt::format("{}: \"{}\" is not one of: {}", what, text, fmt::join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

bool bool_of(const YAML::Node& node, std::string_view what) {
  const std::string text = scalar_text(node, what);
  if (text != "true" && text != "false") refuse(node, fmt::format("{}: \"{}\" is neither true nor false", what, text));
  return text == "true";
}

/// Gives each entry of a map to `take`, which says whether it knows the key.
template <class Names, class Take>
void for_each_key(const YAML::Node& map, std::string_view what, const Names& known, Take take) {
  if (!map.IsMap()) refuse(map, fmt::format("{}: must be a map of keys (\"name: value\")", what));
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string name = scalar_text(entry.first, what);
    if (!seen.insert(name).second) refuse(entry.first, fmt::format("{}: {} is there twice", what, name));
    if (std::ranges::find(known, name) == known.end())
      refuse(entry.first,
             fmt::format("{}: unknown key \"{}\"; did you mean \"{}\"?", what, name, nearest(name, known)));
    take(name, entry.second);
  }
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    names.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

void read_mapping_path(const YAML::Node& node, Mapping& mapping) {
  const std::string& field = mapping.field;
  if (node.IsSequence()) {  // Names that hold dots are written as a list.
    for (const auto& name : node) mapping.path.push_back(scalar_text(name, field));
  } else {
    const std::string text = scalar_text(node, field);
    if (text.starts_with(kHeaders)) {
      mapping.origin = Origin::header;
      mapping.path = {text.substr(kHeaders.size())};
    } else if (text == "$value") {
      return;
    } else if (text.starts_with('$')) {
      const auto found = std::ranges::find(kOrigins, text);
      if (found == kOrigins.end())
        refuse(node, fmt::format("{}: \"{}\" is not one of: $value, {}, $headers.NAME", field, text,
                                 fmt::join(kOrigins, ", ")));
      constexpr std::array kinds = {Origin::key, Origin::timestamp, Origin::topic, Origin::partition, Origin::offset};
      mapping.origin = kinds[static_cast<std::size_t>(found - kOrigins.begin())];
    } else {
      mapping.path = split(text);
    }
  }
  if (mapping.path.size() > kMaxFieldPath)
    refuse(node, fmt::format("{}: a path of more than {} names", field, kMaxFieldPath));
  if (std::ranges::find(mapping.path, "") != mapping.path.end())
    refuse(node, fmt::format("{}: an empty name in the path", field));
}

void read_values(const YAML::Node& node, Mapping& mapping) {
  if (!node.IsMap() || node.size() == 0)
    refuse(node, fmt::format("{}: values: must be a map (\"VIEW: impression\")", mapping.field));
  if (node.size() > kMaxValues) refuse(node, fmt::format("{}: more than {} values", mapping.field, kMaxValues));
  for (const auto& entry : node) {
    const std::string value = scalar_text(entry.first, mapping.field);
    if (!mapping.values.emplace(value, json_of(entry.second, mapping.field)).second)
      refuse(entry.first, fmt::format("{}: value {} is there twice", mapping.field, value));
  }
}

Mapping read_mapping(const std::string& field, const YAML::Node& node) {
  Mapping mapping;
  mapping.field = field;
  if (!node.IsMap()) {
    read_mapping_path(node, mapping);
    return mapping;
  }
  constexpr std::array<std::string_view, 5> kKeys = {"from", "constant", "values", "otherwise", "unit"};
  bool has_source = false;
  for_each_key(node, field, kKeys, [&](const std::string& key, const YAML::Node& value) {
    if (key == "from" || key == "constant") {
      if (has_source) refuse(value, fmt::format("{}: from and constant exclude each other", field));
      has_source = true;
    }
    if (key == "from") read_mapping_path(value, mapping);
    if (key == "constant") {
      mapping.origin = Origin::constant;
      mapping.constant = json_of(value, field);
    }
    if (key == "values") read_values(value, mapping);
    if (key == "otherwise") mapping.otherwise = json_of(value, field);
    if (key == "unit") {
      if (!event::is_time_field(field)) refuse(value, fmt::format("{}: is no time, so it has no unit", field));
      mapping.unit = static_cast<TimeUnit>(choice_of(value, field + ".unit", kUnits));
    }
  });
  if (!has_source) refuse(node, fmt::format("{}: needs from or constant", field));
  return mapping;
}

void check_field(const YAML::Node& node, const std::string& field) {
  if (field == "site_id") refuse(node, "site_id: is the feed's site");
  if (field == kUserAgent || event::is_field(field)) return;
  if (field.starts_with(kProps) && field.size() > kProps.size()) return;
  auto names = event::field_names();
  names.push_back(kUserAgent);
  refuse(node, fmt::format("unknown field \"{}\"; did you mean \"{}\"? (what is your own goes under \"props.{}\")",
                           field, nearest(field, names), field));
}

void read_fields(const YAML::Node& node, Description& feed) {
  if (!node.IsMap() || node.size() == 0)
    refuse(node, "fields: must be a map of event fields (\"campaign_id: payload.campaign\")");
  if (node.size() > kMaxMappings) refuse(node, fmt::format("fields: more than {}", kMaxMappings));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string field = scalar_text(entry.first, "fields");
    check_field(entry.first, field);
    if (!seen.insert(field).second) refuse(entry.first, fmt::format("{} is there twice", field));
    feed.mappings.push_back(read_mapping(field, entry.second));
  }
  if (!seen.contains("type") && !seen.contains("event_type")) refuse(node, "fields: an event needs a type");
}

void read_registry(const YAML::Node& node, Description& feed) {
  constexpr std::array<std::string_view, 3> kKeys = {"url", "user", "password"};
  for_each_key(node, "schema_registry", kKeys, [&](const std::string& key, const YAML::Node& value) {
    const std::string text = scalar_text(value, "schema_registry." + key);
    if (key == "url") {
      if (!text.starts_with("http://") || text.size() == 7)
        refuse(value, fmt::format("schema_registry.url: \"{}\" is not http://host:port[/path]", text));
      feed.registry_url = text.substr(0, text.find_last_not_of('/') + 1);
    }
    if (key == "user") feed.registry_user = text;
    if (key == "password") feed.registry_password = text;
  });
}

void check_name(const YAML::Node& node, std::string_view what, const std::string& name, std::size_t longest) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (name.empty() || name.size() > longest || !std::ranges::all_of(name, is_good))
    refuse(node, fmt::format("{}: \"{}\" is not 1 to {} letters, digits, '-', '_' and '.'", what, name.substr(0, 300),
                             longest));
}

Description read_feed(const YAML::Node& node) {
  constexpr std::array<std::string_view, 8> kKeys = {"name", "topic",   "format", "schema_registry",
                                                     "site", "trusted", "start",  "fields"};
  constexpr std::array<std::string_view, 2> kStarts = {"earliest", "latest"};
  Description feed;
  for_each_key(node, "feed", kKeys, [&](const std::string& key, const YAML::Node& value) {
    if (key == "name") check_name(value, key, feed.name = scalar_text(value, key), 64);
    if (key == "topic") check_name(value, key, feed.topic = scalar_text(value, key), 249);
    if (key == "format") feed.format = static_cast<Format>(choice_of(value, key, kFormats));
    if (key == "schema_registry") read_registry(value, feed);
    if (key == "site") check_name(value, key, feed.site = scalar_text(value, key), 128);
    if (key == "trusted") feed.is_trusted = bool_of(value, key);
    if (key == "start") feed.from_end = choice_of(value, key, kStarts) == 1;
    if (key == "fields") read_fields(value, feed);
  });
  const std::array<std::pair<std::string_view, bool>, 4> needed = {{{"name", !feed.name.empty()},
                                                                    {"topic", !feed.topic.empty()},
                                                                    {"site", !feed.site.empty()},
                                                                    {"fields", !feed.mappings.empty()}}};
  for (const auto& [key, is_there] : needed) {
    if (!is_there) refuse(node, fmt::format("a feed needs {}", key));
  }
  if (feed.format != Format::json && feed.registry_url.empty())
    refuse(node, fmt::format("feed {}: {} needs schema_registry.url", feed.name,
                             kFormats[static_cast<std::size_t>(feed.format)]));
  return feed;
}

std::vector<Description> read_document(const YAML::Node& document) {
  constexpr std::array<std::string_view, 1> kKeys = {"feeds"};
  std::vector<Description> feeds;
  std::set<std::string> names;
  for_each_key(document, "the feeds file", kKeys, [&](const std::string&, const YAML::Node& list) {
    if (!list.IsSequence()) refuse(list, "feeds: must be a list (\"- name: ...\")");
    if (list.size() > kMaxFeeds) refuse(list, fmt::format("feeds: more than {}", kMaxFeeds));
    for (const auto& node : list) {
      feeds.push_back(read_feed(node));
      if (!names.insert(feeds.back().name).second)
        refuse(node, fmt::format("feed {} is there twice", feeds.back().name));
    }
  });
  return feeds;
}

std::string print_source(const Mapping& mapping) {
  switch (mapping.origin) {
    case Origin::constant:
      return "constant: " + mapping.constant;
    case Origin::header:
      return "from: " + json_quoted("$headers." + mapping.path[0]);
    case Origin::value: {
      if (mapping.path.empty()) return "from: $value";
      std::vector<std::string> names;
      for (const auto& name : mapping.path) names.push_back(json_quoted(name));
      return fmt::format("from: [{}]", fmt::join(names, ", "));
    }
    default:
      return fmt::format("from: {}",
                         kOrigins[static_cast<std::size_t>(mapping.origin) - static_cast<std::size_t>(Origin::key)]);
  }
}

std::string print_mapping(const Mapping& mapping) {
  std::string out = fmt::format("      {}: {{{}", json_quoted(mapping.field), print_source(mapping));
  if (!mapping.values.empty()) {
    out += ", values: {";
    for (const auto& [value, becomes] : mapping.values)
      out += fmt::format("{}{}: {}", out.ends_with('{') ? "" : ", ", json_quoted(value), becomes);
    out += '}';
  }
  if (!mapping.otherwise.empty()) out += ", otherwise: " + mapping.otherwise;
  if (event::is_time_field(mapping.field) && mapping.origin != Origin::constant)
    out += fmt::format(", unit: {}", kUnits[static_cast<std::size_t>(mapping.unit)]);
  return out + "}\n";
}

}  // namespace

Result<std::vector<Description>> parse_feeds(std::string_view yaml, std::string_view origin) {
  if (yaml.size() > kMaxFileBytes) return Error::reject(fmt::format("{}: is larger than 1 MiB", origin));
  const auto at = [&](const YAML::Mark& mark, const std::string& why) {
    return Error::reject(fmt::format("{}:{}: {}", origin, mark.line + 1, why));
  };
  try {
    const YAML::Node document = YAML::Load(std::string(yaml));
    return read_document(document);
  } catch (const Wrong& wrong) {
    return at(wrong.mark, wrong.why);
  } catch (const YAML::Exception& e) {
    return at(e.mark, fmt::format("is not YAML: {}", e.msg));
  } catch (const std::exception& e) {
    return Error::reject(fmt::format("{}: is not YAML: {}", origin, e.what()));
  }
}

std::string print_feeds(const std::vector<Description>& feeds) {
  std::string out = "feeds:\n";
  for (const Description& feed : feeds) {
    out += fmt::format("  - name: {}\n    topic: {}\n    format: {}\n", json_quoted(feed.name), json_quoted(feed.topic),
                       kFormats[static_cast<std::size_t>(feed.format)]);
    if (!feed.registry_url.empty()) {
      out += fmt::format("    schema_registry:\n      url: {}\n", json_quoted(feed.registry_url));
      if (!feed.registry_user.empty()) out += fmt::format("      user: {}\n", json_quoted(feed.registry_user));
      if (!feed.registry_password.empty()) out += "      # password: (set)\n";
    }
    out += fmt::format("    site: {}\n    trusted: {}\n    start: {}\n    fields:\n", json_quoted(feed.site),
                       feed.is_trusted, feed.from_end ? "latest" : "earliest");
    for (const Mapping& mapping : feed.mappings) out += print_mapping(mapping);
  }
  return out;
}

}  // namespace marquee::feed
