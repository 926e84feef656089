#include "import_dead_letters.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "landing.h"
#include "marquee/base/base64.h"
#include "marquee/http/client.h"
#include "sending.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kReplay = "/v1/dead-letters/replay";
constexpr std::size_t kLettersAtOnce = 500;
constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20;
constexpr std::size_t kExamples = 3;
constexpr std::size_t kShownReasons = 20;

/// The API of the Marquee that has the letters.
class Office {
 public:
  Office(const std::string& url, const std::string& token) : client_(url, {.timeout_ms = 600'000}) {
    headers_.add("Authorization", "Bearer " + token);
    headers_.add("Content-Type", "application/json");
  }
  Result<Json> get(const std::string& target) { return answer(client_.send("GET", target, headers_, "")); }
  Result<Json> post(const std::string& target, const Json& body) {
    return answer(client_.send("POST", target, headers_, body.dump()));
  }

 private:
  static Result<Json> answer(const std::expected<http::Response, http::Failure>& response) {
    if (!response) return Error::retry(response.error().message);
    Json body = Json::parse(response->body, nullptr, /*allow_exceptions=*/false);
    if (response->status == 200 && body.is_object()) return body;
    const bool is_named = body.is_object() && body.contains("error") && body["error"].contains("message");
    return Error::reject(is_named ? body["error"]["message"].get<std::string>()
                                  : fmt::format("Marquee answered {}", response->status));
  }

  http::Client client_;
  http::Headers headers_;
};

/// What became of the letters, over several requests.
class Sum {
 public:
  void add(const Json& answer) {
    for (const char* name : {"tried", "replayed", "already_counted", "replayed_before", "unreadable_not_named"})
      counts_[name] += answer.at(name).get<std::uint64_t>();
    for (const auto& one : answer.at("unreadable")) unreadable_.push_back(one);
  }
  void add_unreadable(Json one) {
    ++counts_["tried"];
    unreadable_.push_back(std::move(one));
  }
  [[nodiscard]] std::uint64_t count(const std::string& name) const {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_.size() + count("unreadable_not_named"); }

  void print(bool as_json, bool is_dry_run, std::optional<std::uint64_t> left) const {
    if (as_json) {
      Json all = {{"tried", count("tried")},
                  {"replayed", count("replayed")},
                  {"already_counted", count("already_counted")},
                  {"replayed_before", count("replayed_before")},
                  {"unreadable", unreadable_},
                  {"unreadable_not_named", count("unreadable_not_named")}};
      if (left) all["left"] = *left;
      fmt::print("{}\n", all.dump());
      return;
    }
    fmt::print("dead letters: {} tried, {} {}", count("tried"), count("replayed"),
               is_dry_run ? "can be replayed" : "replayed");
    if (count("already_counted") > 0) fmt::print(", {} counted already", count("already_counted"));
    if (count("replayed_before") > 0) fmt::print(", {} replayed before", count("replayed_before"));
    fmt::print(", {} cannot be read\n", unreadable());
    print_reasons();
    if (left) fmt::print("{} dead letters are left\n", *left);
  }

 private:
  void print_reasons() const {
    struct Kind {
      std::uint64_t count = 0;
      std::vector<std::string> examples;
    };
    std::map<std::string, Kind> kinds;
    for (const Json& one : unreadable_) {
      Kind& kind = kinds[one.at("reason").get<std::string>()];
      ++kind.count;
      if (kind.examples.size() >= kExamples) continue;
      kind.examples.push_back(one.contains("line") ? fmt::format("line {}", one["line"].get<std::uint64_t>())
                                                   : fmt::format("{}/{}/{}", one.at("topic").get<std::string>(),
                                                                 one.at("partition").get<std::uint64_t>(),
                                                                 one.at("offset").get<std::uint64_t>()));
    }
    std::vector<std::pair<std::string, Kind>> sorted(kinds.begin(), kinds.end());
    std::ranges::sort(sorted, [](const auto& one, const auto& other) {
      return std::tuple(other.second.count, one.first) < std::tuple(one.second.count, other.first);
    });
    if (sorted.size() > kShownReasons) sorted.resize(kShownReasons);
    for (const auto& [reason, kind] : sorted)
      fmt::print("  {:>6}  {}  ({})\n", kind.count, reason, fmt::join(kind.examples, ", "));
  }

  std::map<std::string, std::uint64_t> counts_;
  std::vector<Json> unreadable_;
};

std::string filter_query(const DeadLetterArguments& arguments) {
  std::string query;
  const auto add = [&query](const char* name, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", name, http::percent_encode(value));
  };
  add("reason", arguments.reason);
  add("source", arguments.source);
  add("since", arguments.since);
  return query;
}

Result<void> replay_stored(Office& office, const DeadLetterArguments& arguments, const std::atomic<bool>& stop,
                           Sum& sum) {
  Json order = {{"dry_run", arguments.dry_run}};
  if (!arguments.reason.empty()) order["reason"] = arguments.reason;
  if (!arguments.source.empty()) order["source"] = arguments.source;
  if (!arguments.since.empty()) order["since"] = arguments.since;
  while (!stop) {
    const auto answer = office.post(kReplay, order);
    if (!answer) return answer.error();
    sum.add(*answer);
    if (answer->at("next").is_null()) break;
    order["after"] = answer->at("next");
  }
  return {};
}

/// A letter of the file as the API takes it.
Result<Json> mended(const std::string& line) {
  const Json letter = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!letter.is_object()) return Error::reject("not a JSON object");
  Json one = Json::object();
  for (const char* name : {"topic", "partition", "offset"}) {
    if (!letter.contains(name)) return Error::reject(fmt::format("{}: missing", name));
    one[name] = letter[name];
  }
  const auto contents = letter.contains("event") + letter.contains("text") + letter.contains("bytes_base64");
  if (contents != 1) return Error::reject("needs one of event, text and bytes_base64");
  if (letter.contains("text")) {
    if (!letter["text"].is_string()) return Error::reject("text: expected text");
    one["bytes_base64"] = encode_base64(letter["text"].get<std::string>());
  } else {
    const char* name = letter.contains("event") ? "event" : "bytes_base64";
    one[name] = letter[name];
  }
  return one;
}

Result<void> replay_file(Office& office, const DeadLetterArguments& arguments, const std::atomic<bool>& stop,
                         Sum& sum) {
  std::ifstream file(arguments.file);
  if (!file) return Error::reject(fmt::format("cannot read {}", arguments.file));
  Json letters = Json::array();
  std::size_t bytes = 0;
  const auto send = [&]() -> Result<void> {
    if (letters.empty()) return {};
    const auto answer =
        office.post(kReplay, {{"dry_run", arguments.dry_run}, {"letters", std::exchange(letters, Json::array())}});
    bytes = 0;
    if (!answer) return answer.error();
    sum.add(*answer);
    return {};
  };
  std::string line;
  for (std::uint64_t number = 1; !stop && std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto letter = mended(line);
    if (!letter) {
      sum.add_unreadable({{"line", number}, {"reason", letter.error().message}});
      continue;
    }
    letters.push_back(std::move(*letter));
    bytes += line.size();
    if (letters.size() < kLettersAtOnce && bytes < kBytesAtOnce) continue;
    if (auto sent = send(); !sent) return sent;
  }
  return send();
}

bool is_text(const std::string& bytes) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n'; };
  return !bytes.empty() && simdjson::validate_utf8(bytes) && std::ranges::none_of(bytes, is_control);
}

Json exported(const Json& letter) {
  Json line = Json::object();
  for (const char* name : {"topic", "partition", "offset", "time", "reason"}) line[name] = letter.at(name);
  if (letter.at("is_event").get<bool>()) {
    line["event"] = Json::parse(letter.at("text").get<std::string>(), nullptr, /*allow_exceptions=*/false);
    return line;
  }
  const auto encoded = letter.at("bytes_base64").get<std::string>();
  const std::string bytes = decode_base64(encoded).value_or("");
  if (is_text(bytes))
    line["text"] = bytes;
  else
    line["bytes_base64"] = encoded;
  return line;
}

int export_letters(Office& office, const DeadLetterArguments& arguments) {
  // What is there may be a person's work.
  if (std::filesystem::exists(arguments.export_to))
    return fail(Error::reject(fmt::format("{} exists; name another file", arguments.export_to)));
  std::ofstream file(arguments.export_to);
  std::uint64_t count = 0;
  std::string after;
  do {
    const auto page = office.get(fmt::format("/v1/dead-letters?replayed=no&limit=1000{}{}", filter_query(arguments),
                                             after.empty() ? "" : "&after=" + http::percent_encode(after)));
    if (!page) return fail(page.error());
    for (const auto& letter : page->at("letters")) {
      file << exported(letter).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
      ++count;
    }
    after = page->at("next").is_null() ? "" : page->at("next").get<std::string>();
  } while (!after.empty());
  file.close();
  if (!file) return fail(Error::give_up(fmt::format("cannot write {}", arguments.export_to)));
  fmt::print(
      "{} dead letters are in {}; mend their `event`, `text` or `bytes_base64`, then: marquee import "
      "--dead-letters {}\n",
      count, arguments.export_to, arguments.export_to);
  return 0;
}

}  // namespace

std::shared_ptr<DeadLetterArguments> add_dead_letter_options(CLI::App& command) {
  auto arguments = std::make_shared<DeadLetterArguments>();
  arguments->wanted =
      command.add_option("--dead-letters", arguments->file,
                         "Replay what could not be loaded: all that can be read by now, or the mended letters of FILE");
  arguments->wanted->expected(0, 1)->type_name("[FILE]");
  const auto add = [&](const char* name, std::string& value, const char* what, const char* type) {
    return command.add_option(name, value, what)->type_name(type)->group("With --dead-letters");
  };
  const auto flag = [&](const char* name, bool& value, const char* what) {
    command.add_flag(name, value, what)->group("With --dead-letters");
  };
  add("--export", arguments->export_to, "Write the letters to FILE, one JSON object a line, for a person to mend",
      "FILE");
  add("--reason", arguments->reason, "Only letters whose reason contains this", "TEXT");
  add("--source", arguments->source, "Only letters of this topic", "TOPIC");
  add("--since", arguments->since, "Only letters that were written then or later (2026-01-31, or RFC 3339)", "TIME");
  add("--url", arguments->url, "Marquee that has them (default: the one that runs on this machine)", "URL")
      ->envname("MARQUEE_URL");
  add("--token", arguments->token, "Its admin token (default: that of the running Marquee)", "TOKEN")
      ->envname("MARQUEE_ADMIN_TOKEN");
  flag("--dry-run", arguments->dry_run, "Read the letters, send nothing");
  flag("--json", arguments->as_json, "Print the summary as JSON");
  flag("--no-wait", arguments->no_wait, "Do not wait until the events can be counted in reports");
  return arguments;
}

int import_dead_letters(const App& app, const DeadLetterArguments& arguments) {
  const auto running = app.running();
  if (!running && (arguments.url.empty() || arguments.token.empty())) return fail(running.error());
  Office office(arguments.url.empty() ? running->http_url : arguments.url,
                arguments.token.empty() ? running->admin_token : arguments.token);
  if (!arguments.export_to.empty()) return export_letters(office, arguments);
  const std::atomic<bool>& stop = stop_on_signal();
  Sum sum;
  const bool has_file = !arguments.file.empty();
  const auto done = has_file ? replay_file(office, arguments, stop, sum) : replay_stored(office, arguments, stop, sum);
  if (!done) {
    sum.print(arguments.as_json, arguments.dry_run, std::nullopt);
    return fail(done.error());
  }
  const bool is_here = arguments.url.empty() && running;
  if (is_here && sum.count("replayed") > 0 && !arguments.dry_run && !arguments.no_wait)
    (void)wait_landed(*running, stop, nullptr);
  // Among them what was replayed and has died again.
  const auto left = office.get("/v1/dead-letters?limit=0" + filter_query(arguments));
  sum.print(arguments.as_json, arguments.dry_run,
            left ? std::optional(left->at("unreplayed").get<std::uint64_t>()) : std::nullopt);
  return has_file && sum.unreadable() > 0 ? 1 : 0;
}

}  // namespace marquee::app
