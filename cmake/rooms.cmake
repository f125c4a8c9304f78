# Flags for all own code, and the words in which src/*/CMakeLists.txt and tests/*/CMakeLists.txt are written.

# Asserts stay on in production: CMake's own flags would switch them off.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_library(regwarden_flags INTERFACE)
target_include_directories(regwarden_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(regwarden_flags INTERFACE _GNU_SOURCE REGWARDEN_VERSION="${PROJECT_VERSION}")
target_compile_options(regwarden_flags INTERFACE
    -Wall -Wextra -Wshadow -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings
    -Wcast-qual -Wimplicit-fallthrough -Wundef -Wswitch-enum -fno-common -fstack-protector-strong
    -include ${PROJECT_SOURCE_DIR}/src/base/banned.h)
if(REGWARDEN_WERROR)
    target_compile_options(regwarden_flags INTERFACE -Werror)
endif()
if(REGWARDEN_FUZZ)
    # coverage feedback from inside the rooms; the fuzz targets themselves add the driver
    target_compile_options(regwarden_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(regwarden_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(REGWARDEN_SANITIZE)
    target_compile_options(regwarden_flags INTERFACE -fsanitize=${REGWARDEN_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(regwarden_flags INTERFACE -fsanitize=${REGWARDEN_SANITIZE})
endif()

# regwarden_room(policy SOURCES a.c b.c ROOMS config image LIBRARIES PkgConfig::YAML)
# The room's library is room_<name>. Its private headers are seen by its own sources and tests only.
function(regwarden_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
    list(TRANSFORM ROOM_ROOMS PREPEND room_)
    if(NOT ROOM_SOURCES)
        add_library(room_${name} INTERFACE)
        target_link_libraries(room_${name} INTERFACE ${ROOM_ROOMS})
        return()
    endif()
    add_library(room_${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(room_${name} PUBLIC ${ROOM_ROOMS} PRIVATE regwarden_flags ${ROOM_LIBRARIES} Threads::Threads)
endfunction()

# regwarden_test(policy_engine ROOM policy SOURCES test_engine.c [ROOMS …] [LABELS …])
# A cmocka program, run by ctest. It sees the private headers of src/<ROOM>/ and the helpers of tests/support/.
function(regwarden_test name)
    cmake_parse_arguments(TEST "" "ROOM" "SOURCES;ROOMS;LABELS;LIBRARIES" ${ARGN})
    list(TRANSFORM TEST_ROOMS PREPEND room_)
    add_executable(test_${name} ${TEST_SOURCES})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/${TEST_ROOM} ${PROJECT_SOURCE_DIR}/tests/support)
    target_compile_definitions(test_${name} PRIVATE TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    # names made in a loop are cut by snprintf where they are too long: in tests that is as good as any other name
    target_compile_options(test_${name} PRIVATE $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
    target_link_libraries(test_${name} PRIVATE room_${TEST_ROOM} ${TEST_ROOMS} ${TEST_LIBRARIES} regwarden_flags PkgConfig::CMOCKA
        Threads::Threads)
    add_test(NAME unit_${name} COMMAND test_${name})
    set_tests_properties(unit_${name} PROPERTIES LABELS "unit;${TEST_LABELS}" TIMEOUT 300)
endfunction()

# regwarden_fuzz(manifest ROOM image SOURCES fuzz_manifest.c): tests/fuzz/seeds/<name>/ holds its seeds.
function(regwarden_fuzz name)
    cmake_parse_arguments(FUZZ "" "ROOM" "SOURCES;ROOMS" ${ARGN})
    list(TRANSFORM FUZZ_ROOMS PREPEND room_)
    if(NOT REGWARDEN_FUZZ)
        return()
    endif()
    add_executable(fuzz_${name} ${FUZZ_SOURCES})
    target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/${FUZZ_ROOM})
    target_link_libraries(fuzz_${name} PRIVATE room_${FUZZ_ROOM} ${FUZZ_ROOMS} regwarden_flags)
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
