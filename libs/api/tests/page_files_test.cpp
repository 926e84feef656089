// Built pages as they are served: the console's at the root, the demo's under a path of its own.
#include "page_files.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace marquee::api {
namespace {

using testing::HasSubstr;

class PageFilesTest : public ::testing::Test {
 protected:
  PageFilesTest() : directory_("/tmp/page-files-test-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(directory_ + "/assets");
    std::ofstream(directory_ + "/index.html") << "<title>Pages</title>";
    std::ofstream(directory_ + "/assets/a-1.js") << "let a;";
    std::ofstream(directory_ + "/.sources") << "hidden";
  }
  ~PageFilesTest() override { std::filesystem::remove_all(directory_); }

  static http::Response get(const PageFiles& files, std::string path) {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    return files.answer(request);
  }

  const std::string directory_;
};

TEST_F(PageFilesTest, gives_files_and_the_index_for_every_page_of_the_pages_own_router) {
  const PageFiles console(directory_, {.name = "console", .setting = "http.console_dir"});
  EXPECT_THAT(get(console, "/").body, HasSubstr("Pages"));
  EXPECT_THAT(get(console, "/ctr").body, HasSubstr("Pages"));
  EXPECT_EQ(get(console, "/assets/a-1.js").body, "let a;");
  EXPECT_THAT(get(console, "/assets/a-1.js").headers.get("Cache-Control"), HasSubstr("immutable"));
  for (const char* path : {"/assets/none.js", "/v1/nothing", "/.sources"})
    EXPECT_EQ(get(console, path).status, 404U) << path;
}

TEST_F(PageFilesTest, gives_them_under_a_path_of_their_own) {
  const PageFiles demo(directory_, {.name = "demo", .setting = "demo.dir", .base = "/demo"});
  for (const char* path : {"/demo", "/demo/", "/demo/courses", "/demo/courses/course-1"})
    EXPECT_THAT(get(demo, path).body, HasSubstr("Pages")) << path;
  EXPECT_EQ(get(demo, "/demo/assets/a-1.js").body, "let a;");
  EXPECT_THAT(get(demo, "/demo/").headers.get("Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(get(demo, "/demo/assets/none.js").status, 404U);
}

TEST_F(PageFilesTest, says_how_to_build_what_is_not_there) {
  const PageFiles none(directory_ + "/nowhere", {.name = "demo", .setting = "demo.dir", .base = "/demo"});
  const auto answer = get(none, "/demo/");
  EXPECT_EQ(answer.status, 404U);
  EXPECT_THAT(answer.body, HasSubstr("its demo is not built: run `make build`, or set demo.dir"));
}

}  // namespace
}  // namespace marquee::api
