#include "external_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "native_type.h"
#include "words.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kMostParts = 100;

std::unexpected<Failure> broken_multipart(std::string_view why) {
  return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", fmt::format("the multipart body {}", why)));
}

std::unexpected<Failure> refused(std::string_view table, std::string_view why) {
  return std::unexpected(
      failure(kBadArguments, "BAD_ARGUMENTS", fmt::format("the external table {} {}", table.substr(0, 128), why)));
}

bool is_name_letter(char c) { return (small(c) >= 'a' && small(c) <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// `key="value"` of a header of a part; nothing where it has none.
std::optional<std::string> attribute(std::string_view line, std::string_view key) {
  const std::string wanted = fmt::format("{}=\"", key);
  for (std::size_t at = line.find(wanted); at != std::string_view::npos; at = line.find(wanted, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != ';') continue;  // filename= is not name=.
    const std::string_view rest = line.substr(at + wanted.size());
    const std::size_t end = rest.find('"');
    return end == std::string_view::npos ? std::nullopt : std::optional(std::string(rest.substr(0, end)));
  }
  return std::nullopt;
}

/// One part, between its boundaries.
Answer<FormPart> read_part(std::string_view text) {
  FormPart part;
  bool is_named = false;
  for (;;) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) return broken_multipart("has a part without an end of its headers");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    std::string field(line.substr(0, line.find(':')));
    std::ranges::transform(field, field.begin(), small);
    if (field != "content-disposition") continue;
    const auto name = attribute(line, "name");
    is_named = name.has_value();
    part.name = name.value_or("");
    part.is_file = attribute(line, "filename").has_value();
  }
  if (!is_named) return broken_multipart("has a part without a name");
  part.data = text;
  return part;
}

/// 'x' or 'x' = 1, as in an Enum.
bool is_text(std::string_view name) {
  const std::size_t close = name.find('\'', 1);
  if (!name.starts_with('\'') || close == std::string_view::npos || name.find('\\') != std::string_view::npos)
    return false;
  return std::ranges::all_of(name.substr(close + 1),
                             [](char c) { return c == ' ' || c == '=' || c == '-' || (c >= '0' && c <= '9'); });
}

/// The type written anew from its tree, with labels in quotes; nothing where it holds more than type names, numbers and
/// texts.
std::optional<std::string> written(const NativeType& type) {
  const bool is_name = !type.name.empty() && std::ranges::all_of(type.name, is_name_letter);
  if (!is_name && !is_text(type.name)) return std::nullopt;
  std::string arguments;
  for (const NativeType& argument : type.arguments) {
    const auto inner = written(argument);
    if (!inner) return std::nullopt;
    arguments += arguments.empty() ? "" : ", ";
    if (!argument.label.empty()) arguments += quote_name(argument.label) + ' ';
    arguments += *inner;
  }
  return arguments.empty() ? type.name : fmt::format("{}({})", type.name, arguments);
}

Answer<std::string> columns_of(std::string_view table, std::string_view list, bool has_names) {
  const auto row = parse_native_type(fmt::format("Tuple({})", list));
  if (!row || row->name != "Tuple" || row->arguments.empty())
    return refused(table, "has a structure that cannot be read");
  std::string columns;
  std::size_t number = 0;
  for (const NativeType& column : row->arguments) {
    ++number;
    if (column.label.empty() == has_names) return refused(table, "needs a name and a type for each column");
    const auto type = written(column);
    if (!type) return refused(table, "may have names and types alone in its structure");
    const std::string name = has_names ? column.label : fmt::format("_{}", number);
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", quote_name(name), *type);
  }
  return columns;
}

std::string_view find_parameter(const Parameters& parameters, const std::string& name) {
  const auto found = std::ranges::find(parameters, name, &Parameters::value_type::first);
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

Answer<std::vector<FormPart>> read_form(std::string_view body, std::string_view boundary) {
  const std::string mark = fmt::format("--{}", boundary);
  const std::string between = "\r\n" + mark;
  std::size_t at = body.find(mark);
  if (boundary.empty() || at == std::string_view::npos) return broken_multipart("has no boundary");
  std::vector<FormPart> parts;
  at += mark.size();
  while (!body.substr(at).starts_with("--")) {
    if (!body.substr(at).starts_with("\r\n")) return broken_multipart("has a boundary in the middle of a line");
    at += 2;
    const std::size_t end = body.find(between, at);
    if (end == std::string_view::npos) return broken_multipart("ends in a part");
    if (parts.size() == kMostParts) return broken_multipart(fmt::format("has more than {} parts", kMostParts));
    auto part = read_part(body.substr(at, end - at));
    if (!part) return std::unexpected(part.error());
    parts.push_back(std::move(*part));
    at = end + between.size();
  }
  return parts;
}

Answer<ExternalTable> read_external_table(const FormPart& part, const Parameters& described) {
  const std::string_view structure = find_parameter(described, part.name + "_structure");
  const std::string_view types = find_parameter(described, part.name + "_types");
  if (part.name.empty() || !std::ranges::all_of(part.name, is_name_letter))
    return refused(part.name, "has a name that is no word");
  if (structure.empty() && types.empty())
    return refused(part.name, "has no structure; send <name>_structure or <name>_types");
  auto columns = columns_of(part.name, structure.empty() ? types : structure, !structure.empty());
  if (!columns) return std::unexpected(columns.error());
  const std::string_view format = find_parameter(described, part.name + "_format");
  if (!std::ranges::all_of(format, is_name_letter)) return refused(part.name, "has a format that is no word");
  return ExternalTable{.name = part.name,
                       .columns = std::move(*columns),
                       .format = format.empty() ? "TabSeparated" : std::string(format),
                       .data = part.data};
}

Answer<> make_external_table(const ExternalTable& table, Connection& connection) {
  connection.spend();
  const std::string name = quote_name(table.name);
  auto made = connection.query(fmt::format("CREATE TEMPORARY TABLE {} ({})", name, table.columns), "Null");
  if (!made) return std::unexpected(made.error());
  return connection.insert(fmt::format("INSERT INTO {}", name), table.format, {}, table.data);
}

}  // namespace marquee::engine
