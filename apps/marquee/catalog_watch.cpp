#include "catalog_watch.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "marquee/base/logging.h"

namespace marquee::app {

CatalogWatch::CatalogWatch(catalog::Catalog& catalog)
    : thread_([&catalog](const std::stop_token& stop) {
        constexpr auto kEvery = std::chrono::seconds(1);
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        while (!stopped.wait_for(lock, stop, kEvery, [&] { return stop.stop_requested(); })) {
          if (auto followed = catalog.follow_changes(); !followed)
            logging::warn("catalog.not_followed", {{"error", followed.error().message}});
        }
      }) {}

}  // namespace marquee::app
