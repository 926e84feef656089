// marquee-store: ClickHouse's engine behind ClickHouse's HTTP interface, for one machine.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "convert.h"
#include "marquee/base/logging.h"
#include "marquee/base/signals.h"
#include "marquee/engine/data_lock.h"
#include "marquee/engine/library.h"
#include "marquee/engine/store_server.h"

namespace {

using namespace marquee;

struct Arguments {
  std::string data;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8123;
  std::string admin_password_file;
  std::string reader_password_file;
  std::string engine;
  std::string log_format = "json";
  unsigned concurrency = 8;
  std::size_t max_memory = 0;
  std::vector<std::string> users;
  std::vector<std::string> quotas;
  std::vector<std::string> bounds;
  std::uint64_t grace_ms = 10'000;
  std::uint64_t lock_wait_ms = 10'000;
  bool shows_engine = false;
};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// A password from its file if one is named, else from the environment.
Result<std::string> password(const std::string& file, const char* variable) {
  if (file.empty()) return from_environment(variable);
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) return Error::give_up(fmt::format("cannot read a password from {}", file));
  return line;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--data", arguments.data, "Directory of the data; made if missing");
  app.add_flag("--version-engine", arguments.shows_engine, "Load the engine, print its version, end");
  app.add_option("--listen", arguments.address, "Address to listen on")->capture_default_str();
  app.add_option("--port", arguments.port, "Port to listen on; 0 takes a free one")->capture_default_str();
  app.add_option(
      "--admin-password-file", arguments.admin_password_file,
      "File whose first line is the password of user default (else MARQUEE_STORE_PASSWORD; none: no password)");
  app.add_option(
      "--reader-password-file", arguments.reader_password_file,
      "File whose first line is the password of user reader (else MARQUEE_READER_PASSWORD; none: no reader)");
  app.add_option(
      "--user", arguments.users,
      "Another user, as NAME:ROLE[,ROLE...]:PASSWORD-FILE; roles are admin, writer, reader. May be repeated");
  app.add_option(
      "--quota", arguments.quotas,
      "What a user may use in an interval, as NAME:INTERVAL:LIMIT=NUMBER[,LIMIT=NUMBER...]: queries, errors, "
      "result_rows, result_bytes, read_rows, read_bytes, execution_seconds. May be repeated");
  app.add_option("--limit", arguments.bounds,
                 "A setting that bounds each query of a user, as NAME:max_execution_time=60. May be repeated");
  app.add_option("--engine", arguments.engine,
                 "libchdb.so (else MARQUEE_ENGINE, ../lib beside the program, the cache of tools/install)");
  app.add_option("--concurrency", arguments.concurrency, "Statements at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--max-memory", arguments.max_memory,
                 "Memory of the engine, as 4GiB; default six tenths of the machine's")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--grace-ms", arguments.grace_ms, "How long running statements may go on after SIGTERM")
      ->capture_default_str();
  app.add_option("--lock-wait-ms", arguments.lock_wait_ms, "How long to wait for another store to leave the data")
      ->capture_default_str();
  app.add_option("--log-format", arguments.log_format, "json or text")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
}

/// The user of an option that begins "NAME:", and the rest of it.
Result<std::pair<engine::User*, std::string>> of_user(std::vector<engine::User>& users, const std::string& option) {
  const std::size_t colon = std::min(option.find(':'), option.size());
  const auto user = std::ranges::find(users, option.substr(0, colon), &engine::User::name);
  if (user == users.end()) return Error::give_up(fmt::format("{}: there is no user of that name", option));
  return std::pair(&*user, option.substr(std::min(colon + 1, option.size())));
}

Result<void> add_bound(engine::User& user, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (!name.starts_with("max_") || value.empty() || value.find_first_not_of("0123456789") != std::string::npos) {
    return Error::give_up(fmt::format("--limit takes NAME:max_...=NUMBER, not {}", text));
  }
  std::erase_if(user.bounds, [&](const auto& bound) { return bound.first == name; });
  user.bounds.emplace_back(name, value);
  return {};
}

Result<std::vector<engine::User>> users_of(const Arguments& arguments, const std::string& admin_password,
                                           const std::string& reader_password) {
  using engine::Role;
  std::vector<engine::User> users{{.name = "default", .password = admin_password, .roles = {Role::admin}}};
  if (!reader_password.empty()) {
    users.push_back({.name = "reader", .password = reader_password, .roles = {Role::reader}});
  }
  for (const std::string& text : arguments.users) {
    auto user = engine::read_user(text);
    if (!user) return user.error();
    if (std::ranges::find(users, user->name, &engine::User::name) != users.end()) {
      return Error::give_up(fmt::format("there is a user {} already", user->name));
    }
    users.push_back(std::move(*user));
  }
  for (engine::User& user : users) {
    if (!user.roles.contains(Role::admin)) user.bounds = engine::bounds_of_guests();
  }
  for (const std::string& option : arguments.bounds) {
    auto found = of_user(users, option);
    if (!found) return found.error();
    if (auto added = add_bound(*found->first, found->second); !added) return added.error();
  }
  for (const std::string& option : arguments.quotas) {
    auto found = of_user(users, option);
    if (!found) return found.error();
    auto quota = engine::read_quota(found->second);
    if (!quota) return quota.error();
    found->first->quotas.push_back(*quota);
  }
  return users;
}

Result<engine::StoreOptions> options_of(const Arguments& arguments) {
  auto admin = password(arguments.admin_password_file, "MARQUEE_STORE_PASSWORD");
  if (!admin) return admin.error();
  auto reader = password(arguments.reader_password_file, "MARQUEE_READER_PASSWORD");
  if (!reader) return reader.error();
  engine::StoreOptions options;
  options.engine = {.library = engine::find_library(arguments.engine),
                    .data_directory = std::filesystem::absolute(arguments.data),
                    .max_memory_bytes = arguments.max_memory};
  options.address = arguments.address;
  options.port = arguments.port;
  auto users = users_of(arguments, *admin, *reader);
  if (!users) return users.error();
  options.users = std::move(*users);
  options.concurrency = arguments.concurrency;
  return options;
}

void announce(const Arguments& arguments, const engine::StoreServer& server, double seconds) {
  if (arguments.log_format == "json") {
    fmt::print(R"({{"event":"store.ready","address":"{}","port":{},"engine":"{}","pid":{},"seconds":{:.3f}}})"
               "\n",
               arguments.address, server.port(), server.engine_version(), getpid(), seconds);
  } else {
    fmt::print("marquee-store is ready at http://{}:{} (engine {}, {:.2f} s)\n", arguments.address, server.port(),
               server.engine_version(), seconds);
  }
  std::fflush(stdout);
}

int fail(const Error& error) {
  fmt::print(stderr, "marquee-store: {}\n", error.message);
  return 1;
}

int show_engine(const Arguments& arguments) {
  const auto library = engine::Library::load(engine::find_library(arguments.engine));
  if (!library) return fail(library.error());
  fmt::print("{}\n", (*library)->version());
  return 0;
}

int serve(const Arguments& arguments, const sigset_t& endings) {
  const auto begin = std::chrono::steady_clock::now();
  const auto lock = engine::DataLock::take(arguments.data, std::chrono::milliseconds(arguments.lock_wait_ms));
  if (!lock) return fail(lock.error());
  auto options = options_of(arguments);
  if (!options) return fail(options.error());
  auto server = engine::StoreServer::start(std::move(*options));
  if (!server) return fail(server.error());
  announce(arguments, **server, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());

  int signal = 0;
  sigwait(&endings, &signal);
  logging::info("store.stopping", {{"signal", signal}});
  const bool ended = (*server)->stop(arguments.grace_ms);
  if (!ended) logging::warn("store.cut_off", {{"reason", "statements still ran when the grace was over"}});
  logging::info("store.stopped");
  // What was answered is in the engine's files. Its threads would only be torn down one by one from here.
  std::fflush(nullptr);
  std::_Exit(ended ? 0 : 3);
}

}  // namespace

/// Where the machine's zone is UTC by another name (Etc/UTC), the engine shall call it what clients compare with.
void name_zone() {
  std::error_code failed;
  const auto zone = std::filesystem::canonical("/etc/localtime", failed).string();
  if (failed || zone.ends_with("/UTC") || zone.ends_with("/UCT") || zone.ends_with("/Universal") ||
      zone.ends_with("/Zulu")) {
    ::setenv("TZ", "UTC", 0);  // Not over what an operator has set.
  }
}

int main(int argc, char** argv) {
  name_zone();  // No other thread reads the environment yet.
  // Before any thread is made, so that all of them leave these to sigwait.
  const sigset_t endings = block_ending_signals();

  CLI::App app("The embedded ClickHouse of Marquee: libchdb behind ClickHouse's HTTP interface.");
  app.footer("Example: MARQUEE_STORE_PASSWORD=secret marquee-store --data var/store --port 8123");
  Arguments arguments;
  add_options(app, arguments);
  auto* converts = app.add_subcommand("convert", "Write the rows of a Parquet file to standard output; needs no data");
  store::ConvertOptions conversion;
  converts->add_option("--in", conversion.in, "Parquet file")->required()->check(CLI::ExistingFile);
  converts->add_option("--out-format", conversion.out_format, "As ClickHouse names it")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  logging::configure(logging::Level::info, arguments.log_format == "text");
  if (converts->parsed()) {
    conversion.engine = arguments.engine;
    const auto done = store::convert(conversion);
    std::fflush(nullptr);
    std::_Exit(done ? 0 : fail(done.error()));
  }
  if (!arguments.shows_engine && arguments.data.empty()) return app.exit(CLI::RequiredError("--data"));
  const int status = arguments.shows_engine ? show_engine(arguments) : serve(arguments, endings);
  std::fflush(nullptr);
  std::_Exit(status);  // The engine may already have threads.
}
