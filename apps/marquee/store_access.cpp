#include "store_access.h"

#include <fmt/format.h>

#include <cstdio>

namespace marquee::app {

Result<clickhouse::Endpoint> store_endpoint(const App& app, bool as_reader) {
  const Settings& settings = app.settings();
  if (!settings.store_url.empty()) {
    return clickhouse::Endpoint{
        .url = settings.store_url, .user = settings.store_user, .password = settings.store_password};
  }
  const auto running = app.running();
  if (!running) return running.error();
  if (as_reader) {
    return clickhouse::Endpoint{
        .url = running->store_url, .user = running->reader_user, .password = running->reader_password};
  }
  return clickhouse::Endpoint{
      .url = running->store_url, .user = running->store_user, .password = running->store_password};
}

std::string loader_directory(const App& app) { return app.settings().data_dir + "/loader"; }

int fail(const Error& error) {
  fmt::print(stderr, "marquee: {}\n", error.message);
  return 1;
}

}  // namespace marquee::app
