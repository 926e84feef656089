// Keeps a catalog up to date with what other processes change in it.
#pragma once

#include <thread>

#include "marquee/catalog/catalog.h"

namespace marquee::app {

/// Looks once a second, on a thread of its own, as long as it lives. `catalog` must outlive it.
class CatalogWatch {
 public:
  explicit CatalogWatch(catalog::Catalog& catalog);

 private:
  std::jthread thread_;
};

}  // namespace marquee::app
