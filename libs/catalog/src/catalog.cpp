#include "marquee/catalog/catalog.h"

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sodium.h>

#include <algorithm>

#include "catalog_impl.h"

namespace marquee::catalog {
namespace {

constexpr int kVersion = 1;

// Portable SQL: PostgreSQL takes the same statements.
constexpr const char* kSchema[] = {
    "CREATE TABLE IF NOT EXISTS catalog_version (version INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sites (id VARCHAR(63) PRIMARY KEY, name VARCHAR(200) NOT NULL, allowed_origin TEXT NOT "
    "NULL, "
    "consent_required INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS write_keys (hash VARCHAR(64) PRIMARY KEY, site_id VARCHAR(63) NOT NULL, is_trusted "
    "INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS admin_tokens (hash VARCHAR(64) PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS items (site_id VARCHAR(63) NOT NULL, kind VARCHAR(10) NOT NULL, id VARCHAR(128) NOT "
    "NULL, "
    "name VARCHAR(200) NOT NULL, campaign_id VARCHAR(128) NOT NULL, PRIMARY KEY (site_id, kind, id))",
    "CREATE TABLE IF NOT EXISTS changes (time_ms BIGINT NOT NULL, actor VARCHAR(100) NOT NULL, what TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS saved_reports (id VARCHAR(40) PRIMARY KEY, name VARCHAR(200) NOT NULL, kind "
    "VARCHAR(40) NOT "
    "NULL, site_id VARCHAR(63) NOT NULL, parameters TEXT NOT NULL, owner VARCHAR(100) NOT NULL, made_ms BIGINT NOT "
    "NULL, "
    "changed_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS segments (id VARCHAR(40) PRIMARY KEY, site_id VARCHAR(63) NOT NULL, title VARCHAR(200) "
    "NOT NULL, definition TEXT NOT NULL, made_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, refreshed_ms BIGINT NOT "
    "NULL, size BIGINT NOT NULL, version BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS segments_by_version ON segments (version)",
    "CREATE TABLE IF NOT EXISTS segment_versions (version BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS deliveries (id VARCHAR(40) PRIMARY KEY, report_id VARCHAR(40) NOT NULL, url "
    "VARCHAR(2000) NOT NULL, format VARCHAR(20) NOT NULL, schedule TEXT NOT NULL, owner VARCHAR(100) NOT NULL, "
    "is_paused INTEGER NOT NULL, pause_reason TEXT NOT NULL, made_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, "
    "next_due_ms BIGINT NOT NULL, failures INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS alerts (id VARCHAR(40) PRIMARY KEY, name VARCHAR(200) NOT NULL, site_id VARCHAR(63) "
    "NOT NULL, rule TEXT NOT NULL, url VARCHAR(2000) NOT NULL, owner VARCHAR(100) NOT NULL, is_paused INTEGER NOT "
    "NULL, made_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, state TEXT NOT NULL, next_check_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS notices (id VARCHAR(80) PRIMARY KEY, source VARCHAR(10) NOT NULL, source_id "
    "VARCHAR(40) NOT NULL, event VARCHAR(40) NOT NULL, due_ms BIGINT NOT NULL, status VARCHAR(10) NOT NULL, tries "
    "INTEGER NOT NULL, next_try_ms BIGINT NOT NULL, done_ms BIGINT NOT NULL, http_status INTEGER NOT NULL, error TEXT "
    "NOT NULL, content_type VARCHAR(200) NOT NULL, disposition VARCHAR(1000) NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS notices_of_source ON notices (source, source_id, due_ms)",
    "CREATE INDEX IF NOT EXISTS notices_by_status ON notices (status, next_try_ms)",
    "CREATE TABLE IF NOT EXISTS definitions (site_id VARCHAR(63) NOT NULL, kind VARCHAR(10) NOT NULL, id VARCHAR(128) "
    "NOT NULL, name VARCHAR(200) NOT NULL, definition TEXT NOT NULL, made_ms BIGINT NOT NULL, changed_ms BIGINT NOT "
    "NULL, changed_by VARCHAR(100) NOT NULL, PRIMARY KEY (site_id, kind, id))",
    "CREATE TABLE IF NOT EXISTS definition_versions (site_id VARCHAR(63) NOT NULL, kind VARCHAR(10) NOT NULL, id "
    "VARCHAR(128) NOT NULL, changed_ms BIGINT NOT NULL, changed_by VARCHAR(100) NOT NULL, is_removal INTEGER NOT NULL, "
    "definition TEXT NOT NULL, PRIMARY KEY (site_id, kind, id, changed_ms))",
    "CREATE TABLE IF NOT EXISTS campaign_ads (site_id VARCHAR(63) NOT NULL, ad_id VARCHAR(128) NOT NULL, campaign_id "
    "VARCHAR(128) NOT NULL, PRIMARY KEY (site_id, ad_id))",
    "CREATE INDEX IF NOT EXISTS ads_of_campaign ON campaign_ads (site_id, campaign_id)",
    "CREATE TABLE IF NOT EXISTS definitions_version (version BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS erasures (id VARCHAR(40) PRIMARY KEY, site_id VARCHAR(63) NOT NULL, user_key "
    "VARCHAR(16) NOT NULL, asked_ms BIGINT NOT NULL, asked_by VARCHAR(100) NOT NULL, is_done INTEGER NOT NULL, step "
    "VARCHAR(40) NOT NULL, parts_done BIGINT NOT NULL, parts_total BIGINT NOT NULL, plan TEXT NOT NULL, receipt TEXT "
    "NOT NULL, error TEXT NOT NULL, done_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS accounts (name VARCHAR(64) PRIMARY KEY, role VARCHAR(10) NOT NULL, password "
    "VARCHAR(200) NOT NULL, subject VARCHAR(1000) NOT NULL, made_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, "
    "seen_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS account_sessions (hash VARCHAR(64) PRIMARY KEY, account VARCHAR(64) NOT NULL, made_ms "
    "BIGINT NOT NULL, seen_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS write_key_notes (hash VARCHAR(64) PRIMARY KEY, label VARCHAR(200) NOT NULL, made_ms "
    "BIGINT NOT NULL, made_by VARCHAR(100) NOT NULL)",
    "CREATE INDEX IF NOT EXISTS changes_by_time ON changes (time_ms)",
    "CREATE INDEX IF NOT EXISTS changes_by_actor ON changes (actor, time_ms)",
};

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string hash_of(std::string_view secret) {
  unsigned char hash[32];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), nullptr,
                     0);
  return hex(hash, sizeof hash);
}

std::string id_of_key(std::string_view hash) { return std::string(hash.substr(0, 12)); }

Result<void> check(const Site& site) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (site.id.empty() || site.id.size() > 63 || site.id.front() == '-' || !std::ranges::all_of(site.id, is_good))
    return Error::reject(fmt::format(
        "id: \"{}\" must be 1 to 63 lower-case letters, digits or '-', not beginning with '-'", site.id.substr(0, 80)));
  if (site.name.size() > 200) return Error::reject("name: at most 200 bytes are taken");
  if (site.allowed_origin.size() > 4000) return Error::reject("allowed_origin: at most 4000 bytes are taken");
  return {};
}

}  // namespace

std::string kind_name(ItemKind kind) {
  switch (kind) {
    case ItemKind::slot:
      return "slot";
    case ItemKind::campaign:
      return "campaign";
    default:
      return "ad";
  }
}

void put_item_row(soci::session& session, const std::string& site_id, ItemKind kind, const Item& item) {
  const auto kind_text = kind_name(kind);
  session << "DELETE FROM items WHERE site_id = :s AND kind = :k AND id = :i", soci::use(site_id), soci::use(kind_text),
      soci::use(item.id);
  session << "INSERT INTO items (site_id, kind, id, name, campaign_id) VALUES (:s, :k, :i, :n, :c)", soci::use(site_id),
      soci::use(kind_text), soci::use(item.id), soci::use(item.name), soci::use(item.campaign_id);
}

Catalog::Impl::Impl(const std::string& path, std::shared_ptr<const Clock> clock)
    : clock_(clock ? std::move(clock) : std::make_shared<SystemClock>()),
      session_(soci::sqlite3, fmt::format("dbname={} timeout=10", path)) {
  session_ << "PRAGMA journal_mode=WAL";
  session_ << "PRAGMA synchronous=FULL";
  session_ << "PRAGMA secure_delete=ON";  // What is overwritten or deleted is overwritten in the file, too.
}

Result<void> Catalog::Impl::prepare() {
  const std::lock_guard lock(mutex_);
  soci::transaction transaction(session_);
  for (const auto* statement : kSchema) session_ << statement;
  int rows = 0, version = 0;
  session_ << "SELECT count(*), coalesce(max(version), 0) FROM catalog_version", soci::into(rows), soci::into(version);
  if (version > kVersion)
    return Error::give_up(
        fmt::format("the catalog is of version {}, this program knows {}; use the newer program", version, kVersion));
  if (rows == 0) session_ << "INSERT INTO catalog_version (version) VALUES (:v)", soci::use(kVersion);
  transaction.commit();
  refresh();
  return {};
}

Result<void> Catalog::Impl::follow_changes() {
  return read([this](soci::session& session) -> Result<void> {
    long long version = 0;
    session << "PRAGMA data_version", soci::into(version);
    if (std::exchange(data_version_, version) != version) refresh();
    return {};
  });
}

Result<void> Catalog::Impl::fold_journal() {
  return read([](soci::session& session) -> Result<void> {
    int is_busy = 0, frames = 0, folded = 0;
    session << "PRAGMA wal_checkpoint(TRUNCATE)", soci::into(is_busy), soci::into(frames), soci::into(folded);
    if (is_busy != 0) return Error::retry("the catalog's journal is read by another process");
    return {};
  });
}

void Catalog::Impl::record(std::string_view actor, const std::string& what) {
  const long long time_ms = now_ms();
  const std::string who(actor);
  session_ << "INSERT INTO changes (time_ms, actor, what) VALUES (:t, :a, :w)", soci::use(time_ms), soci::use(who),
      soci::use(what);
}

void Catalog::Impl::refresh() {
  auto next = std::make_shared<Snapshot>();
  const soci::rowset<soci::row> sites =
      (session_.prepare << "SELECT id, name, allowed_origin, consent_required FROM sites");
  for (const auto& row : sites) {
    Site site{row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2), row.get<int>(3) != 0};
    next->sites.emplace(site.id, site);
  }
  const soci::rowset<soci::row> keys = (session_.prepare << "SELECT hash, site_id, is_trusted FROM write_keys");
  for (const auto& row : keys)
    next->keys.emplace(row.get<std::string>(0), std::pair(row.get<std::string>(1), row.get<int>(2) != 0));
  const soci::rowset<soci::row> tokens = (session_.prepare << "SELECT hash FROM admin_tokens");
  for (const auto& row : tokens) next->tokens.insert(row.get<std::string>(0));
  read_accounts(*next);
  long long version = 0;
  session_ << "SELECT coalesce(max(version), 0) FROM definitions_version", soci::into(version);
  next->definitions_version = version;
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(next);
}

void Catalog::Impl::renew() {
  std::ignore = read([this](soci::session&) -> Result<void> {
    refresh();
    return {};
  });
}

Result<void> Catalog::follow_changes() { return impl_->follow_changes(); }

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& path, std::shared_ptr<const Clock> clock) {
  if (sodium_init() < 0) return Error::give_up("libsodium does not start");
  try {
    auto impl = std::make_unique<Impl>(path, std::move(clock));
    if (auto prepared = impl->prepare(); !prepared) return prepared.error();
    return std::unique_ptr<Catalog>(new Catalog(std::move(impl)));
  } catch (const soci::soci_error& e) {
    return Error::give_up(fmt::format("cannot open the catalog {}: {}", path, e.what()));
  }
}

std::vector<Site> Catalog::sites() const {
  std::vector<Site> result;
  for (const auto& [id, site] : impl_->snapshot()->sites) result.push_back(site);
  return result;
}

std::optional<Site> Catalog::site(std::string_view id) const {
  const auto snapshot = impl_->snapshot();
  const auto it = snapshot->sites.find(id);
  return it == snapshot->sites.end() ? std::nullopt : std::optional(it->second);
}

Result<void> Catalog::add_site(const Site& site, std::string_view actor) {
  if (auto checked = check(site); !checked) return checked;
  if (this->site(site.id)) return Error::reject(fmt::format("id: the site \"{}\" exists", site.id));
  return impl_->change(actor, fmt::format("site {} made", site.id), [&](soci::session& session) {
    const int consent = site.consent_required ? 1 : 0;
    session << "INSERT INTO sites (id, name, allowed_origin, consent_required) VALUES (:i, :n, :o, :c)",
        soci::use(site.id), soci::use(site.name), soci::use(site.allowed_origin), soci::use(consent);
  });
}

Result<void> Catalog::ensure_site(const Site& site, std::string_view actor) {
  if (this->site(site.id)) return {};
  return add_site(site, actor);
}

Result<Edit> Catalog::replace_site(const Site& site, std::string_view actor) {
  if (auto checked = check(site); !checked) return checked.error();
  const auto before = this->site(site.id);
  if (!before) return Edit::missing;
  const auto changed =
      impl_->change(actor,
                    fmt::format("site {} is now \"{}\", takes events from {} and {} for consent", site.id, site.name,
                                site.allowed_origin, site.consent_required ? "waits" : "does not wait"),
                    [&](soci::session& session) {
                      const int consent = site.consent_required ? 1 : 0;
                      session << "UPDATE sites SET name = :n, allowed_origin = :o, consent_required = :c WHERE id = :i",
                          soci::use(site.name), soci::use(site.allowed_origin), soci::use(consent), soci::use(site.id);
                    });
  if (!changed) return changed.error();
  return Edit::done;
}

Result<std::string> Catalog::add_write_key(std::string_view site_id, bool is_trusted, std::string_view actor,
                                           std::string_view label) {
  auto key = make_secret("mk_");
  if (auto put = impl_->put_write_key(key, site_id, is_trusted, actor, label); !put) return put.error();
  return key;
}

Result<void> Catalog::put_write_key(std::string_view key, std::string_view site_id, bool is_trusted,
                                    std::string_view actor) {
  return impl_->put_write_key(key, site_id, is_trusted, actor, {});
}

Result<void> Catalog::Impl::put_write_key(std::string_view key, std::string_view site_id, bool is_trusted,
                                          std::string_view actor, std::string_view label) {
  if (label.size() > 200) return Error::reject("label: at most 200 bytes are taken");
  if (!snapshot()->sites.contains(site_id)) return Error::reject(fmt::format("there is no site \"{}\"", site_id));
  const auto hash = hash_of(key);
  if (snapshot()->keys.contains(hash)) return {};
  return change(actor, fmt::format("write key {} of site {} made", id_of_key(hash), site_id),
                [&](soci::session& session) {
                  const std::string id(site_id), text(label), who(actor);
                  const int trusted = is_trusted ? 1 : 0;
                  const long long made = now_ms();
                  session << "INSERT INTO write_keys (hash, site_id, is_trusted) VALUES (:h, :s, :t)", soci::use(hash),
                      soci::use(id), soci::use(trusted);
                  session << "DELETE FROM write_key_notes WHERE hash = :h", soci::use(hash);
                  session << "INSERT INTO write_key_notes (hash, label, made_ms, made_by) VALUES (:h, :l, :m, :w)",
                      soci::use(hash), soci::use(text), soci::use(made), soci::use(who);
                });
}

Result<std::vector<WriteKey>> Catalog::write_keys(std::string_view site_id) const {
  return impl_->read([&](soci::session& session) -> Result<std::vector<WriteKey>> {
    const std::string id(site_id);
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT k.hash, k.is_trusted, n.label, n.made_ms, n.made_by FROM write_keys k LEFT JOIN "
                            "write_key_notes n ON n.hash = k.hash "
                            "WHERE k.site_id = :s ORDER BY coalesce(n.made_ms, 0), k.hash",
         soci::use(id, "s"));
    return each(rows, [](const soci::row& row) {
      return WriteKey{.id = id_of_key(row.get<std::string>(0)),
                      .label = row.get<std::string>(2, ""),
                      .is_trusted = row.get<int>(1) != 0,
                      .made_ms = row.get<long long>(3, 0),
                      .made_by = row.get<std::string>(4, "")};
    });
  });
}

Result<Edit> Catalog::remove_write_key(std::string_view site_id, std::string_view id, std::string_view actor) {
  const auto found = impl_->snapshot();
  const auto key = std::ranges::find_if(
      found->keys, [&](const auto& one) { return one.second.first == site_id && id_of_key(one.first) == id; });
  if (key == found->keys.end()) return Edit::missing;
  if (key->second.second) return Edit::in_use;
  const auto changed =
      impl_->change(actor, fmt::format("write key {} of site {} ended", id, site_id), [&](soci::session& session) {
        session << "DELETE FROM write_keys WHERE hash = :h", soci::use(key->first);
        session << "DELETE FROM write_key_notes WHERE hash = :h", soci::use(key->first);
      });
  if (!changed) return changed.error();
  return Edit::done;
}

std::optional<KeyOwner> Catalog::find_key(std::string_view key) const {
  const auto snapshot = impl_->snapshot();
  const auto it = snapshot->keys.find(hash_of(key));
  if (it == snapshot->keys.end()) return std::nullopt;
  const auto site = snapshot->sites.find(it->second.first);
  if (site == snapshot->sites.end()) return std::nullopt;
  return KeyOwner{site->second, it->second.second};
}

Result<void> Catalog::put_admin_token(std::string_view token, std::string_view actor) {
  const auto hash = hash_of(token);
  if (impl_->snapshot()->tokens.contains(hash)) return {};
  return impl_->change(actor, "admin token made", [&](soci::session& session) {
    session << "INSERT INTO admin_tokens (hash) VALUES (:h)", soci::use(hash);
  });
}

bool Catalog::is_admin_token(std::string_view token) const {
  return impl_->snapshot()->tokens.contains(hash_of(token));
}

Result<std::vector<Item>> Catalog::items(std::string_view site_id, ItemKind kind) const {
  return impl_->read([&](soci::session& session) -> Result<std::vector<Item>> {
    const std::string id(site_id);
    const auto kind_text = kind_name(kind);
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT id, name, campaign_id FROM items WHERE site_id = :s AND kind = :k ORDER BY id",
         soci::use(id, "s"), soci::use(kind_text, "k"));
    std::vector<Item> items;
    for (const auto& row : rows)
      items.push_back({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2)});
    return items;
  });
}

Result<void> Catalog::put_item(std::string_view site_id, ItemKind kind, const Item& item, std::string_view actor) {
  if (!site(site_id)) return Error::reject(fmt::format("there is no site \"{}\"", site_id));
  if (item.id.empty() || item.id.size() > 128) return Error::reject("id: expected 1 to 128 bytes");
  if (item.name.empty() || item.name.size() > 200) return Error::reject("name: expected 1 to 200 bytes");
  if (item.campaign_id.size() > 128) return Error::reject("campaign_id: at most 128 bytes are taken");
  return impl_->change(actor,
                       fmt::format("{} {} of site {} is now \"{}\"", kind_name(kind), item.id, site_id, item.name),
                       [&](soci::session& session) { put_item_row(session, std::string(site_id), kind, item); });
}

Result<std::vector<Change>> Catalog::changes(std::size_t limit) const {
  return impl_->read([&](soci::session& session) -> Result<std::vector<Change>> {
    const auto most = static_cast<long long>(limit);
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT time_ms, actor, what FROM changes ORDER BY time_ms DESC LIMIT :n",
         soci::use(most, "n"));
    std::vector<Change> changes;
    for (const auto& row : rows)
      changes.push_back({row.get<long long>(0), row.get<std::string>(1), row.get<std::string>(2)});
    return changes;
  });
}

std::string hash_of_secret(std::string_view secret) { return hash_of(secret); }

std::string make_secret(std::string_view prefix) {
  std::ignore = sodium_init();
  unsigned char bytes[20];
  randombytes_buf(bytes, sizeof bytes);
  return std::string(prefix) + hex(bytes, sizeof bytes);
}

}  // namespace marquee::catalog
