#include "marquee/clickhouse/migrations.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <iterator>
#include <map>

#include "marquee/base/logging.h"

namespace marquee::clickhouse {
namespace {

/// The database may not be there yet, so migrations speak to the one that always is, and name tables in full.
QueryOptions options() {
  QueryOptions options;
  options.settings["database"] = "default";
  options.timeout_ms = 0;
  return options;
}

struct Applied {
  std::string name;
  std::string checksum;
};

Result<std::map<unsigned, Applied>> applied_migrations(Client& client) {
  std::map<unsigned, Applied> applied;
  auto exists = client.table("SELECT count() FROM system.tables WHERE database = 'marquee' AND name = 'migrations'", {},
                             options());
  if (!exists) return exists.error();
  if (exists->rows.empty() || exists->rows.front().front() == "0") return applied;
  auto table = client.table("SELECT number, name, checksum FROM marquee.migrations ORDER BY number", {}, options());
  if (!table) return table.error();
  for (auto& row : table->rows) {
    unsigned number = 0;
    std::from_chars(row[0].data(), row[0].data() + row[0].size(), number);
    applied[number] = {row[1], row[2]};
  }
  return applied;
}

}  // namespace

std::string migration_checksum(std::string_view sql) {
  const XXH128_hash_t hash = XXH3_128bits(sql.data(), sql.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  std::string statement;
  while (!sql.empty()) {
    const std::size_t end = sql.find('\n');
    std::string_view line = sql.substr(0, end);
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line.substr(first).starts_with("--")) continue;
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    const bool is_last = line.ends_with(';');
    if (is_last) line.remove_suffix(1);
    statement.append(line).push_back('\n');
    if (is_last) statements.push_back(std::exchange(statement, {}));
  }
  if (!statement.empty()) statements.push_back(std::move(statement));
  return statements;
}

Result<std::vector<std::string>> statements_of(const Migration& migration, ClusterSchema* schema) {
  auto statements = split_statements(migration.sql);
  if (schema == nullptr) return statements;
  std::vector<std::string> rendered;
  for (const std::string& statement : statements) {
    auto some = schema->render(statement);
    if (!some) return some.error();
    rendered.insert(rendered.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  return rendered;
}

Result<std::vector<MigrationState>> migration_status(Client& client, const std::vector<Migration>& migrations) {
  auto applied = applied_migrations(client);
  if (!applied) return applied.error();
  std::vector<MigrationState> states;
  for (const Migration& migration : migrations) {
    const auto found = applied->find(migration.number);
    if (found != applied->end() && found->second.checksum != migration.checksum) {
      return Error::give_up(fmt::format(
          "migration {:04} ({}) was applied to the store with another text (checksum {}, this program has {}): use the "
          "program version that made this store, or start from an empty store directory",
          migration.number, migration.name, found->second.checksum, migration.checksum));
    }
    states.push_back({migration, found != applied->end()});
    applied->erase(migration.number);
  }
  if (!applied->empty()) {
    return Error::give_up(
        fmt::format("the store's schema has migration {:04} ({}), which this program does not know: "
                    "it was made by a newer version; use that one",
                    applied->begin()->first, applied->begin()->second.name));
  }
  return states;
}

Result<unsigned> migrate_up(Client& client, const std::vector<Migration>& migrations, ClusterSchema* schema) {
  auto states = migration_status(client, migrations);
  if (!states) return states.error();
  unsigned count = 0;
  for (const auto& [migration, is_applied] : *states) {
    const auto failed = [&migration](const Error& error) {
      return Error{error.action,
                   fmt::format("migration {:04} ({}): {}", migration.number, migration.name, error.message)};
    };
    // One that is applied is rendered too: those after it build on its engines.
    auto statements = statements_of(migration, schema);
    if (!statements) return failed(statements.error());
    if (is_applied) continue;
    for (const std::string& statement : *statements) {
      if (auto done = client.execute(statement, {}, options()); !done) return failed(done.error());
    }
    const Parameters record = {{"number", std::to_string(migration.number)},
                               {"name", escape_parameter(migration.name)},
                               {"checksum", migration.checksum}};
    if (auto done = client.execute("INSERT INTO marquee.migrations (number, name, checksum) "
                                   "SELECT {number:UInt32}, {name:String}, {checksum:String}",
                                   record, options());
        !done) {
      return done.error();
    }
    logging::info("migrate.applied", {{"number", migration.number}, {"name", migration.name}});
    ++count;
  }
  return count;
}

}  // namespace marquee::clickhouse
