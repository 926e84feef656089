#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "config_setting.h"
#include "config_text.h"

namespace marquee::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

std::string at(std::string_view origin, const YAML::Mark& mark) { return fmt::format("{}:{}", origin, mark.line + 1); }

/// Ignores the content of documents; what is wanted is where they end.
class Skip final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// YAML::LoadAll would tell too, but yaml-cpp 0.7 never returns from it for input such as "\n,".
bool has_second_document(const std::string& yaml) {
  std::istringstream in(yaml);
  YAML::Parser parser(in);
  Skip skip;
  return parser.HandleNextDocument(skip) && parser.HandleNextDocument(skip);
}

/// The name by which people know an unknown section: its first key, which says what was meant.
std::string first_leaf(const std::string& name, const YAML::Node& node) {
  if (!node.IsMap() || node.size() == 0) return name;
  const YAML::Node key = node.begin()->first;
  return key.IsScalar() ? name + "." + key.Scalar() : name;
}

void print_key(const Key& key, const std::string& origin, std::string_view name, std::size_t depth, std::string& out) {
  const std::string indent(depth * 2, ' ');
  const std::string value = key.get();
  const bool hidden = key.secret && !value.empty();
  if (!key.description.empty()) out += fmt::format("{}# {}\n", indent, key.description);
  out += fmt::format("{}# {}Default: {}. From: {}.\n", indent, key.bounds.empty() ? "" : key.bounds + ". ",
                     key.secret ? (key.default_text.empty() ? "not set" : "(set)") : yaml_scalar(key.default_text),
                     origin);
  if (hidden) {
    out += fmt::format("{}# {}: (set)\n", indent, name);
  } else {
    out += fmt::format("{}{}: {}\n", indent, name, yaml_scalar(value));
  }
}

void print_section(const std::vector<Key>& keys, const std::map<std::string, std::string>& origins,
                   const std::string& prefix, std::size_t depth, std::string& out) {
  std::set<std::string> sections;
  for (const Key& key : keys) {
    if (!key.name.starts_with(prefix)) continue;
    const std::string rest = key.name.substr(prefix.size());
    const std::size_t dot = rest.find('.');
    if (dot == std::string::npos) {
      const auto origin = origins.find(key.name);
      print_key(key, origin == origins.end() ? "default" : origin->second, rest, depth, out);
      continue;
    }
    const std::string section = rest.substr(0, dot);
    if (!sections.insert(section).second) continue;
    out += fmt::format("{}{}{}:\n", depth == 0 && !out.empty() ? "\n" : "", std::string(depth * 2, ' '), section);
    print_section(keys, origins, prefix + section + ".", depth + 1, out);
  }
}

}  // namespace

Result<void> Schema::collect(const void* yaml_node, const std::string& prefix, std::string_view origin,
                             std::vector<Setting>& out) const {
  const auto& map = *static_cast<const YAML::Node*>(yaml_node);
  for (const auto& entry : map) {
    const YAML::Node& name_node = entry.first;
    const YAML::Node& value = entry.second;
    const std::string where = at(origin, name_node.Mark());
    if (!name_node.IsScalar()) return Error::reject(where + ": a key must be a word");
    const std::string name = prefix + name_node.Scalar();
    if (const Key* key = find(name)) {
      if (!value.IsScalar()) return Error::reject(fmt::format("{}: {}: must be a single value", where, name));
      const auto twice = std::find_if(out.begin(), out.end(), [&](const Setting& s) { return s.key == key; });
      if (twice != out.end()) {
        return Error::reject(fmt::format("{}: {}: was already set at {}", where, name, twice->origin));
      }
      out.push_back({key, name, value.Scalar(), where});
      continue;
    }
    const std::string section = name + ".";
    const bool known =
        std::any_of(keys_.begin(), keys_.end(), [&](const Key& k) { return k.name.starts_with(section); });
    if (!known) return unknown(first_leaf(name, value), where);
    if (value.IsNull()) continue;  // A section whose keys are all commented out.
    if (!value.IsMap()) return Error::reject(fmt::format("{}: {}: is a section; put its keys under it", where, name));
    if (auto inner = collect(&value, section, origin, out); !inner) return inner;
  }
  return {};
}

Result<void> Schema::load_yaml(std::string_view yaml, std::string_view origin) {
  if (yaml.size() > kMaxFileBytes) return Error::reject(fmt::format("{}: is larger than 1 MiB", origin));
  std::vector<Setting> settings;
  try {
    const std::string text(yaml);
    if (has_second_document(text)) return Error::reject(fmt::format("{}: holds more than one YAML document", origin));
    const YAML::Node document = YAML::Load(text);
    if (document.IsNull()) return {};
    if (!document.IsMap()) {
      return Error::reject(fmt::format("{}: must be a map of keys (\"name: value\")", at(origin, document.Mark())));
    }
    if (auto collected = collect(&document, "", origin, settings); !collected) return collected;
  } catch (const YAML::Exception& e) {
    return Error::reject(fmt::format("{}: is not YAML: {}", at(origin, e.mark), e.msg));
  } catch (const std::exception& e) {
    return Error::reject(fmt::format("{}: is not YAML: {}", origin, e.what()));
  }
  return set_all(settings);
}

std::string Schema::print() const {
  std::string out;
  print_section(keys_, origins_, "", 0, out);
  return out;
}

}  // namespace marquee::config
