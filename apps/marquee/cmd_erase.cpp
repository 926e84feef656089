// marquee erase: everything of a user, out of everything.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "api_access.h"
#include "commands.h"
#include "format_option.h"
#include "marquee/http/message.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kAskAgain = std::chrono::milliseconds(200);

struct EraseArguments {
  std::string site = "campus";
  std::string user_id;
  std::string format = "table";
  bool does_wait = true;
};

void print_erasure(const Json& erasure, const std::string& format) {
  if (format == "json") {
    fmt::print("{}\n", erasure.dump(2));
    return;
  }
  std::vector<Row> rows = {
      {"erasure", erasure.at("id").get<std::string>()},
      {"state", erasure.at("state").get<std::string>()},
      {"parts", fmt::format("{} of {}", erasure.at("parts_done").dump(), erasure.at("parts_total").dump())}};
  if (const auto error = erasure.value("error", ""); !error.empty()) rows.push_back({"waits, as", error});
  for (const auto& [what, count] : erasure.at("receipt").items()) rows.push_back({what, count.dump()});
  print_table(rows, "ll");
}

int erase_user(const App& app, const EraseArguments& arguments) {
  const auto path = fmt::format("/v1/users/{}?site={}", http::percent_encode(arguments.user_id),
                                http::percent_encode(arguments.site));
  auto answer = ask(app, "DELETE", path, "");
  if (!answer) return fail(answer.error());
  auto erasure = Json::parse(*answer);
  const auto id = erasure.at("id").get<std::string>();
  std::string said;
  while (arguments.does_wait && erasure.at("state") != "done") {
    const auto told =
        erasure.value("error", "").empty()
            ? fmt::format("{} of {} parts", erasure.at("parts_done").dump(), erasure.at("parts_total").dump())
            : erasure.value("error", "");
    if (told != said) fmt::print(stderr, "marquee: erasure {}: {}\n", id, told);
    said = told;
    std::this_thread::sleep_for(kAskAgain);
    answer = ask(app, "GET", "/v1/erasures/" + id, "");
    if (!answer) return fail(answer.error());
    erasure = Json::parse(*answer);
  }
  print_erasure(erasure, arguments.format);
  return 0;
}

}  // namespace

void add_erase_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "erase", "Erase a user: events, decisions, profile, segments, dead letters, in the store's and the log's files");
  auto arguments = std::make_shared<EraseArguments>();
  command->add_option("user", arguments->user_id, "As events and decisions name the user")->required();
  command->add_option("--site", arguments->site, "Site")->capture_default_str();
  command->add_flag("!--no-wait", arguments->does_wait, "Only ask for it: GET /v1/erasures tells how far it has come");
  add_format_option(*command, arguments->format);
  command->footer(
      "Example:\n  marquee erase --site campus student-17\n"
      "It goes on after a restart. docs/privacy.md says what is erased and what is not.");
  command->callback([&app, arguments] { app.exit_code = erase_user(app, *arguments); });
}

}  // namespace marquee::app
