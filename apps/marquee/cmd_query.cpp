// marquee query: SQL against the store, read-only.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "commands.h"
#include "store_access.h"

namespace marquee::app {
namespace {

struct QueryArguments {
  std::string sql;
  std::string format;
  std::int64_t timeout_s = 300;
};

int run_query(const App& app, const QueryArguments& arguments) {
  const auto endpoint = store_endpoint(app, /*as_reader=*/true);
  if (!endpoint) return fail(endpoint.error());
  std::string sql = arguments.sql;
  if (sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  clickhouse::Client store(*endpoint);
  clickhouse::QueryOptions options;
  options.timeout_ms = arguments.timeout_s * 1000;
  options.format = !arguments.format.empty()      ? arguments.format
                   : ::isatty(STDOUT_FILENO) != 0 ? "PrettyCompact"
                                                  : "TSVWithNames";
  const auto answer = store.query(sql, {}, options);
  if (!answer) return fail(answer.error());
  std::fwrite(answer->data(), 1, answer->size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

void add_query_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("query", "Run SQL against the store, read-only");
  auto arguments = std::make_shared<QueryArguments>();
  command->add_option("sql", arguments->sql, "The statement; - reads it from standard input")->required();
  command->add_option(
      "--format", arguments->format,
      "Format of the answer, where the statement names none (default: a table on a terminal, else TSV)");
  command->add_option("--timeout", arguments->timeout_s, "Seconds to wait")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  marquee query \"SELECT event_type, count() FROM events GROUP BY 1 ORDER BY 2 DESC\"\n"
      "  marquee query --format JSONEachRow \"SELECT * FROM campaign_hour LIMIT 10\"\n"
      "  marquee query - < report.sql");
  command->callback([&app, arguments] { app.exit_code = run_query(app, *arguments); });
}

}  // namespace marquee::app
