#include "app.h"

namespace marquee::app {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = kKiB * 1024;
constexpr std::uint64_t kGiB = kMiB * 1024;
constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kDay = 24 * 60 * kMinute;

void bind_log_and_store(Settings& s, config::Schema& schema) {
  schema.add("store.url", &s.store_url,
             "ClickHouse to use, as http://host:port. Empty: Marquee runs its own (marquee-store) and keeps it alive.");
  schema.add("store.user", &s.store_user, "User at store.url.");
  schema.add("store.password", &s.store_password, "Password at store.url.", /*secret=*/true);
  schema.add("store.port", &s.store_port, 0, 65535,
             "Port of Marquee's own store; ClickHouse clients attach here. 0: any free one.");
  schema.add("store.engine", &s.store_engine, "Path of libchdb.so. Empty: where tools/install puts it.");
  schema.add_duration("store.hang", &s.store_hang_ms, kSecond, kDay,
                      "Own store that answers nothing for so long is restarted.");
  schema.add_choice("log.kind", &s.log_kind, {"local"}, "Where events are kept until they are loaded.");
  schema.add("log.partitions", &s.log_partitions, 1, 64, "Partitions of the log; fixed once the log exists.");
  schema.add_size("log.max_size", &s.log_max_bytes, 16 * kMiB, 4096 * kGiB,
                  "Events kept at most; beyond, senders get 503 and Retry-After.");
  schema.add_size("log.min_free_disk", &s.log_min_free_disk_bytes, kMiB, 1024 * kGiB,
                  "Less free on the disk: senders get 503 and Retry-After.");
  schema.add_duration("log.keep_confirmed", &s.log_keep_confirmed_ms, kSecond, 30 * kDay,
                      "How long loaded events stay in the log, to repair the store after a power loss.");
}

void bind_ingest(Settings& s, config::Schema& schema) {
  schema.add_size("collector.max_body", &s.collector_max_body_bytes, kKiB, 256 * kMiB,
                  "Largest request body, as sent; beyond: 413.");
  schema.add("collector.max_events", &s.collector_max_events, 1, 1'000'000, "Events per request; beyond: 413.");
  schema.add("collector.key_events_per_second", &s.collector_key_events_per_second, 0, 1e9,
             "Rate per write key; 0: no limit.");
  schema.add("collector.address_events_per_second", &s.collector_address_events_per_second, 0, 1e9,
             "Rate per client address; 0: no limit.");
  schema.add_duration("collector.max_event_age", &s.collector_max_event_age_ms, kMinute, 3650 * kDay,
                      "Older events are refused.");
  schema.add("loader.batch_rows", &s.loader_batch_rows, 1, 10'000'000, "Events per insert at most.");
  schema.add_duration("loader.linger", &s.loader_linger_ms, 0, 60 * kSecond, "How long a small batch waits for more.");
  schema.add("loader.identity_window", &s.loader_identity_window, 1000, 1'000'000'000,
             "Events per partition within which a repeat is recognised.");
}

}  // namespace

void bind(Settings& s, config::Schema& schema) {
  schema.add("data_dir", &s.data_dir, "Directory of everything that Marquee keeps.");
  schema.add("http.listen", &s.http_listen,
             "Address to listen on. Other machines reach Marquee only if this is changed.");
  schema.add("http.port", &s.http_port, 0, 65535, "Port of the console, the API and the collector. 0: any free one.");
  schema.add("http.io_threads", &s.http_io_threads, 1, 256, "Threads that read and write requests.");
  schema.add("http.console_dir", &s.http_console_dir, "Directory of the built console. Empty: beside the executable.");
  bind_log_and_store(s, schema);
  bind_ingest(s, schema);
  schema.add_choice("logging.level", &s.logging_level, {"debug", "info", "warn", "error"},
                    "Log lines below this are dropped.");
  schema.add_choice("logging.format", &s.logging_format, {"json", "text"},
                    "One JSON object a line, or text for people.");
}

}  // namespace marquee::app
