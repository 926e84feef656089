// A catalog in a file of its own, which goes with the test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

class CatalogFileTest : public testing::Test {
 protected:
  explicit CatalogFileTest(std::shared_ptr<const Clock> clock = nullptr)
      : path_(std::filesystem::temp_directory_path() / ("marquee-catalog-" + make_secret(""))),
        clock_(std::move(clock)) {}
  void SetUp() override { open(); }
  void TearDown() override {
    catalog_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
  }
  /// Anew, where it is open.
  void open() {
    catalog_.reset();
    auto opened = Catalog::open(path_.string(), clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    catalog_ = std::move(*opened);
  }

  const std::filesystem::path path_;
  const std::shared_ptr<const Clock> clock_;
  std::unique_ptr<Catalog> catalog_;
};

}  // namespace marquee::catalog
