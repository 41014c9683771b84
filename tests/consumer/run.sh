#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Install a build, move it, and use it from outside through both doors: find_package(nfl) and
# pkg-config. The headers must be good for C99 and C++ as well.
#   run.sh BUILD CC [FLAG]...     the flags are the sanitizers of the build
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
build=$1 cc=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/built-for" >/dev/null
mv "$folder/built-for" "$folder/moved"

echo "find_package(nfl)"
cmake -G Ninja -S "$here" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$folder/moved" -DCMAKE_C_COMPILER="$cc" \
	-DCMAKE_C_FLAGS="$*" >/dev/null
cmake --build "$folder/cmake" >/dev/null
"$folder/cmake/uses_nfl"
"$folder/cmake/uses_client"

echo "pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$folder/moved" -name libnfl.pc)")
export PKG_CONFIG_PATH
for pair in uses_nfl:libnfl uses_client:libnfl-client; do
	program=${pair%:*} package=${pair#*:}
	read -r -a flags < <(pkg-config --cflags --libs "$package")
	"$cc" -std=c99 -Wall -Wextra -pedantic -Werror "$@" "$here/$program.c" "${flags[@]}" \
		-Wl,-rpath,"$(pkg-config --variable=libdir "$package")" -o "$folder/$program"
	"$folder/$program"
done
if pkg-config --static --libs libnfl-client | grep -E 'grpc|absl|protobuf'; then
	echo "libnfl-client.pc makes its users need what only the library needs"
	exit 1
fi

echo "headers, each alone, in C99 and C++11"
read -r -a flags < <(pkg-config --cflags libnfl-client)
for header in "$folder"/moved/include/nfl/*.h; do
	printf '#include <nfl/%s>\n' "${header##*/}" >"$folder/header.c"
	"$cc" -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only "${flags[@]}" "$folder/header.c"
	g++ -x c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only "${flags[@]}" \
		"$folder/header.c"
done

echo "exported symbols"
for library in "$PKG_CONFIG_PATH"/../libnfl*.so; do
	nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' >"$folder/symbols"
	grep -q '^nfl_' "$folder/symbols"
	if grep -vE '^(nfl_[a-z0-9_]+|LIBNFL_[A-Z0-9_]+)$' "$folder/symbols"; then
		echo "${library##*/} exports what is not its own"
		exit 1
	fi
done
