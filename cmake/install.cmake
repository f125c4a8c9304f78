# What `cmake --install` and the Debian package contain.

install(TARGETS regwarden RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY policies/ DESTINATION ${CMAKE_INSTALL_DATADIR}/regwarden/policies FILES_MATCHING PATTERN "*.yaml")
install(FILES systemd/regwarden.service systemd/regwarden.socket DESTINATION lib/systemd/system)
install(FILES README.md NEWS.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The manual: pages are written by hand, two are written by the program from the tables that it runs by.
find_program(SCDOC scdoc REQUIRED)
set(manual_pages)

# manual_page(NAME SECTION COMMAND… ) where COMMAND prints scdoc
function(manual_page page section)
    set(output ${PROJECT_BINARY_DIR}/man/${page}.${section})
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
        COMMAND sh -c "$0 \"$@\" > '${output}.scd' && '${SCDOC}' < '${output}.scd' > '${output}'" ${ARGN}
        DEPENDS regwarden ${PROJECT_SOURCE_DIR}/man/${page}.${section}.scd VERBATIM)
    set(manual_pages ${manual_pages} ${output} PARENT_SCOPE)
    install(FILES ${output} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()

manual_page(regwarden 1 cat ${PROJECT_SOURCE_DIR}/man/regwarden.1.scd)
manual_page(regwarden 8 cat ${PROJECT_SOURCE_DIR}/man/regwarden.8.scd)
manual_page(regwarden.yaml 5 $<TARGET_FILE:regwarden> manual config ${PROJECT_SOURCE_DIR}/man/regwarden.yaml.5.scd)
manual_page(regwarden-policy 5 $<TARGET_FILE:regwarden> manual policy ${PROJECT_SOURCE_DIR}/man/regwarden-policy.5.scd)
manual_page(regwarden-peers 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-peers.7.scd)
manual_page(regwarden-aws 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-aws.7.scd)
manual_page(regwarden-ecr 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-ecr.7.scd)
manual_page(regwarden-harbor 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-harbor.7.scd)
manual_page(regwarden-registries 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-registries.7.scd)
manual_page(regwarden-distribution 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-distribution.7.scd)
manual_page(regwarden-zot 7 cat ${PROJECT_SOURCE_DIR}/man/regwarden-zot.7.scd)
add_custom_target(manual ALL DEPENDS ${manual_pages})

# Shell completions come from the same table of commands.
foreach(shell bash zsh fish)
    set(output ${PROJECT_BINARY_DIR}/completions/regwarden.${shell})
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/completions
        COMMAND sh -c "$0 manual completion ${shell} > '${output}'" $<TARGET_FILE:regwarden>
        DEPENDS regwarden VERBATIM)
    list(APPEND completions ${output})
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
install(FILES ${PROJECT_BINARY_DIR}/completions/regwarden.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME regwarden)
install(FILES ${PROJECT_BINARY_DIR}/completions/regwarden.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _regwarden)
install(FILES ${PROJECT_BINARY_DIR}/completions/regwarden.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME regwarden)
set(CPACK_PACKAGE_CONTACT "The regwarden maintainers <maintainers@regwarden.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Policy enforcement beside a container registry")
set(CPACK_PACKAGE_DESCRIPTION "regwarden is told of every push, judges the image by policies, keeps the record, and tags, holds or quarantines violators.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_STRIP_FILES ON)
include(CPack)
