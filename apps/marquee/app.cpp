#include "app.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace marquee::app {
namespace {

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

// Variables that other parts of Marquee read and that are no configuration keys.
const std::vector<std::string> kOtherVariables = {"MARQUEE_CACHE",          "MARQUEE_ENGINE",
                                                  "MARQUEE_CONFIG",         "MARQUEE_BIN",
                                                  "MARQUEE_STORE_BIN",      "MARQUEE_URL",
                                                  "MARQUEE_TOKEN",          "MARQUEE_WRITE_KEY",
                                                  "MARQUEE_STORE_PASSWORD", "MARQUEE_READER_PASSWORD",
                                                  "MARQUEE_ARTIFACTS",      "MARQUEE_JOBS"};

std::string text_of(const YAML::Node& node, const char* name) {
  return node[name] ? node[name].as<std::string>() : std::string();
}

}  // namespace

App::App() { bind(settings_, schema_); }

Result<void> App::load(const std::string& config_file) {
  std::string path = config_file;
  if (path.empty() && std::filesystem::exists("marquee.yaml")) path = "marquee.yaml";
  if (!path.empty()) {
    std::ifstream file(path);
    if (!file)
      return Error::reject(fmt::format("cannot read the configuration file {}: {}", path, std::strerror(errno)));
    std::stringstream text;
    text << file.rdbuf();
    if (auto loaded = schema_.load_yaml(text.str(), path); !loaded) return loaded.error();
  }
  return schema_.load_environment(process_environment(), kOtherVariables);
}

Result<Running> App::running() const {
  const auto hint = fmt::format(
      "no Marquee runs on {} (start one with `make run` or `marquee serve`, or name its data "
      "directory with --data-dir or MARQUEE_DATA_DIR)",
      settings_.data_dir);
  std::ifstream file(runtime_file());
  if (!file) return Error::reject(hint);
  std::stringstream text;
  text << file.rdbuf();
  try {
    const YAML::Node node = YAML::Load(text.str());  // JSON is YAML.
    Running running;
    running.pid = node["pid"].as<std::int64_t>();
    if (::kill(static_cast<pid_t>(running.pid), 0) != 0 && errno == ESRCH) return Error::reject(hint);
    running.http_url = text_of(node, "http_url");
    running.admin_token = text_of(node, "admin_token");
    running.store_url = text_of(node, "store_url");
    running.store_user = text_of(node, "store_user");
    running.store_password = text_of(node, "store_password");
    running.reader_user = text_of(node, "reader_user");
    running.reader_password = text_of(node, "reader_password");
    for (const auto& entry : node["write_keys"])
      running.write_keys.emplace(entry.first.as<std::string>(), entry.second.as<std::string>());
    return running;
  } catch (const YAML::Exception& e) {
    return Error::give_up(
        fmt::format("{} is not readable ({}); restart marquee serve to write it anew", runtime_file(), e.what()));
  }
}

std::string executable_directory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string();
}

std::string store_binary() {
  const char* chosen = std::getenv("MARQUEE_STORE_BIN");
  return chosen != nullptr && *chosen != 0 ? std::string(chosen) : executable_directory() + "/marquee-store";
}

int fail(const Error& error) {
  fmt::print(stderr, "marquee: {}\n", error.message);
  return 1;
}

Result<void> write_private_file(const std::string& path, const std::string& content) {
  const std::string part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Error::give_up(fmt::format("cannot write {}: {}", part, std::strerror(errno)));
  std::size_t written = 0;
  while (written < content.size()) {
    const auto n = ::write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  const bool is_whole = written == content.size() && ::fsync(fd) == 0;
  const int cause = errno;
  ::close(fd);
  if (!is_whole || ::rename(part.c_str(), path.c_str()) != 0)
    return Error::give_up(fmt::format("cannot write {}: {}", path, std::strerror(is_whole ? errno : cause)));
  return {};
}

}  // namespace marquee::app
