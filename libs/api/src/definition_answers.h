// /v1/campaigns... and /v1/slots...: what may be served, as definitions in the catalog.
#pragma once

#include "answers.h"
#include "marquee/catalog/definition_book.h"

namespace marquee::api {

/// Of one kind, campaign or slot. Thread safe; blocks while the catalog answers. Each request names its site.
class DefinitionAnswers {
 public:
  DefinitionAnswers(catalog::Catalog& catalog, catalog::ItemKind kind)
      : catalog_(catalog), book_(catalog), kind_(kind) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  [[nodiscard]] http::Response add(const http::Request& request);
  [[nodiscard]] http::Response get(const http::Request& request);
  /// Makes it where there is none.
  [[nodiscard]] http::Response put(const http::Request& request);
  [[nodiscard]] http::Response remove(const http::Request& request);
  [[nodiscard]] http::Response history(const http::Request& request);
  /// Puts what it was at a version of its history, which may be the one that removed it.
  [[nodiscard]] http::Response restore(const http::Request& request);

 private:
  [[nodiscard]] Result<std::string> site_of(const http::Request& request) const;
  /// What a text defines, for the site that the request names; written as it is kept.
  [[nodiscard]] Result<catalog::Definition> read(const http::Request& request, std::string_view text) const;
  /// The state of the one that the request names to which its body would restore it; nullopt: it never was.
  [[nodiscard]] Result<std::optional<catalog::DefinitionVersion>> wanted_state(const http::Request& request) const;
  [[nodiscard]] http::Response kept(unsigned status, const Result<catalog::Edit>& edit,
                                    const catalog::Definition& definition, const http::Request& request) const;
  [[nodiscard]] std::string_view thing() const { return kind_ == catalog::ItemKind::slot ? "slot" : "campaign"; }

  catalog::Catalog& catalog_;
  catalog::DefinitionBook book_;
  const catalog::ItemKind kind_;
};

}  // namespace marquee::api
