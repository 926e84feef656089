#include "marquee/engine/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "words.h"

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::array kHarmlessTableFunctions = {
    "numbers"sv, "numbers_mt"sv,     "zeros"sv,           "zeros_mt"sv,       "values"sv, "sqlstandardvalues"sv,
    "view"sv,    "generateseries"sv, "generate_series"sv, "generaterandom"sv, "null"sv,   "format"sv,
    "primes"sv};

// Functions, not tables, that read the machine, call out, or tell about the server.
constexpr std::array kRefusedFunctions = {"file"sv,
                                          "catboostevaluate"sv,
                                          "aiclassify"sv,
                                          "aiextract"sv,
                                          "aigenerate"sv,
                                          "aitranslate"sv,
                                          "aiembed"sv,
                                          "filesystemavailable"sv,
                                          "filesystemcapacity"sv,
                                          "filesystemunreserved"sv,
                                          "getclienthttpheader"sv,
                                          "getmacro"sv,
                                          "getserverport"sv,
                                          "getserversetting"sv,
                                          "showcertificate"sv,
                                          "serveruuid"sv,
                                          "fullhostname"sv,
                                          "fqdn"sv,
                                          "hascolumnintable"sv,  // Of another host too.
                                          "tcpport"sv,
                                          "getmergetreesetting"sv,
                                          "hostname"sv,
                                          "getoskernelversion"sv,
                                          "addresstoline"sv,
                                          "addresstolinewithinlines"sv,
                                          "addresstosymbol"sv,
                                          "demangle"sv,
                                          "__getscalar"sv,
                                          "authuser"sv,
                                          "authenticateduser"sv,
                                          "trap"sv,
                                          "logtrace"sv,
                                          "structuretocapnprotoschema"sv,
                                          "structuretoprotobufschema"sv,
                                          "reload"sv};

constexpr std::array kRoots = {"SelectWithUnionQuery"sv,
                               "SelectQuery"sv,
                               "SelectIntersectExceptQuery"sv,
                               "ShowTables"sv,
                               "ShowColumns"sv,
                               "ShowFunctions"sv,
                               "ShowSetting"sv,
                               "ShowIndexes"sv,
                               "ShowEngines"sv,
                               "ShowCreateTableQuery"sv,
                               "ShowCreateViewQuery"sv,
                               "DescribeQuery"sv,
                               "ExistsTableQuery"sv,
                               "ExistsDatabaseQuery"sv,
                               "ExistsViewQuery"sv,
                               "Explain"sv};

constexpr std::array kExplains = {"EXPLAIN"sv,          "EXPLAIN AST"sv,        "EXPLAIN SYNTAX"sv,
                                  "EXPLAIN PIPELINE"sv, "EXPLAIN QUERY TREE"sv, "EXPLAIN PLAN"sv,
                                  "EXPLAIN ESTIMATE"sv};

constexpr std::array kSystemTables = {
    "one"sv,           "numbers"sv,         "numbers_mt"sv, "zeros"sv,
    "zeros_mt"sv,      "tables"sv,          "columns"sv,    "databases"sv,
    "functions"sv,     "formats"sv,         "settings"sv,   "data_type_families"sv,
    "table_engines"sv, "table_functions"sv, "time_zones"sv, "aggregate_function_combinators"sv,
    "keywords"sv,      "collations"sv,      "parts"sv,      "parts_columns"sv,
    "partitions"sv};

constexpr std::array kSettings = {"max_execution_time"sv,
                                  "max_result_rows"sv,
                                  "max_result_bytes"sv,
                                  "max_threads"sv,
                                  "max_block_size"sv,
                                  "max_rows_to_read"sv,
                                  "max_bytes_to_read"sv,
                                  "max_rows_to_group_by"sv,
                                  "result_overflow_mode"sv,
                                  "extremes"sv,
                                  "join_use_nulls"sv,
                                  "session_timezone"sv,
                                  "limit"sv,
                                  "offset"sv,
                                  "date_time_output_format"sv,
                                  "log_comment"sv,
                                  "send_progress_in_http_headers"sv,
                                  "http_zlib_compression_level"sv,
                                  "cancel_http_readonly_queries_on_client_close"sv,
                                  "http_headers_progress_interval_ms"sv,
                                  "network_compression_method"sv,
                                  "network_zstd_compression_level"sv,
                                  "max_memory_usage"sv,
                                  "readonly"sv};

constexpr std::array kInsertSettings = {"async_insert"sv,
                                        "wait_for_async_insert"sv,
                                        "async_insert_deduplicate"sv,
                                        "insert_deduplicate"sv,
                                        "insert_deduplication_token"sv,
                                        "date_time_input_format"sv,
                                        "input_format_skip_unknown_fields"sv,
                                        "input_format_null_as_default"sv,
                                        "input_format_defaults_for_omitted_fields"sv,
                                        "input_format_with_names_use_header"sv,
                                        "input_format_with_types_use_header"sv,
                                        "max_insert_block_size"sv};

/// The node's text without its tail " (alias x)" and " (children 2)".
std::string_view without_tail(std::string_view node) {
  return node.substr(0, std::min({node.find(" (alias "), node.find(" (children "), node.size()}));
}

std::optional<std::string> refusal_of_table(std::string_view table) {
  constexpr std::string_view kSystem = "system.";
  if (!table.starts_with(kSystem)) return std::nullopt;
  std::string_view name = table.substr(kSystem.size());
  name = name.substr(0, name.find('.'));
  if (has(kSystemTables, name)) return std::nullopt;
  return fmt::format("a reader may not read system.{}", name);
}

}  // namespace

ReaderPolicy::ReaderPolicy(const std::vector<std::string>& table_functions) {
  for (const std::string_view name : kRefusedFunctions) refused_functions_.emplace(name);
  for (const std::string& function : table_functions) {
    if (std::string name = lower(function); !has(kHarmlessTableFunctions, name))
      refused_functions_.insert(std::move(name));
  }
}

std::optional<std::string> ReaderPolicy::refusal_of_node(std::string_view node) const {
  const std::size_t space = node.find(' ');
  const std::string_view type = node.substr(0, space);
  const std::string_view rest =
      space == std::string_view::npos ? std::string_view() : without_tail(node.substr(space + 1));
  // Its function is not in the tree, so nothing can be said for it.
  // The engine holds the settings of a whole query to readonly, those of a part of it to nothing.
  if (type == "Set") return "a reader sends settings beside the query, not in it";
  if (type == "ColumnsApplyTransformer") return "a reader may not use APPLY";
  if (type == "Function" && refused_functions_.contains(lower(rest)))
    return fmt::format("a reader may not use {}()", rest);
  if (type == "TableIdentifier" || type == "Identifier") return refusal_of_table(rest);
  if (type.starts_with("ShowCreate")) {  // "ShowCreateTableQuery database table"
    std::string table(rest);
    if (const std::size_t between = table.find(' '); between != std::string::npos) table[between] = '.';
    return refusal_of_table(table);
  }
  return std::nullopt;
}

// A name that holds a line break looks like further nodes here. That can only add nodes, and so only refusals.
std::optional<std::string> ReaderPolicy::refusal(std::string_view tree) const {
  const std::string_view root = without_tail(tree.substr(0, tree.find('\n')));
  const std::string_view type = root.substr(0, root.find(' '));
  if (!has(kRoots, type)) return fmt::format("a reader may not run {}", type.empty() ? "this" : type);
  if (type == "Explain" && !has(kExplains, root.substr(std::min(root.size(), type.size() + 1)))) {
    return fmt::format("a reader may not run {}", root);
  }
  return refusal_of_functions(tree);
}

bool ReaderPolicy::is_harmless_table_function(std::string_view name) {
  const std::string plain = lower(name);
  return has(kHarmlessTableFunctions, std::string_view(plain));
}

std::optional<std::string> ReaderPolicy::refusal_of_functions(std::string_view tree) const {
  while (!tree.empty()) {
    const std::size_t end = std::min(tree.find('\n'), tree.size());
    std::string_view node = tree.substr(0, end);
    tree.remove_prefix(std::min(end + 1, tree.size()));
    node.remove_prefix(std::min(node.find_first_not_of(' '), node.size()));
    if (auto refused = refusal_of_node(node); refused) return refused;
  }
  return std::nullopt;
}

std::optional<std::string> ReaderPolicy::refusal_of_database(std::string_view database) {
  if (lower(database) != "system") return std::nullopt;
  return "a reader may not have system as its database";
}

std::optional<std::string> ReaderPolicy::refusal_of_insert_setting(std::string_view name) {
  if (has(kInsertSettings, name)) return std::nullopt;
  return refusal_of_setting(name);
}

// A quoted name may be escaped in many ways; whoever quotes one for a table of the server's is refused by the engine,
// which lets nobody insert there.
bool ReaderPolicy::is_of_the_server(std::string_view name) {
  if (name.size() >= 2 && (name.front() == '`' || name.front() == '"')) name = name.substr(1, name.size() - 2);
  const std::string plain = lower(name);
  return plain == "system" || plain == "information_schema";
}

std::optional<std::string> ReaderPolicy::refusal_of_setting(std::string_view name) {
  if (name.starts_with("output_format_") || has(kSettings, name)) return std::nullopt;
  return fmt::format("a reader may not change the setting {}", name);
}

}  // namespace marquee::engine
