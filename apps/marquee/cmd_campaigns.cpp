// marquee campaigns: what may be served on a site.
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "api_access.h"
#include "commands.h"
#include "format_option.h"
#include "input_file.h"
#include "marquee/decision/definition.h"
#include "marquee/http/message.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

struct CampaignArguments {
  std::string site = "campus";
  std::string id, file;
  std::int64_t version = 0;
  std::string format = "table";
  bool is_only_missing = false;
};

/// The members of an export, which are also where the API has their kind.
constexpr const char* kDefinitionKinds[] = {"campaigns", "slots"};

std::string definition_path(std::string_view kind, const CampaignArguments& arguments, std::string_view id = {},
                            std::string_view part = {}) {
  std::string path = fmt::format("/v1/{}", kind);
  if (!id.empty()) path += "/" + http::percent_encode(id);
  return fmt::format("{}{}?site={}", path, part, http::percent_encode(arguments.site));
}

Result<Json> asked(const App& app, const char* method, const std::string& path, const std::string& body = {}) {
  const auto answer = ask(app, method, path, body);
  if (!answer) return answer.error();
  return answer->empty() ? Json() : Json::parse(*answer);
}

Row row_of(const Json& campaign) {
  const Json& definition = campaign.at("definition");
  const auto text = [](const Json& json, const char* name) { return json.value(name, std::string("-")); };
  return {text(campaign, "id"),
          text(campaign, "name"),
          text(definition, "status"),
          text(definition, "tier"),
          text(definition, "from"),
          text(definition, "to"),
          fmt::format("{}", definition.at("ads").size()),
          text(campaign, "changed")};
}

int list_campaigns(const App& app, const CampaignArguments& arguments) {
  const auto listed = asked(app, "GET", definition_path("campaigns", arguments));
  if (!listed) return fail(listed.error());
  if (arguments.format == "json") {
    fmt::print("{}\n", listed->dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"id", "name", "status", "tier", "from", "to", "ads", "changed"}};
  for (const auto& campaign : listed->at("campaigns")) rows.push_back(row_of(campaign));
  print_table(rows, "llllllrl");
  return 0;
}

/// Its definition alone, as `put` takes it.
int show_campaign(const App& app, const CampaignArguments& arguments) {
  const auto campaign = asked(app, "GET", definition_path("campaigns", arguments, arguments.id));
  if (!campaign) return fail(campaign.error());
  fmt::print("{}\n", campaign->at("definition").dump(2));
  return 0;
}

/// Tells what a change has made.
int print_change(const Result<Json>& campaign) {
  if (!campaign) return fail(campaign.error());
  fmt::print("campaign {} is of version {}\n", campaign->at("id").get<std::string>(),
             campaign->at("version").get<std::int64_t>());
  return 0;
}

int put_campaign(const App& app, const CampaignArguments& arguments) {
  const auto text = content_of(arguments.file);
  if (!text) return fail(text.error());
  const auto campaign = decision::read_campaign(*text);
  if (!campaign) return fail(campaign.error());
  return print_change(asked(app, "PUT", definition_path("campaigns", arguments, campaign->id), *text));
}

int remove_campaign(const App& app, const CampaignArguments& arguments) {
  const auto removed = asked(app, "DELETE", definition_path("campaigns", arguments, arguments.id));
  return removed ? 0 : fail(removed.error());
}

int print_campaign_history(const App& app, const CampaignArguments& arguments) {
  const auto history = asked(app, "GET", definition_path("campaigns", arguments, arguments.id, "/history"));
  if (!history) return fail(history.error());
  if (arguments.format == "json") {
    fmt::print("{}\n", history->dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"version", "changed", "by", "status"}};
  for (const auto& state : history->at("history"))
    rows.push_back({state.at("version").dump(), state.at("changed"), state.at("changed_by"),
                    state.at("is_removal").get<bool>() ? std::string("removed")
                                                       : state.at("definition").at("status").get<std::string>()});
  print_table(rows, "llll");
  return 0;
}

int restore_campaign(const App& app, const CampaignArguments& arguments) {
  return print_change(asked(app, "POST", definition_path("campaigns", arguments, arguments.id, "/restore"),
                            Json{{"version", arguments.version}}.dump()));
}

int write_definitions(const App& app, const CampaignArguments& arguments) {
  Json all;
  for (const std::string kind : kDefinitionKinds) {
    const auto listed = asked(app, "GET", definition_path(kind, arguments));
    if (!listed) return fail(listed.error());
    all[kind] = Json::array();
    for (const auto& one : listed->at(kind)) all[kind].push_back(one.at("definition"));
  }
  fmt::print("{}\n", all.dump(2));
  return 0;
}

/// The id of a definition that the API will take.
Result<std::string> id_of(const std::string& kind, const std::string& text) {
  if (kind == "slots") {
    const auto slot = decision::read_slot(text);
    if (!slot) return slot.error();
    return slot->id;
  }
  const auto campaign = decision::read_campaign(text);
  if (!campaign) return campaign.error();
  return campaign->id;
}

struct Put {
  std::string path, text;
  std::string history;  ///< Where it is asked for.
};

/// What to ask for all of a file, or what is wrong with one of it: then nothing is changed.
Result<std::vector<Put>> puts_of(const Json& all, const CampaignArguments& arguments) {
  if (!all.is_object())
    return Error::reject(arguments.file + ": expected JSON as `marquee campaigns export` writes it");
  std::vector<Put> puts;
  for (const auto& [kind, definitions] : all.items()) {
    if (kind != kDefinitionKinds[0] && kind != kDefinitionKinds[1])
      return Error::reject(fmt::format("{}: there is no such member; there are campaigns, slots", kind.substr(0, 64)));
    if (!definitions.is_array()) return Error::reject(kind + ": expected a list");
    for (const auto& definition : definitions) {
      auto text = definition.dump();
      const auto id = id_of(kind, text);
      if (!id) return Error::reject(fmt::format("{}[{}]: {}", kind, &definition - &definitions[0], id.error().message));
      puts.push_back(
          {definition_path(kind, arguments, *id), std::move(text), definition_path(kind, arguments, *id, "/history")});
    }
  }
  return puts;
}

int put_definitions(const App& app, const CampaignArguments& arguments) {
  const auto text = content_of(arguments.file);
  if (!text) return fail(text.error());
  const auto puts = puts_of(Json::parse(*text, nullptr, /*allow_exceptions=*/false), arguments);
  if (!puts) return fail(puts.error());
  std::size_t imported = 0;
  for (const auto& put : *puts) {
    const auto failed = [&](const Error& error) {
      return fail(Error{error.action, fmt::format("{}: {} (those before it are in; importing again is safe)", put.path,
                                                  error.message)});
    };
    if (arguments.is_only_missing) {
      // What was removed has a history, too: whoever removed it does not want it back.
      const auto history = ask(app, "GET", put.history, "");
      if (history) continue;
      if (history.error().action != Action::reject) return failed(history.error());
    }
    if (const auto answer = ask(app, "PUT", put.path, put.text); !answer) return failed(answer.error());
    ++imported;
  }
  fmt::print("{} campaigns and slots imported\n", imported);
  return 0;
}

}  // namespace

void add_campaigns_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("campaigns", "What may be served: campaigns with their ads, and slots");
  command->require_subcommand(1);
  auto arguments = std::make_shared<CampaignArguments>();
  const auto add = [&app, command, arguments](const char* name, const char* about,
                                              std::function<int(const App&, const CampaignArguments&)> run) {
    auto* part = command->add_subcommand(name, about);
    part->add_option("--site", arguments->site, "Site")->capture_default_str();
    part->callback([&app, arguments, run] { app.exit_code = run(app, *arguments); });
    return part;
  };
  const auto add_id = [arguments](CLI::App& part) { part.add_option("campaign", arguments->id, "Its id")->required(); };
  add_format_option(*add("list", "All campaigns of a site", list_campaigns), arguments->format);
  add_id(*add("show", "What a campaign is, as JSON", show_campaign));
  auto* putting = add("put", "Make or change a campaign", put_campaign);
  putting->add_option("file", arguments->file, "File of its definition as JSON; - is the standard input")->required();
  putting->footer("Example:\n  marquee campaigns show law > law.json\n  marquee campaigns put law.json");
  add_id(*add("remove", "Serve it no longer; its history stays", remove_campaign));
  auto* history = add("history", "What it was, newest first", print_campaign_history);
  add_id(*history);
  add_format_option(*history, arguments->format);
  auto* restoring = add("restore", "Make it again what it was", restore_campaign);
  add_id(*restoring);
  restoring->add_option("version", arguments->version, "Of its history")->required();
  add("export", "Write all campaigns and slots of a site as one JSON file", write_definitions);
  auto* reading = add("import", "Make or change all that a file of `export` has", put_definitions);
  reading->add_option("file", arguments->file, "- is the standard input")->required();
  reading->add_flag("--missing", arguments->is_only_missing,
                    "Only those that there never were: what was changed or removed since stays so");
  reading->footer("Example:\n  marquee campaigns export --site campus | marquee campaigns import --site other -");
}

}  // namespace marquee::app
