# cmake -DINPUT=policies/baseline.yaml -DNAME=builtin_baseline_policy -DHEADER=builtin.h -DOUTPUT=builtin.c -P embed.cmake
# Writes a C file with the bytes of INPUT as a NUL-ended array.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,){16})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"\n\nconst char ${NAME}[] = {\n${bytes}0};\n")
