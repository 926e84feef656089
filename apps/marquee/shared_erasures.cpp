#include "shared_erasures.h"

#include <string>
#include <utility>

#include "marquee/kafka/kafka_log.h"
#include "parts.h"

namespace marquee::app {

Result<profile::Erasure> SharedErasures::tell(std::string_view site_id, std::uint64_t user_key) {
  const std::lock_guard lock(mutex_);
  const std::pair<std::unique_ptr<log::EventLog>*, std::string> wanted[] = {{&events_, settings_.kafka_topic},
                                                                            {&erasures_, erasures_topic(settings_)}};
  for (const auto& [log, topic] : wanted) {
    if (*log) continue;
    auto options = kafka_log_options(settings_, nullptr, nullptr);
    options.topic = topic;
    auto opened = kafka::open_kafka_log(std::move(options));
    if (!opened) return opened.error();
    *log = std::move(*opened);
  }
  return profile::tell_erasure(*erasures_, *events_, site_id, user_key);
}

}  // namespace marquee::app
