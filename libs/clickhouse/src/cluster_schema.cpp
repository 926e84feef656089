#include "marquee/clickhouse/cluster_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "sql_words.h"

namespace marquee::clickhouse {
namespace {

struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

std::string edited(std::string_view sql, const std::vector<Edit>& edits) {
  std::multimap<std::size_t, const Edit*> ordered;  // Those of one place stay in the order in which they came.
  for (const Edit& edit : edits) ordered.emplace(edit.begin, &edit);
  std::string out;
  std::size_t at = 0;
  for (const auto& [begin, edit] : ordered) {
    out.append(sql.substr(at, begin - at)).append(edit->text);
    at = edit->end;
  }
  return out.append(sql.substr(at));
}

/// marquee.x becomes marquee_local.x wherever it is named, unless each node has all of it.
void move_to_shard(const std::vector<SqlWord>& words, std::vector<Edit>& edits) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool is_member = i != 0 && words[i - 1].is_symbol('.');
    const bool is_ours = words[i].text == kDatabase && words[i + 1].is_symbol('.') && i + 2 < words.size();
    if (is_ours && !is_member && placement_of(words[i + 2].text) != Placement::cluster)
      edits.push_back({words[i].begin, words[i].end(), std::string(kShardDatabase)});
  }
}

/// The first word `keyword` outside of all parentheses.
std::optional<std::size_t> find_clause(const std::vector<SqlWord>& words, std::string_view keyword) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].depth == 0 && words[i].is(keyword)) return i;
  }
  return std::nullopt;
}

}  // namespace

bool is_cluster_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

Placement placement_of(std::string_view table) {
  constexpr std::array everywhere = {"migrations",   "pipeline",      "dead_letters", "dead_letter_replays",
                                     "landed_plans", "segment_users", "inventories"};
  if (std::ranges::find(everywhere, table) != everywhere.end()) return Placement::cluster;
  // What shuts inserts out must hold on a node from the moment that it was written there: replicas come to know of each
  // other's rows later. So these are written to each replica, and none is left out.
  constexpr std::array own = {"loaders_replaced",    "rebuilds", "loaders",
                              "loaders_out_of_date", "rewinds",  "rollup_definitions"};
  return std::ranges::find(own, table) == own.end() ? Placement::shard : Placement::node;
}

/// CREATE, ALTER or DROP of one object.
struct ClusterSchema::Parsed {
  std::string_view sql;
  std::vector<SqlWord> words;
  std::size_t name = 0;  ///< Index of the object's name, behind its database.
  [[nodiscard]] std::string table() const { return std::string(words[name].text); }
};

ClusterSchema::ClusterSchema(std::string cluster, bool is_ddl_distributed) : cluster_(std::move(cluster)) {
  if (is_ddl_distributed) on_cluster_ = fmt::format(" ON CLUSTER `{}`", cluster_);
}

Result<std::vector<std::string>> ClusterSchema::render(std::string_view statement) {
  Parsed parsed{statement, sql_words(statement), 0};
  const auto& words = parsed.words;
  const auto unknown = [&] {
    return Error::give_up(fmt::format("there is no form for a cluster of: {}", statement.substr(0, 200)));
  };
  std::size_t at = 0;
  const auto skip = [&](std::string_view keyword) { return at < words.size() && words[at].is(keyword) && ++at != 0; };
  const bool is_create = skip("CREATE");
  const bool is_alter = !is_create && skip("ALTER");
  if (!is_create && !is_alter && !skip("DROP")) return unknown();
  const bool is_database = skip("DATABASE");
  const bool is_table = !is_database && skip("TABLE");
  bool is_of_readers = false;  // A view that nothing is inserted through.
  if (!is_database && !is_table) {
    is_of_readers = !skip("MATERIALIZED");
    if (!skip("VIEW")) return unknown();
  }
  if (skip("IF")) {
    (void)skip("NOT");
    (void)skip("EXISTS");
  }
  if (at >= words.size() || words[at].text != kDatabase) return unknown();
  if (is_database) {
    const auto made = [&](std::string_view name) {
      return edited(statement, {{words[at].begin, words[at].end(), std::string(name) + on_cluster_}});
    };
    return std::vector<std::string>{made(kDatabase), made(kShardDatabase)};
  }
  if (at + 2 >= words.size() || !words[at + 1].is_symbol('.')) return unknown();
  parsed.name = at + 2;

  std::vector<std::string> more;
  if (is_create && is_table) {
    auto first = render_table(parsed, more);
    if (!first) return first.error();
    more.insert(more.begin(), std::move(*first));
    return more;
  }
  std::vector<Edit> edits = {{words[parsed.name].end(), words[parsed.name].end(), on_cluster_}};
  const bool is_of_columns = is_alter && parsed.name + 2 < words.size() && words[parsed.name + 2].is("COLUMN");
  // What readers ask has the columns too, but none of a table's settings, indices or times to live.
  if (engines_.contains(parsed.table()) && placement_of(parsed.table()) == Placement::shard &&
      (is_of_columns || !is_alter))
    more.push_back(edited(statement, edits));
  if (!is_of_readers) move_to_shard(words, edits);
  more.insert(more.begin(), edited(statement, edits));
  return more;
}

Result<std::string> ClusterSchema::render_table(const Parsed& parsed, std::vector<std::string>& more) {
  const auto& words = parsed.words;
  const std::string table = parsed.table();
  std::vector<Edit> edits = {{words[parsed.name].end(), words[parsed.name].end(), on_cluster_}};
  move_to_shard(words, edits);
  const auto clause = find_clause(words, "ENGINE");
  std::string engine;
  if (clause) {
    engine = parsed.sql.substr(words[*clause].begin);
  } else {
    // AS another, without an engine of its own.
    const auto as = find_clause(words, "AS");
    const bool is_named = as && *as + 3 < words.size() && engines_.contains(std::string(words[*as + 3].text));
    if (!is_named) return Error::give_up(fmt::format("marquee.{} has no engine that is known", table));
    engine = engines_.at(std::string(words[*as + 3].text));
  }
  const auto engine_words = sql_words(engine);
  const bool is_kept = engine_words.size() > 2 && engine_words[2].text.ends_with("MergeTree");
  if (is_kept) engines_[table] = engine;
  if (is_kept && placement_of(table) != Placement::node) engine = replicated(engine, table);
  if (is_kept && placement_of(table) == Placement::shard) more.push_back(reader(table));
  const std::size_t begin = clause ? words[*clause].begin : parsed.sql.size();
  std::erase_if(edits, [&](const Edit& edit) { return edit.begin >= begin; });
  edits.push_back({begin, parsed.sql.size(), engine});
  return edited(parsed.sql, std::move(edits));
}

std::string ClusterSchema::replicated(std::string_view engine, std::string_view table) const {
  const bool is_everywhere = placement_of(table) == Placement::cluster;
  const std::string place = is_everywhere
                                ? fmt::format("'/clickhouse/tables/{}/{}', '{{shard}}_{{replica}}'", kDatabase, table)
                                : fmt::format("'/clickhouse/tables/{{shard}}/{}/{}', '{{replica}}'", kDatabase, table);
  const auto words = sql_words(engine);
  const SqlWord& name = words[2];  // ENGINE = name
  std::vector<Edit> edits = {{name.begin, name.begin, "Replicated"}};
  if (words.size() > 3 && words[3].is_symbol('(')) {
    edits.push_back({words[3].end(), words[3].end(), place + (words[4].is_symbol(')') ? "" : ", ")});
  } else {
    edits.push_back({name.end(), name.end(), fmt::format("({})", place)});
  }
  const std::string window =
      fmt::format("replicated_deduplication_window = {}, replicated_deduplication_window_seconds = {}",
                  kTokenWindowBlocks, kTokenWindowSeconds);
  if (const auto settings = find_clause(words, "SETTINGS")) {
    edits.push_back({words[*settings].end(), words[*settings].end(), fmt::format(" {},", window)});
  } else {
    edits.push_back({words.back().end(), words.back().end(), fmt::format("\nSETTINGS {}", window)});
  }
  return edited(engine, std::move(edits));
}

std::string ClusterSchema::reader(std::string_view table) const {
  return fmt::format("CREATE TABLE IF NOT EXISTS {}.{}{} AS {}.{}\nENGINE = Distributed('{}', '{}', '{}')\n", kDatabase,
                     table, on_cluster_, kShardDatabase, table, cluster_, kShardDatabase, table);
}

}  // namespace marquee::clickhouse
