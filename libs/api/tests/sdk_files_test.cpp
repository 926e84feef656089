#include "sdk_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "marquee/http/client.h"

namespace marquee::api {
namespace {

class SdkFilesTest : public ::testing::Test {
 protected:
  SdkFilesTest() : directory_("/tmp/sdk-files-test-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(directory_ + "/esm");
  }
  ~SdkFilesTest() override {
    client_.reset();
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
  }

  void start() {
    files_ = std::make_unique<SdkFiles>(directory_);
    http::Router router;
    files_->add_routes(router);
    server_ = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    ASSERT_TRUE(server_->start());
    client_ = std::make_unique<http::Client>("http://127.0.0.1:" + std::to_string(server_->port()));
  }

  http::Response get(const std::string& path, const std::string& name = "Accept-Encoding",
                     const std::string& value = "identity") {
    http::Headers headers;
    headers.add(name, value);
    return client_->send("GET", path, headers, "").value();
  }

 private:
  const std::string directory_;
  std::unique_ptr<SdkFiles> files_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(SdkFilesTest, gives_the_script_to_pages_of_any_origin_to_keep_for_a_while) {
  write("marquee.js", "void 0;");
  start();
  const auto script = get("/marquee.js");
  EXPECT_EQ(script.status, 200U);
  EXPECT_EQ(script.body, "void 0;");
  EXPECT_EQ(script.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(script.headers.get("Cache-Control"), "public, max-age=300, stale-while-revalidate=86400");
  EXPECT_EQ(script.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(script.headers.get("Cross-Origin-Resource-Policy"), "cross-origin");
  EXPECT_EQ(get("/marquee.js", "If-None-Match", std::string(script.headers.get("ETag"))).status, 304U);
}

TEST_F(SdkFilesTest, sends_it_gzipped_to_who_takes_that) {
  write("marquee.js", std::string(5'000, 'x'));
  start();
  const auto script = get("/marquee.js", "Accept-Encoding", "br, gzip");
  EXPECT_EQ(script.headers.get("Content-Encoding"), "gzip");
  EXPECT_LT(script.body.size(), 100U);
  EXPECT_EQ(get("/marquee.js").body.size(), 5'000U);
}

TEST_F(SdkFilesTest, has_an_address_for_each_script_and_for_nothing_else) {
  write("marquee.js", "1");
  write("marquee-auto.js", "2");
  write("marquee.d.ts", "3");
  write("esm/marquee.js", "4");
  start();
  EXPECT_EQ(get("/marquee-auto.js").body, "2");
  EXPECT_EQ(get("/marquee.d.ts").status, 404U);
  EXPECT_EQ(get("/esm/marquee.js").status, 404U);
}

TEST_F(SdkFilesTest, says_how_to_build_what_is_not_built) {
  start();
  const auto answer = get("/marquee.js");
  EXPECT_EQ(answer.status, 404U);
  EXPECT_NE(answer.body.find("make build"), std::string::npos);
}

}  // namespace
}  // namespace marquee::api
