#include "demo_key.h"

#include "parts.h"

namespace marquee::app {

ingest::FindKey key_finder_with_demo(catalog::Catalog& catalog, const serving::DemoServer* demo) {
  auto find = key_finder(catalog);
  if (demo == nullptr) return find;
  return demo->with_write_key(std::move(find), [&catalog]() -> std::optional<ingest::WriteKey> {
    const auto site = catalog.site(kDemoSite);
    if (!site) return std::nullopt;
    return ingest::WriteKey{
        .site_id = site->id, .allowed_origin = site->allowed_origin, .consent_required = site->consent_required};
  });
}

}  // namespace marquee::app
