// marquee segments: named sets of users.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "api_access.h"
#include "commands.h"
#include "format_option.h"
#include "input_file.h"
#include "marquee/http/message.h"
#include "report_funnel.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

struct SegmentArguments {
  std::string site = "campus";
  std::string title, id;
  std::string definition, users;  ///< Files.
  std::string from, to, last;
  std::vector<std::string> filters;
  FunnelOptions funnel;
  std::string format = "table";
};

/// A list: a key on each line, as `marquee report funnel --drop-off ... --format csv` writes them.
Json list_of(const std::string& text) {
  Json users = Json::array();
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find_first_of("\r\n", begin), text.size());
    if (const auto line = text.substr(begin, end - begin); !line.empty() && line != "user_key") users.push_back(line);
    begin = end + 1;
  }
  return {{"kind", "list"}, {"users", std::move(users)}};
}

/// Of a file, of a list, or of who left the funnel that the options tell.
Result<Json> definition_of(const SegmentArguments& arguments) {
  if (!arguments.definition.empty()) {
    const auto text = content_of(arguments.definition);
    if (!text) return text.error();
    auto definition = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (definition.is_discarded()) return Error::reject(arguments.definition + ": expected JSON");
    return definition;
  }
  if (!arguments.users.empty()) {
    const auto text = content_of(arguments.users);
    if (!text) return text.error();
    return list_of(*text);
  }
  if (arguments.funnel.dropped_after == 0)
    return Error::reject("expected --definition, --users, or a funnel with --drop-off");
  auto funnel = funnel_definition(arguments.funnel);
  if (!funnel) return funnel.error();
  for (const auto& [name, value] : {std::pair("from", arguments.from), {"to", arguments.to}, {"last", arguments.last}})
    if (!value.empty()) (*funnel)[name] = value;
  if (!arguments.filters.empty()) (*funnel)["filter"] = arguments.filters;
  return Json{{"kind", "drop_off"}, {"funnel", std::move(*funnel)}};
}

void print_segments(const Json& segments) {
  std::vector<Row> rows = {{"id", "site", "title", "kind", "size", "refreshed"}};
  for (const auto& one : segments) {
    const auto text = [&](const char* name) { return one.at(name).get<std::string>(); };
    rows.push_back({text("id"), text("site"), text("title"), one.at("definition").at("kind").get<std::string>(),
                    one.at("size").dump(), text("refreshed")});
  }
  print_table(rows, "llllrl");
}

/// Asks for one segment, or for nothing back, and prints what there is.
int print_one(const Result<std::string>& answer, const std::string& format) {
  if (!answer) return fail(answer.error());
  if (answer->empty()) return 0;
  const auto segment = Json::parse(*answer);
  if (format == "json") {
    fmt::print("{}\n", segment.dump(2));
  } else {
    print_segments(Json::array({segment}));
  }
  return 0;
}

int list_segments(const App& app, const SegmentArguments& arguments) {
  const auto answer = ask(app, "GET", "/v1/segments", "");
  if (!answer) return fail(answer.error());
  const auto listed = Json::parse(*answer);
  if (arguments.format == "json") {
    fmt::print("{}\n", listed.dump(2));
  } else {
    print_segments(listed.at("segments"));
  }
  return 0;
}

int add_segment(const App& app, const SegmentArguments& arguments) {
  auto definition = definition_of(arguments);
  if (!definition) return fail(definition.error());
  const Json body = {{"site", arguments.site}, {"title", arguments.title}, {"definition", std::move(*definition)}};
  return print_one(ask(app, "POST", "/v1/segments", body.dump()), arguments.format);
}

std::string segment_path(const SegmentArguments& arguments) {
  return "/v1/segments/" + http::percent_encode(arguments.id);
}

}  // namespace

void add_segments_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "segments", "Named sets of users, which reports take as a filter and a dimension, and targeting as a condition");
  command->require_subcommand(1);
  auto arguments = std::make_shared<SegmentArguments>();

  auto* listing = command->add_subcommand("list", "All segments");
  add_format_option(*listing, arguments->format);
  listing->callback([&app, arguments] { app.exit_code = list_segments(app, *arguments); });

  auto* adding =
      command->add_subcommand("add", "Make one: by a definition, of who left a funnel, or of a list of users");
  adding->add_option("--site", arguments->site, "Site")->capture_default_str();
  adding->add_option("--title", arguments->title, "What people call it")->required();
  adding->add_option("--definition", arguments->definition,
                     "File of its definition as JSON, as the API takes it; - is the standard input");
  adding->add_option("--users", arguments->users, "File with a user's key on each line; - is the standard input");
  adding->add_option("--from", arguments->from, "Of the funnel: from this time on");
  adding->add_option("--to", arguments->to, "Of the funnel: before this time");
  adding->add_option("--last", arguments->last, "Of the funnel, in place of both: a span up to now, as 24h, 7d");
  adding->add_option("--filter", arguments->filters, "Of the funnel: <dimension>=<value>,<value>; may be repeated");
  add_funnel_options(*adding, arguments->funnel);
  add_format_option(*adding, arguments->format);
  adding->footer(
      "Examples:\n"
      "  marquee segments add --title 'Left after the search' --last 7d --steps search,course_view --drop-off 1\n"
      "  marquee segments add --title 'Came back' --definition rule.json\n"
      "where rule.json is {\"kind\": \"rule\", \"rule\": {\"all\": [{\"types\": [\"click\"], \"at_least\": 3, "
      "\"last\": "
      "\"30d\"},\n"
      "  {\"not\": {\"types\": [\"conversion\"]}}]}}\n"
      "A live segment is for targeting alone; it holds at a decision, by what is known of the user then:\n"
      "  {\"kind\": \"live\", \"rule\": {\"profile\": \"category:law\", \"at_least\": 2}}");
  adding->callback([&app, arguments] { app.exit_code = add_segment(app, *arguments); });

  auto* refreshing = command->add_subcommand("refresh", "Find its users again now");
  refreshing->add_option("segment", arguments->id, "Its id")->required();
  add_format_option(*refreshing, arguments->format);
  refreshing->callback([&app, arguments] {
    app.exit_code = print_one(ask(app, "POST", segment_path(*arguments) + "/refresh", ""), arguments->format);
  });

  auto* removing = command->add_subcommand("remove", "Forget it and its users");
  removing->add_option("segment", arguments->id, "Its id")->required();
  removing->callback(
      [&app, arguments] { app.exit_code = print_one(ask(app, "DELETE", segment_path(*arguments), ""), "table"); });
}

}  // namespace marquee::app
