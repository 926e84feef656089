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
  schema.add(
      "store.url", &s.store_url,
      "ClickHouse to use, as http://host:port. Of a cluster every node: replicas of a shard separated by ',', shards "
      "by ';'. Empty: Marquee runs its own (marquee-store) and keeps it alive.");
  schema.add(
      "store.cluster", &s.store_cluster,
      "Name of the cluster at store.url, as in its remote_servers: tables are replicated and distributed. Empty: one "
      "ClickHouse.");
  schema.add("store.insert_quorum", &s.store_insert_quorum,
             "Replicas of a shard that have an insert before it counts as landed: a number, or auto for most of them.");
  schema.add("store.user", &s.store_user, "User at store.url.");
  schema.add("store.password", &s.store_password, "Password at store.url.", /*secret=*/true);
  schema.add("store.reader_user", &s.store_reader_user,
             "User at store.url that may only read: what people write in the SQL editor is asked as this one. Empty: "
             "there is no SQL editor there.");
  schema.add("store.reader_password", &s.store_reader_password, "Password of that user.", /*secret=*/true);
  schema.add_duration("sql.timeout", &s.sql_timeout_ms, kSecond, kMinute,
                      "How long a statement of the SQL editor may take; one whose answer is a file has twice that.");
  schema.add("store.listen", &s.store_listen,
             "Address that Marquee's own store listens on. Loaders and clients on other machines reach it only if this "
             "is changed; it asks for a password (secrets.json).");
  schema.add("store.port", &s.store_port, 0, 65535,
             "Port of Marquee's own store; ClickHouse clients attach here. 0: any free one.");
  schema.add("store.engine", &s.store_engine, "Path of libchdb.so. Empty: where tools/install puts it.");
  schema.add_duration("store.hang", &s.store_hang_ms, kSecond, kDay,
                      "Own store that answers nothing for so long is restarted.");
  schema.add_duration("store.lost_after", &s.store_lost_after_ms, kSecond, 60 * kMinute,
                      "A connection on which the store's machine acknowledges nothing for so long is given up. A store "
                      "that is only slow is waited for.");
  schema.add_choice("log.kind", &s.log_kind, {"local", "kafka"},
                    "Where events are kept until they are loaded: on this machine's disk, or in Apache Kafka.");
  schema.add("log.partitions", &s.log_partitions, 1, 64, "Partitions of the log; fixed once the log exists.");
  schema.add_size("log.max_size", &s.log_max_bytes, 16 * kMiB, 4096 * kGiB,
                  "Events kept at most; beyond, senders get 503 and Retry-After.");
  schema.add_size("log.min_free_disk", &s.log_min_free_disk_bytes, kMiB, 1024 * kGiB,
                  "Less free on the disk: senders get 503 and Retry-After.");
  schema.add_duration("log.keep_confirmed", &s.log_keep_confirmed_ms, kSecond, 30 * kDay,
                      "How long loaded events stay in the log, to repair the store after a power loss.");
}

void bind_kafka(Settings& s, config::Schema& schema) {
  schema.add("kafka.brokers", &s.kafka_brokers, "Where to find the brokers: host:port, separated by commas.");
  schema.add("kafka.topic", &s.kafka_topic, "Topic of the events; the other topics share its name up to the last dot.");
  schema.add("kafka.group", &s.kafka_group, "Group in which loaders share the partitions.");
  schema.add("kafka.instance", &s.kafka_instance,
             "Name of this loader, if it has a lasting one (a StatefulSet's pod): it then keeps its partitions over a "
             "restart within kafka.session.");
  schema.add("kafka.partitions", &s.kafka_partitions, 1, 1024, "Partitions of topics that `marquee migrate up` makes.");
  schema.add("kafka.replication", &s.kafka_replication, 1, 9, "Replicas of topics that `marquee migrate up` makes.");
  schema.add_duration("kafka.retention", &s.kafka_retention_ms, kMinute, 3650 * kDay,
                      "How long topics keep events at least: the longest outage of the store that loses nothing.");
  schema.add_duration("kafka.session", &s.kafka_session_ms, kSecond, 10 * kMinute,
                      "A loader that is silent for so long loses its partitions to others.");
  schema.add_duration("kafka.acknowledge", &s.kafka_acknowledge_ms, kSecond, 10 * kMinute,
                      "How long a sender waits for the brokers before it gets 503 and Retry-After.");
  schema.add_duration("kafka.linger", &s.kafka_linger_ms, 0, kSecond, "How long an event waits for others on its way.");
  schema.add_size("kafka.max_pending", &s.kafka_max_pending_bytes, kMiB, 16 * kGiB,
                  "Events that wait for the brokers' acknowledgement; beyond: 503 and Retry-After.");
  schema.add_choice("kafka.security", &s.kafka_security, {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"},
                    "How connections to the brokers are kept safe.");
  schema.add("kafka.sasl_mechanism", &s.kafka_sasl_mechanism, "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.");
  schema.add("kafka.sasl_user", &s.kafka_sasl_user, "User for SASL.");
  schema.add("kafka.sasl_password", &s.kafka_sasl_password, "Password for SASL.", /*secret=*/true);
  schema.add("kafka.ca_file", &s.kafka_ca_file, "Certificates that the brokers' are checked by (PEM).");
  schema.add("kafka.certificate_file", &s.kafka_certificate_file, "Certificate of this client (PEM).");
  schema.add("kafka.key_file", &s.kafka_key_file, "Key of that certificate (PEM).");
  schema.add_size(
      "spill.max_size", &s.spill_max_bytes, 0, 4096 * kGiB,
      "Events that a collector keeps on its own disk while Kafka is slow or away, so that senders still get 2xx; "
      "beyond: 503 and Retry-After. 0: no spill. The disk must outlive the collector (Kubernetes: a volume claim).");
  schema.add("spill.directory", &s.spill_directory,
             "Where: one directory for each collector, the same at each start. Empty: spill in data_dir.");
  schema.add_duration(
      "spill.after", &s.spill_after_ms, 100, 10 * kMinute,
      "How long an event waits for Kafka before it goes into the spill; kafka.acknowledge is not used then.");
  schema.add("kafka.properties", &s.kafka_properties, "Further properties of librdkafka: name=value,name=value.");
}

void bind_feeds(Settings& s, config::Schema& schema) {
  schema.add("feeds.file", &s.feeds_file,
             "YAML file that describes topics of other producers whose messages `marquee load` makes events of "
             "(docs/feeds.md).");
  schema.add_duration(
      "feeds.transaction", &s.feeds_transaction_ms, kSecond, 15 * kMinute,
      "What a feed's loader that dies leaves half done is ended after this, if no other loader takes its place sooner; "
      "so long events may wait behind it.");
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

void bind_profiles(Settings& s, config::Schema& schema) {
  schema.add("profiles.enabled", &s.profiles_enabled,
             "Whether decisions know users' profiles and segments: only of those with full consent who say that they "
             "are 18 or older.");
  schema.add("profiles.capacity", &s.profiles_capacity, 1'000, 60'000'000,
             "Users with a profile at most, some 280 bytes of memory each as they come; beyond, those unseen for "
             "longest are let go.");
  schema.add_duration("profiles.snapshot", &s.profiles_snapshot_ms, kSecond, kDay,
                      "How often profiles are written to disk. After a crash what came since is read from the log.");
  schema.add_duration("profiles.clusters", &s.profiles_clusters_ms, kSecond, 30 * kDay,
                      "How often users of like interests are grouped anew (`marquee profiles clusters`).");
}

void bind_retention(Settings& s, config::Schema& schema) {
  constexpr std::uint64_t kLongest = 36'500 * kDay;
  schema.add_duration("retention.events", &s.retention_events_ms, 0, kLongest,
                      "How long the store keeps events, in whole days (400d). 0: for ever. docs/privacy.md.");
  schema.add("retention.kinds", &s.retention_kinds,
             "Days by type of event, where that is shorter: hover=30,scroll=30. No less than collector.max_event_age.");
  schema.add_duration("retention.decisions", &s.retention_decisions_ms, 0, kLongest,
                      "How long the store keeps decisions, in whole days. 0: for ever.");
  schema.add_duration("retention.dead_letters", &s.retention_dead_letters_ms, 0, kLongest,
                      "How long the store keeps what could not be loaded, in whole days. 0: for ever.");
}

void bind_sign_in(Settings& s, config::Schema& schema) {
  schema.add(
      "sign_in.public_url", &s.sign_in_public_url,
      "Origin under which people open the console, as https://marquee.example.com. With https cookies are Secure; "
      "a provider of OpenID Connect sends browsers back there. Empty: as browsers say (Host).");
  schema.add_duration("sign_in.idle", &s.sign_in_idle_ms, kMinute, 30 * kDay,
                      "A session by which nothing was asked for so long has ended.");
  schema.add_duration("sign_in.lifetime", &s.sign_in_lifetime_ms, kMinute, 365 * kDay,
                      "A session that began so long ago has ended, used or not.");
  schema.add("sign_in.oidc.issuer", &s.sign_in_oidc_issuer,
             "Provider of OpenID Connect, exactly as it calls itself (docs/sign-in.md). Empty: none.");
  schema.add("sign_in.oidc.name", &s.sign_in_oidc_name, "What people call the provider: Continue with ...");
  schema.add("sign_in.oidc.client_id", &s.sign_in_oidc_client_id, "What the provider calls this Marquee.");
  schema.add("sign_in.oidc.client_secret", &s.sign_in_oidc_client_secret,
             "The secret that it gave for that. Empty: a public client, by PKCE alone.", /*secret=*/true);
  schema.add("sign_in.oidc.scopes", &s.sign_in_oidc_scopes, "Scopes that are asked for, separated by spaces.");
  schema.add("sign_in.oidc.name_claim", &s.sign_in_oidc_name_claim,
             "Claim of the ID token that accounts are called by; a verified email where there is none.");
  schema.add("sign_in.oidc.role_claim", &s.sign_in_oidc_role_claim,
             "Claim of the ID token that roles come from: a text or a list of them; a.b is the member b of a.");
  schema.add(
      "sign_in.oidc.roles", &s.sign_in_oidc_roles,
      "Roles by value of that claim, as marquee-admins=admin,editors=manager; of several the one that may most.");
  schema.add_choice("sign_in.oidc.default_role", &s.sign_in_oidc_default_role,
                    {"none", "viewer", "analyst", "manager", "admin"},
                    "Role of whom the claim gives none; none: they are refused.");
  schema.add("sign_in.oidc.ca_file", &s.sign_in_oidc_ca_file,
             "Certificates that the provider's is checked by (PEM). Empty: the system's.");
}

void bind_webhooks(Settings& s, config::Schema& schema) {
  schema.add("webhooks.allow_private", &s.webhooks_allow_private,
             "Whether deliveries and alerts may be sent to addresses that are not public (this machine, private "
             "networks). Who may make them could then reach what only this machine can.");
  schema.add("webhooks.ca_file", &s.webhooks_ca_file,
             "Certificates that those of receivers are checked by (PEM). Empty: the system's.");
  schema.add_duration("webhooks.timeout", &s.webhooks_timeout_ms, 100, 5 * kMinute,
                      "A receiver that has not answered after that is tried again later.");
  schema.add_duration("webhooks.retry", &s.webhooks_retry_ms, 10, 60 * kMinute,
                      "Wait after the first failure; each further one doubles it, up to an hour.");
  schema.add("webhooks.max_tries", &s.webhooks_max_tries, 1, 30, "Tries of what is sent before it is given up.");
  schema.add("webhooks.max_failures", &s.webhooks_max_failures, 1, 1000,
             "Of a delivery, given up in a row, before it is paused.");
}

}  // namespace

void bind(Settings& s, config::Schema& schema) {
  schema.add("data_dir", &s.data_dir, "Directory of everything that Marquee keeps.");
  schema.add("http.listen", &s.http_listen,
             "Address to listen on. Other machines reach Marquee only if this is changed.");
  schema.add("http.port", &s.http_port, 0, 65535, "Port of the console, the API and the collector. 0: any free one.");
  schema.add("http.io_threads", &s.http_io_threads, 1, 256, "Threads that read and write requests.");
  schema.add("http.console_dir", &s.http_console_dir, "Directory of the built console. Empty: beside the executable.");
  schema.add("http.sdk_dir", &s.http_sdk_dir, "Directory of the built browser SDK. Empty: beside the executable.");
  schema.add_duration("drain.notice", &s.drain_notice_ms, 0, 10 * kMinute,
                      "collect, load and decide: how long /readyz says no after SIGTERM before anything is stopped.");
  schema.add_duration("drain.limit", &s.drain_limit_ms, kSecond, 10 * kMinute,
                      "collect, load and decide: time to finish after that; then the process ends all the same.");
  schema.add("serve.collect", &s.serve_collect,
             "Whether `marquee serve` takes events; with Kafka others may (collect).");
  schema.add("serve.load", &s.serve_load, "Whether `marquee serve` loads events; with Kafka others may (load).");
  bind_log_and_store(s, schema);
  bind_kafka(s, schema);
  bind_feeds(s, schema);
  bind_ingest(s, schema);
  schema.add_choice("decisions.policy", &s.decisions_policy, {"learned", "uniform"},
                    "How ads of a tier share a placement: by how likely they are to be clicked, with exploration "
                    "(learned), or each with the same chance.");
  schema.add_choice("decisions.auction", &s.decisions_auction, {"none", "first_price", "second_price"},
                    "How learned ranking of the standard tier takes bids into account: not at all (none), or as eCPM, "
                    "of which the one that is shown pays its bid, or the least bid that would have done.");
  schema.add_duration(
      "decisions.click_window", &s.decisions_click_window_ms, 100, 30 * kMinute,
      "How long an impression waits for its click before it is learned. Later ones are reckoned in. Where it "
      "is more than 8 minutes, log.keep_confirmed must be as much more than 15, or a restart forgets "
      "what waits.");
  schema.add_duration("decisions.publish_every", &s.decisions_publish_every_ms, 10, kMinute,
                      "How often what was learned reaches the ranking.");
  schema.add_duration("decisions.sync_behind", &s.decisions_sync_behind_ms, 0, kSecond,
                      "How long after its answer a decision is on the disk (fsync) at the latest: what the machine's "
                      "failure may take of the decisions' log; the end of the process takes nothing. 0: before its "
                      "answer, which then waits for the disk.");
  schema.add_duration("decisions.log_within", &s.decisions_log_within_ms, 100, 10 * kMinute,
                      "How long a decision waits for Kafka to keep it before it is answered without ads.");
  schema.add("decisions.address_requests_per_second", &s.decisions_address_requests_per_second, 0, 1e9,
             "Decisions, impressions and clicks together that are taken of a client address; beyond, decisions get "
             "429, and impressions and clicks are answered and not counted. 0: no limit.");
  schema.add("decisions.uniform_share", &s.decisions_uniform_share, 0.01, 1.0,
             "Of the placements that are learned, the share that is drawn without looking at scores: what any other "
             "policy can be judged by.");
  schema.add_duration("decisions.compare_for", &s.decisions_compare_for_ms, kSecond, 7 * kDay,
                      "The model is compared with what it was one to two of these before, and goes back to that where "
                      "it is surely worse.");
  bind_profiles(s, schema);
  schema.add_duration(
      "segments.refresh", &s.segments_refresh_ms, kSecond, kDay,
      "How long `marquee serve` waits between looks at segments: one whose users may be others by now, as "
      "events have landed or a span of time has moved on, is counted again.");
  schema.add("journeys.enabled", &s.journeys_enabled,
             "Whether `marquee serve` keeps what each person did in a day beside the events, so that exact funnels and "
             "search terms of long ranges take a third of the time. Some 4 bytes an event. Not on a cluster.");
  schema.add_duration("journeys.refresh", &s.journeys_refresh_ms, kSecond, kDay,
                      "How long between looks at days; one that is over and whose events are the same at two of them "
                      "is made into journeys.");
  bind_retention(s, schema);
  schema.add(
      "demo.enabled", &s.demo_enabled,
      "Whether `marquee serve` has the campus demo at /demo/, on the site campus, and tells its visitors what is "
      "known of the students that they play and why they see which ads. Not where campus has users of its own.");
  schema.add("demo.dir", &s.demo_dir, "Directory of the built demo. Empty: beside the executable.");
  bind_webhooks(s, schema);
  bind_sign_in(s, schema);
  schema.add_choice("logging.level", &s.logging_level, {"debug", "info", "warn", "error"},
                    "Log lines below this are dropped.");
  schema.add_choice("logging.format", &s.logging_format, {"json", "text"},
                    "One JSON object a line, or text for people.");
}

}  // namespace marquee::app
