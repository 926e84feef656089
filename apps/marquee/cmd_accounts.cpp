// marquee accounts: who may sign in to the console and the API.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api_access.h"
#include "commands.h"
#include "format_option.h"
#include "marquee/http/message.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using AccountJson = nlohmann::ordered_json;

struct AccountArguments {
  std::string name, role = "viewer";
  std::string actor;
  std::uint64_t limit = 50;
  std::string format = "table";
};

/// Types nothing on the terminal while it lives.
class SilentTerminal {
 public:
  SilentTerminal() : is_set_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_set_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_set_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  termios before_{};
  bool is_set_;
};

std::string typed_line(const char* prompt) {
  fmt::print(stderr, "{}", prompt);
  std::string line;
  {
    const SilentTerminal silent;
    std::getline(std::cin, line);
  }
  fmt::print(stderr, "\n");
  return line;
}

/// Typed twice where somebody sits there, else the first line of the standard input. Never an argument, which other
/// users of the machine and the shell's history see.
Result<std::string> ask_password(const std::string& name) {
  std::string password;
  if (::isatty(STDIN_FILENO) == 1) {
    password = typed_line(fmt::format("Password of {}: ", name).c_str());
    if (password != typed_line("The same again: "))
      return Error::reject("the two are not the same; nothing was changed");
  } else {
    std::getline(std::cin, password);
  }
  if (password.empty())
    return Error::reject("expected a password: type it, or give it as the standard input's first line");
  return password;
}

std::string account_path(const AccountArguments& arguments, const char* part = "") {
  return fmt::format("/v1/accounts/{}{}", http::percent_encode(arguments.name), part);
}

int tell_done(const Result<std::string>& answer, const std::string& done) {
  if (!answer) return fail(answer.error());
  fmt::print("{}\n", done);
  return 0;
}

int list_accounts(const App& app, const AccountArguments& arguments) {
  const auto answer = ask(app, "GET", "/v1/accounts", "");
  if (!answer) return fail(answer.error());
  const auto listed = AccountJson::parse(*answer);
  if (arguments.format == "json") {
    fmt::print("{}\n", listed.dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"name", "role", "by", "last sign-in", "sessions"}};
  for (const auto& one : listed.at("accounts")) {
    const auto& last = one.at("last_sign_in");
    rows.push_back({one.at("name").get<std::string>(), one.at("role").get<std::string>(),
                    one.at("by").get<std::string>(), last.is_null() ? "never" : last.get<std::string>(),
                    one.at("sessions").dump()});
  }
  print_table(rows, "llllr");
  return 0;
}

int add_account(const App& app, const AccountArguments& arguments) {
  auto password = ask_password(arguments.name);
  if (!password) return fail(password.error());
  const AccountJson body = {{"name", arguments.name}, {"role", arguments.role}, {"password", *password}};
  return tell_done(ask(app, "POST", "/v1/accounts", body.dump()),
                   fmt::format("{} may sign in, as {}", arguments.name, arguments.role));
}

int give_password(const App& app, const AccountArguments& arguments) {
  auto password = ask_password(arguments.name);
  if (!password) return fail(password.error());
  return tell_done(ask(app, "PUT", account_path(arguments, "/password"), AccountJson{{"password", *password}}.dump()),
                   fmt::format("{} has another password, and is signed out everywhere", arguments.name));
}

int show_audit(const App& app, const AccountArguments& arguments) {
  const auto answer =
      ask(app, "GET",
          fmt::format("/v1/audit?limit={}&actor={}", arguments.limit, http::percent_encode(arguments.actor)), "");
  if (!answer) return fail(answer.error());
  const auto audit = AccountJson::parse(*answer);
  if (arguments.format == "json") {
    fmt::print("{}\n", audit.dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"time", "who", "what"}};
  for (const auto& one : audit.at("entries"))
    rows.push_back(
        {one.at("time").get<std::string>(), one.at("actor").get<std::string>(), one.at("what").get<std::string>()});
  print_table(rows, "lll");
  return 0;
}

CLI::App* add_of_account(CLI::App* command, const char* name, const char* help, AccountArguments& arguments) {
  auto* sub = command->add_subcommand(name, help);
  sub->add_option("name", arguments.name, "Name of the account")->required();
  return sub;
}

}  // namespace

void add_accounts_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "accounts",
      "Who may sign in to the console and the API. Without any, the link with the admin token opens the console");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  marquee accounts add priya --role admin\n"
      "  head -c 18 /dev/urandom | base64 | marquee accounts add report-reader\n"
      "  marquee accounts role priya manager");
  auto arguments = std::make_shared<AccountArguments>();
  const std::vector<std::string> roles = {"viewer", "analyst", "manager", "admin"};

  auto* listing = command->add_subcommand("list", "All accounts");
  add_format_option(*listing, arguments->format);
  listing->callback([&app, arguments] { app.exit_code = list_accounts(app, *arguments); });

  auto* adding = add_of_account(
      command, "add",
      "Make one; its password is typed, or the first line of the standard input. The first must be an admin",
      *arguments);
  adding->add_option("--role", arguments->role, "What it may do: each what those before it may")
      ->check(CLI::IsMember(roles))
      ->capture_default_str();
  adding->callback([&app, arguments] { app.exit_code = add_account(app, *arguments); });

  auto* role = add_of_account(command, "role", "Change what it may do", *arguments);
  role->add_option("role", arguments->role, "viewer, analyst, manager or admin")
      ->required()
      ->check(CLI::IsMember(roles));
  role->callback([&app, arguments] {
    app.exit_code =
        tell_done(ask(app, "PUT", account_path(*arguments, "/role"), AccountJson{{"role", arguments->role}}.dump()),
                  fmt::format("{} is {} now", arguments->name, arguments->role));
  });

  auto* password = add_of_account(command, "password", "Give it another password; ends its sessions", *arguments);
  password->callback([&app, arguments] { app.exit_code = give_password(app, *arguments); });

  auto* ending = add_of_account(command, "sign-out", "End its sessions", *arguments);
  ending->callback([&app, arguments] {
    app.exit_code = tell_done(ask(app, "DELETE", account_path(*arguments, "/sessions"), ""),
                              fmt::format("{} is signed out everywhere", arguments->name));
  });

  auto* removing = add_of_account(command, "remove", "Remove it and end its sessions", *arguments);
  removing->callback([&app, arguments] {
    app.exit_code =
        tell_done(ask(app, "DELETE", account_path(*arguments), ""), fmt::format("{} is removed", arguments->name));
  });

  auto* audit = command->add_subcommand("audit", "Who did what, newest first");
  audit->add_option("--actor", arguments->actor, "Only theirs");
  audit->add_option("--limit", arguments->limit, "So many")->check(CLI::Range(1, 1000))->capture_default_str();
  add_format_option(*audit, arguments->format);
  audit->callback([&app, arguments] { app.exit_code = show_audit(app, *arguments); });
}

}  // namespace marquee::app
