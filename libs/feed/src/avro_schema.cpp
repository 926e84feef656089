#include "avro_schema.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "decoder.h"
#include "json_parts.h"

namespace marquee::feed {
namespace {

namespace dom = simdjson::dom;
using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

constexpr std::size_t kMaxTypes = 20'000;
constexpr std::uint32_t kMaxScale = 38;
constexpr std::size_t kMaxFixed = 1u << 20u;

std::optional<Kind> primitive(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {"null",  "boolean", "int",   "long",
                                                      "float", "double",  "bytes", "string"};
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kNames.begin());
}

std::uint64_t number_of(dom::object object, std::string_view name, std::uint64_t otherwise) {
  std::uint64_t number;
  return object[name].get(number) == simdjson::SUCCESS ? number : otherwise;
}

Logical logical_of(dom::object object, const AvroType& type) {
  struct Fit {
    std::string_view name;
    Logical logical;
    Kind kind;
  };
  constexpr std::array kFits = {Fit{"date", Logical::date, Kind::int_},
                                Fit{"time-millis", Logical::time_millis, Kind::int_},
                                Fit{"time-micros", Logical::time_micros, Kind::long_},
                                Fit{"timestamp-millis", Logical::timestamp_millis, Kind::long_},
                                Fit{"timestamp-micros", Logical::timestamp_micros, Kind::long_},
                                Fit{"timestamp-nanos", Logical::timestamp_nanos, Kind::long_},
                                Fit{"local-timestamp-millis", Logical::timestamp_millis, Kind::long_},
                                Fit{"local-timestamp-micros", Logical::timestamp_micros, Kind::long_},
                                Fit{"local-timestamp-nanos", Logical::timestamp_nanos, Kind::long_},
                                Fit{"decimal", Logical::decimal, Kind::bytes},
                                Fit{"decimal", Logical::decimal, Kind::fixed},
                                Fit{"uuid", Logical::uuid, Kind::fixed}};
  const std::string name = text_of(object, "logicalType");
  const auto fit =
      std::ranges::find_if(kFits, [&](const Fit& one) { return one.name == name && one.kind == type.kind; });
  if (fit == kFits.end()) return Logical::none;
  if (fit->logical == Logical::decimal && number_of(object, "scale", 0) > kMaxScale) return Logical::none;
  if (fit->logical == Logical::uuid && type.size != 16) return Logical::none;
  return fit->logical;
}

}  // namespace

/// Reads the schemas one after the other; named types of all are known to those that follow.
class AvroSchemaReader {
 public:
  explicit AvroSchemaReader(AvroSchema& schema) : schema_(schema) {}

  Result<const AvroType*> read(std::string_view json) {
    dom::parser parser;
    dom::element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS) {
      // Some registries give the name of a primitive bare.
      if (const auto kind = primitive(json)) return add(*kind);
      return Error::reject(fmt::format("the schema is not JSON: {}", simdjson::error_message(error)));
    }
    return read_type(root, "", 0);
  }

 private:
  Result<AvroType*> add(Kind kind) {
    if (schema_.types_.size() >= kMaxTypes)
      return Error::reject(fmt::format("the schema has more than {} types", kMaxTypes));
    schema_.types_.push_back(std::make_unique<AvroType>());
    schema_.types_.back()->kind = kind;
    return schema_.types_.back().get();
  }

  Result<const AvroType*> read_type(dom::element element, const std::string& space, std::size_t depth) {
    if (depth > kMaxDepth) return Error::reject(fmt::format("the schema is nested deeper than {} levels", kMaxDepth));
    std::string_view name;
    if (element.get(name) == simdjson::SUCCESS) return named(name, space);
    if (dom::array branches; element.get(branches) == simdjson::SUCCESS) return read_union(branches, space, depth);
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS)
      return Error::reject("a type of the schema is neither name, list nor object");
    dom::element inner;
    if (object["type"].get(inner) != simdjson::SUCCESS) return Error::reject("a type of the schema has no \"type\"");
    if (inner.get(name) != simdjson::SUCCESS) return read_type(inner, space, depth + 1);
    if (name == "array" || name == "map") return read_container(object, name == "array", space, depth);
    if (name == "record" || name == "error") return read_record(object, space, depth);
    if (name == "enum") return read_enum(object, space);
    if (name == "fixed") return read_fixed(object, space);
    const auto kind = primitive(name);
    if (!kind) return named(name, space);
    auto type = add(*kind);
    if (!type) return type.error();
    (*type)->logical = logical_of(object, **type);
    (*type)->scale = static_cast<std::uint32_t>(number_of(object, "scale", 0));
    return *type;
  }

  Result<const AvroType*> named(std::string_view name, const std::string& space) {
    if (const auto kind = primitive(name)) return add(*kind);
    for (const std::string& full : {full_name(name, space), std::string(name)}) {
      if (const auto found = names_.find(full); found != names_.end()) return found->second;
    }
    return Error::reject(fmt::format("the schema names a type that it does not have: \"{}\"", name.substr(0, 200)));
  }

  static std::string full_name(std::string_view name, const std::string& space) {
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return fmt::format("{}.{}", space, name);
  }

  /// Makes a named type; `space` becomes the one that its own names are of.
  Result<AvroType*> add_named(dom::object object, Kind kind, std::string& space) {
    const std::string name = text_of(object, "name");
    if (name.empty()) return Error::reject("a named type of the schema has no name");
    std::string_view own_space;
    if (object["namespace"].get(own_space) == simdjson::SUCCESS) space = own_space;
    const std::string full = full_name(name, space);
    const auto dot = full.rfind('.');
    space = dot == std::string::npos ? std::string() : full.substr(0, dot);
    auto type = add(kind);
    if (!type) return type;
    if (!names_.emplace(full, *type).second)
      return Error::reject(fmt::format("the schema has two types \"{}\"", full.substr(0, 200)));
    return type;
  }

  Result<const AvroType*> read_union(dom::array branches, const std::string& space, std::size_t depth) {
    auto type = add(Kind::union_);
    if (!type) return type.error();
    for (auto branch : branches) {
      auto read = read_type(branch, space, depth + 1);
      if (!read) return read;
      (*type)->branches.push_back(*read);
    }
    return *type;
  }

  Result<const AvroType*> read_container(dom::object object, bool is_array, const std::string& space,
                                         std::size_t depth) {
    auto type = add(is_array ? Kind::array : Kind::map);
    if (!type) return type.error();
    dom::element inner;
    if (object[is_array ? "items" : "values"].get(inner) != simdjson::SUCCESS)
      return Error::reject("an array of the schema has no \"items\", or a map no \"values\"");
    auto read = read_type(inner, space, depth + 1);
    if (!read) return read;
    (*type)->branches = {*read};
    return *type;
  }

  Result<const AvroType*> read_record(dom::object object, std::string space, std::size_t depth) {
    auto type = add_named(object, Kind::record, space);
    if (!type) return type.error();
    dom::array fields;
    if (object["fields"].get(fields) != simdjson::SUCCESS)
      return Error::reject("a record of the schema has no \"fields\"");
    for (auto element : fields) {
      dom::object field;
      dom::element inner;
      if (element.get(field) != simdjson::SUCCESS || field["type"].get(inner) != simdjson::SUCCESS)
        return Error::reject("a field of the schema has no type");
      auto read = read_type(inner, space, depth + 1);
      if (!read) return read;
      (*type)->fields.push_back({text_of(field, "name"), *read});
    }
    return *type;
  }

  Result<const AvroType*> read_enum(dom::object object, std::string space) {
    auto type = add_named(object, Kind::enum_, space);
    if (!type) return type.error();
    dom::array symbols;
    if (object["symbols"].get(symbols) != simdjson::SUCCESS)
      return Error::reject("an enum of the schema has no \"symbols\"");
    for (auto symbol : symbols) {
      std::string_view text;
      if (symbol.get(text) != simdjson::SUCCESS) return Error::reject("a symbol of the schema is no text");
      (*type)->symbols.emplace_back(text);
    }
    return *type;
  }

  Result<const AvroType*> read_fixed(dom::object object, std::string space) {
    auto type = add_named(object, Kind::fixed, space);
    if (!type) return type.error();
    const auto size = number_of(object, "size", kMaxFixed + 1);
    if (size > kMaxFixed) return Error::reject("a fixed of the schema has no size, or one beyond a mebibyte");
    (*type)->size = size;
    (*type)->logical = logical_of(object, **type);
    (*type)->scale = static_cast<std::uint32_t>(number_of(object, "scale", 0));
    return *type;
  }

  AvroSchema& schema_;
  std::map<std::string, const AvroType*> names_;
};

Result<std::shared_ptr<const AvroSchema>> AvroSchema::parse(const std::vector<std::string_view>& schemas) {
  auto schema = std::make_shared<AvroSchema>();
  AvroSchemaReader reader(*schema);
  for (const std::string_view json : schemas) {
    const auto root = reader.read(json);
    if (!root) return root.error();
    schema->root_ = *root;
  }
  if (schema->root_ == nullptr) return Error::reject("there is no schema");
  return std::shared_ptr<const AvroSchema>(std::move(schema));
}

}  // namespace marquee::feed
