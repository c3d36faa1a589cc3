#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tools_install - what is installed is complete: `dext build`, pkg-config and CMake make drivers and
# clients from it, and they run, also where the installation was moved to.
#
#	tools_install.sh BUILD-DIRECTORY EXAMPLES PREFIX LIBDIR
set -eu
build=$1
examples=$2
work=$(mktemp -d /tmp/dx-test-XXXXXX)
trap 'cd / && rm -rf "$work"' EXIT
root=$work/root$3
lib=$root/$4
passed=0
failed=0
unset LD_LIBRARY_PATH OPENDEXT_SOCKET

check() { # NAME COMMAND...
	name=$1
	shift
	if ("$@") >"$work/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $name"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $name"
		sed 's/^/# /' "$work/log"
	fi
}

skip() { # NAME REASON
	echo "ok $((passed + failed + 1)) - $1 # SKIP $2"
}

flags() { # PACKAGE: of the moved installation
	PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root pkg-config --cflags --libs "$1"
}

bundle() { # NAME: from what CMake and pkg-config leave
	mkdir -p "$1.dext" && cp "$examples/stream/Info.plist" "$1.dext/Info.plist"
}

runs() { # BUNDLE APPLICATION
	timeout 60 "$root/bin/dext" run "$1" -- env LD_LIBRARY_PATH="$lib" "$2" "$work/app.c" &&
		"$root/bin/dext" help build >/dev/null
}

with_dext_build() {
	"$root/bin/dext" build "$examples/stream" -o plain.dext &&
		"$root/bin/dext" build --client "$examples/stream/app.c" -o plain &&
		runs plain.dext ./plain
}

with_pkg_config() {
	bundle packaged
	# shellcheck disable=SC2046
	cc -shared -fPIC -o packaged.dext/Stream "$examples/stream/driver.c" \
		$(flags opendext-driverkit) &&
		cc -o packaged "$examples/stream/app.c" $(flags opendext-iokit) &&
		runs packaged.dext ./packaged
}

with_cmake() { # BUNDLE EXAMPLE SOURCE...: a project of the example's driver and the application
	bundle=$1
	example=$examples/$2
	shift 2
	mkdir "$bundle" && cat >"$bundle/CMakeLists.txt" <<END && cd "$bundle" || return 1
cmake_minimum_required(VERSION 3.18)
project(test C CXX)
find_package(OpenDext REQUIRED)
add_executable(app $examples/stream/app.c)
target_link_libraries(app PRIVATE OpenDext::IOKit)
opendext_add_driver($bundle SOURCES $(printf "$example/%s " "$@") INFO_PLIST $example/Info.plist)
END
	CC=clang CXX=clang++ cmake -B made -DCMAKE_PREFIX_PATH="$root" . && cmake --build made &&
		runs "made/$bundle.dext" made/app
}

versioned() { # LIBRARY...: every name in it has a version, none is internal, and so has its own
	for library in "$@"; do
		readlink "$lib/$library.so" | grep -qx "$library.so.0" || return 1
		objdump -p "$lib/$library.so" | grep -q "SONAME *$library.so.0$" || return 1
		nm -D --defined-only "$lib/$library.so" >names || return 1
		! grep -v '@\| A ' names || return 1
		! grep ' dx_' names || return 1
	done
}

DESTDIR=$work/root meson install -C "$build" --no-rebuild >/dev/null
cd "$work"
cp "$examples/stream/app.c" .
check libraries_have_versions_and_no_internal_names versioned libIOKit libDriverKit
check installed_dext_builds_what_runs with_dext_build
check pkg_config_files_build_what_runs with_pkg_config
if ! command -v cmake >/dev/null || ! command -v clang++ >/dev/null; then
	skip cmake_package_builds_what_runs 'cmake or clang is not installed'
else
	check cmake_package_builds_what_runs with_cmake Plain stream driver.c
	if [ -e "$lib/libDriverKitCxx.so" ] && [ -e "$root/bin/iig" ]; then
		check cmake_package_builds_what_runs_in_cxx with_cmake Loop stream-cxx Stream.cpp Stream.iig
	else
		skip cmake_package_builds_what_runs_in_cxx 'built without C++ drivers or without iig'
	fi
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
