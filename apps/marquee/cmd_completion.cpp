// Shell completion, generated from the command tree itself so that it cannot drift from it.
#include <fmt/format.h>

#include <string>

#include "commands.h"

namespace marquee::app {
namespace {

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) words += sub->get_name() + " ";
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) words += "--" + name + " ";
  return words;
}

void collect_cases(const CLI::App& command, const std::string& path, std::string& cases) {
  cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words_of(command));
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    collect_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), cases);
}

std::string bash_script(const CLI::App& root) {
  std::string cases;
  collect_cases(root, "", cases);
  return fmt::format(R"(_marquee() {{
  local path="" word words
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ "$word" == -* ]] || path="${{path:+$path }}$word"
  done
  case "$path" in
{}    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
  [[ ${{#COMPREPLY[@]}} -gt 0 ]] || COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _marquee marquee
)",
                     cases);
}

}  // namespace

void add_completion_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("completion", "Print a shell completion script");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("shell", *shell, "bash or zsh")->check(CLI::IsMember({"bash", "zsh"}));
  command->footer("Examples:\n  source <(marquee completion bash)\n  source <(marquee completion zsh)");
  command->callback([&root, &app, shell] {
    if (*shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    fmt::print("{}", bash_script(root));
    app.exit_code = 0;
  });
}

}  // namespace marquee::app
