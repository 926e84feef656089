#include "catalog_impl.h"
#include "marquee/catalog/definition_book.h"

namespace marquee::catalog {
namespace {

constexpr const char* kDefinitionColumns =
    "SELECT site_id, kind, id, name, definition, made_ms, changed_ms, changed_by FROM definitions";
constexpr std::size_t kMostDefinitionBytes = 2'000'000;
constexpr int kMostDefinitionsOfSite = 2000;
constexpr int kMostVersionsOfDefinition = 50;

Definition definition_of(const soci::row& row) {
  return {.site_id = row.get<std::string>(0),
          .kind = row.get<std::string>(1) == kind_name(ItemKind::slot) ? ItemKind::slot : ItemKind::campaign,
          .id = row.get<std::string>(2),
          .name = row.get<std::string>(3),
          .text = row.get<std::string>(4),
          .made_ms = row.get<long long>(5),
          .changed_ms = row.get<long long>(6),
          .changed_by = row.get<std::string>(7)};
}

DefinitionVersion version_of(const soci::row& row) {
  return {.changed_ms = row.get<long long>(0),
          .changed_by = row.get<std::string>(1),
          .is_removal = row.get<int>(2) != 0,
          .text = row.get<std::string>(3)};
}

/// Of which definition.
struct DefinitionKey {
  DefinitionKey(std::string_view site_id, ItemKind of_kind, std::string_view of_id)
      : site(site_id), kind(kind_name(of_kind)), id(of_id) {}
  const std::string site, kind, id;
};

Result<void> check(const Definition& definition) {
  if (definition.kind == ItemKind::ad) return Error::reject("an ad is defined by its campaign");
  if (definition.id.empty() || definition.id.size() > 128) return Error::reject("id: expected 1 to 128 bytes");
  if (definition.name.empty() || definition.name.size() > 200) return Error::reject("name: expected 1 to 200 bytes");
  if (definition.text.size() > kMostDefinitionBytes) return Error::reject("definition: at most 2 MB are taken");
  return {};
}

std::optional<Definition> find_row(soci::session& session, const DefinitionKey& key) {
  const soci::rowset<soci::row> rows =
      (session.prepare << fmt::format("{} WHERE site_id = :s AND kind = :k AND id = :i", kDefinitionColumns),
       soci::use(key.site, "s"), soci::use(key.kind, "k"), soci::use(key.id, "i"));
  auto found = each(rows, definition_of);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

/// Of the last state that is kept, also of what was removed; 0: there was none.
std::int64_t last_version(soci::session& session, const DefinitionKey& key) {
  long long version = 0;
  session
      << "SELECT coalesce(max(changed_ms), 0) FROM definition_versions WHERE site_id = :s AND kind = :k AND id = :i",
      soci::into(version), soci::use(key.site), soci::use(key.kind), soci::use(key.id);
  return version;
}

/// What has another version than the last one is read anew by those who serve.
void count_change(soci::session& session) {
  int rows = 0;
  session << "SELECT count(*) FROM definitions_version", soci::into(rows);
  session << (rows == 0 ? "INSERT INTO definitions_version (version) VALUES (1)"
                        : "UPDATE definitions_version SET version = version + 1");
}

void remember(soci::session& session, const DefinitionKey& key, const DefinitionVersion& state) {
  const long long changed = state.changed_ms;
  const int removal = state.is_removal ? 1 : 0;
  session
      << "INSERT INTO definition_versions (site_id, kind, id, changed_ms, changed_by, is_removal, definition) VALUES "
         "(:s, :k, :i, :c, :b, :r, :d)",
      soci::use(key.site), soci::use(key.kind), soci::use(key.id), soci::use(changed), soci::use(state.changed_by),
      soci::use(removal), soci::use(state.text);
  session
      << "DELETE FROM definition_versions WHERE site_id = :s AND kind = :k AND id = :i AND changed_ms NOT IN (SELECT "
         "changed_ms FROM definition_versions WHERE site_id = :s AND kind = :k AND id = :i ORDER BY changed_ms DESC "
         "LIMIT :n)",
      soci::use(key.site, "s"), soci::use(key.kind, "k"), soci::use(key.id, "i"),
      soci::use(kMostVersionsOfDefinition, "n");
  count_change(session);
}

void remove_row(soci::session& session, const DefinitionKey& key) {
  session << "DELETE FROM definitions WHERE site_id = :s AND kind = :k AND id = :i", soci::use(key.site),
      soci::use(key.kind), soci::use(key.id);
  if (key.kind == kind_name(ItemKind::campaign))
    session << "DELETE FROM campaign_ads WHERE site_id = :s AND campaign_id = :c", soci::use(key.site),
        soci::use(key.id);
}

/// Ads with their names. What is wrong where another campaign of the site has one of them: reports could not tell whose
/// its events are.
std::optional<Error> put_ads(soci::session& session, const Definition& definition) {
  for (std::size_t i = 0; i < definition.ads.size(); ++i) {
    const Item& ad = definition.ads[i];
    std::string owner;
    session << "SELECT campaign_id FROM campaign_ads WHERE site_id = :s AND ad_id = :a", soci::into(owner),
        soci::use(definition.site_id), soci::use(ad.id);
    if (session.got_data())
      return Error::reject(fmt::format("ads[{}].id: the campaign \"{}\" has an ad of this id", i, owner));
    session << "INSERT INTO campaign_ads (site_id, ad_id, campaign_id) VALUES (:s, :a, :c)",
        soci::use(definition.site_id), soci::use(ad.id), soci::use(definition.id);
    put_item_row(session, definition.site_id, ItemKind::ad, {ad.id, ad.name, definition.id});
  }
  return std::nullopt;
}

std::optional<Error> put_row(soci::session& session, const DefinitionKey& key, const Definition& definition) {
  remove_row(session, key);
  int others = 0;
  session << "SELECT count(*) FROM definitions WHERE site_id = :s AND kind = :k", soci::into(others),
      soci::use(key.site), soci::use(key.kind);
  if (others >= kMostDefinitionsOfSite)
    return Error::reject(fmt::format("site: {} has {} {}s already", key.site, kMostDefinitionsOfSite, key.kind));
  const long long made = definition.made_ms, changed = definition.changed_ms;
  session
      << "INSERT INTO definitions (site_id, kind, id, name, definition, made_ms, changed_ms, changed_by) VALUES (:s, "
         ":k, :i, :n, :d, :m, :c, :b)",
      soci::use(key.site), soci::use(key.kind), soci::use(key.id), soci::use(definition.name),
      soci::use(definition.text), soci::use(made), soci::use(changed), soci::use(definition.changed_by);
  put_item_row(session, key.site, definition.kind, {definition.id, definition.name, ""});
  return put_ads(session, definition);
}

}  // namespace

std::int64_t DefinitionBook::version() const { return impl_.snapshot()->definitions_version; }

Result<Definitions> DefinitionBook::all() const {
  return impl_.read([&](soci::session& session) -> Result<Definitions> {
    soci::transaction transaction(session);  // Other processes change nothing in between.
    Definitions definitions;
    long long version = 0;
    session << "SELECT coalesce(max(version), 0) FROM definitions_version", soci::into(version);
    definitions.version = version;
    definitions.all =
        each((session.prepare << fmt::format("{} ORDER BY site_id, kind, id", kDefinitionColumns)), definition_of);
    return definitions;
  });
}

Result<std::vector<Definition>> DefinitionBook::of_site(std::string_view site_id, ItemKind kind) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Definition>> {
    const DefinitionKey key(site_id, kind, "");
    return each((session.prepare << fmt::format("{} WHERE site_id = :s AND kind = :k ORDER BY id", kDefinitionColumns),
                 soci::use(key.site, "s"), soci::use(key.kind, "k")),
                definition_of);
  });
}

Result<std::optional<Definition>> DefinitionBook::find(std::string_view site_id, ItemKind kind,
                                                       std::string_view id) const {
  return impl_.read([&](soci::session& session) -> Result<std::optional<Definition>> {
    return find_row(session, {site_id, kind, id});
  });
}

Result<Edit> DefinitionBook::add(Definition& definition, std::string_view actor) {
  return write(definition, /*is_new=*/true, std::nullopt, actor);
}

Result<Edit> DefinitionBook::put(Definition& definition, Version version, std::string_view actor) {
  return write(definition, /*is_new=*/false, version, actor);
}

Result<Edit> DefinitionBook::write(Definition& definition, bool is_new, Version version, std::string_view actor) {
  if (auto checked = check(definition); !checked) return checked.error();
  const DefinitionKey key(definition.site_id, definition.kind, definition.id);
  std::optional<Error> refusal;
  std::string what;
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    auto before = find_row(session, key);
    if (is_new && before) return Edit::exists;
    if (version) {
      if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    }
    if (before && before->text == definition.text) {
      definition = std::move(*before);
      return Edit::done;
    }
    definition.changed_ms = impl_.version_after(last_version(session, key));
    definition.made_ms = before ? before->made_ms : definition.changed_ms;
    definition.changed_by = actor;
    refusal = put_row(session, key, definition);
    if (refusal) return Edit::in_use;
    remember(session, key, {definition.changed_ms, definition.changed_by, false, definition.text});
    what = fmt::format("{} {} of site {} {}: \"{}\"", key.kind, key.id, key.site, before ? "changed" : "made",
                       definition.name);
    return Edit::done;
  });
  if (refusal) return *refusal;
  impl_.renew();
  return edit;
}

Result<Edit> DefinitionBook::remove(std::string_view site_id, ItemKind kind, std::string_view id, Version version,
                                    std::string_view actor) {
  const DefinitionKey key(site_id, kind, id);
  std::string what;
  auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const auto before = find_row(session, key);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    remove_row(session, key);
    remember(session, key,
             {impl_.version_after(last_version(session, key)), std::string(actor), /*is_removal=*/true, before->text});
    what = fmt::format("{} {} of site {} removed", key.kind, key.id, key.site);
    return Edit::done;
  });
  impl_.renew();
  return edit;
}

Result<std::vector<DefinitionVersion>> DefinitionBook::history(std::string_view site_id, ItemKind kind,
                                                               std::string_view id) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<DefinitionVersion>> {
    const DefinitionKey key(site_id, kind, id);
    return each((session.prepare << "SELECT changed_ms, changed_by, is_removal, definition FROM definition_versions "
                                    "WHERE site_id = :s AND kind = :k AND id = :i ORDER BY changed_ms DESC",
                 soci::use(key.site, "s"), soci::use(key.kind, "k"), soci::use(key.id, "i")),
                version_of);
  });
}

}  // namespace marquee::catalog
