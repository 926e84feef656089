# How a Marquee library is built: marquee_library(<name> DEPENDS <libs...> [PACKAGES <imported targets...>]).
# A library is libs/<name>: include/marquee/<name>, src, tests, and fuzz or bench where it has them.
# It sees the headers of only what it lists, so dependencies point one way.

add_library(marquee_options INTERFACE)
target_compile_features(marquee_options INTERFACE cxx_std_23)
target_compile_options(marquee_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
                                                 -Wno-sign-conversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 reports these falsely inside its own <string> and <regex> at -O2 (GCC bugs 105329, 105562).
  target_compile_options(marquee_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
                                                   -Wno-array-bounds -Wno-dangling-reference)
endif()
if(MARQUEE_SANITIZE)
  target_compile_options(marquee_options INTERFACE -fsanitize=${MARQUEE_SANITIZE} -fno-omit-frame-pointer
                                                   -fno-sanitize-recover=all)
  target_link_options(marquee_options INTERFACE -fsanitize=${MARQUEE_SANITIZE})
endif()

include(GoogleTest)

function(marquee_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PACKAGES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/libs/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/src/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(marquee_${name} STATIC ${sources})
  target_include_directories(marquee_${name} PUBLIC ${dir}/include PRIVATE ${dir}/src)
  list(TRANSFORM arg_DEPENDS PREPEND marquee_)
  target_link_libraries(marquee_${name} PUBLIC marquee_options ${arg_DEPENDS} ${arg_PACKAGES})

  file(GLOB tests CONFIGURE_DEPENDS ${dir}/tests/*.cpp)
  if(tests)
    add_executable(${name}_tests ${tests})
    target_include_directories(${name}_tests PRIVATE ${dir}/src ${dir}/tests)
    target_link_libraries(${name}_tests PRIVATE marquee_${name} GTest::gtest GTest::gmock GTest::gtest_main rapidcheck)
    target_compile_definitions(${name}_tests PRIVATE MARQUEE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    if(MARQUEE_SANITIZE STREQUAL "thread")
      target_sources(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/cmake/races.cpp)
    endif()
    gtest_discover_tests(${name}_tests TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
  endif()

  if(MARQUEE_FUZZ)
    file(GLOB fuzzers CONFIGURE_DEPENDS ${dir}/fuzz/*.cpp)
    foreach(fuzzer ${fuzzers})
      get_filename_component(stem ${fuzzer} NAME_WE)
      add_executable(${stem} ${fuzzer})
      target_include_directories(${stem} PRIVATE ${dir}/src)
      target_link_libraries(${stem} PRIVATE marquee_${name})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz UNITY_BUILD OFF)
    endforeach()
  endif()

  file(GLOB benches CONFIGURE_DEPENDS ${dir}/bench/*.cpp)
  foreach(bench ${benches})
    get_filename_component(stem ${bench} NAME_WE)
    add_executable(${stem} ${bench})
    target_include_directories(${stem} PRIVATE ${dir}/src)
    target_link_libraries(${stem} PRIVATE marquee_${name} benchmark::benchmark)
    set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench UNITY_BUILD OFF)
  endforeach()
endfunction()
