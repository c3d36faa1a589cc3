/* SPDX-License-Identifier: MIT
 *
 * build_kit - what drivers and clients are built with. See build_kit.h.
 */
#include "build_kit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "build_jobs.h"

#define TREE_FILE "dext-build-tree"

/* Adds the directory, made plain, if there is one. */
static bool add_directory(struct dx_words *list, const char *path)
{
	char *plain = realpath(path, NULL);

	if (plain == NULL) {
		return false;
	}
	dx_words_add_once(list, plain);
	free(plain);
	return true;
}

static void take_tree_line(struct dx_kit *kit, const char *line)
{
	if (strncmp(line, "include ", 8) == 0) {
		(void)add_directory(&kit->includes, line + 8); /* a room that was not built */
	} else if (strncmp(line, "library ", 8) == 0) {
		(void)add_directory(&kit->libraries, line + 8);
	}
}

/* @return false when this is no build tree. */
static bool read_tree(struct dx_kit *kit, const char *own)
{
	DX_CLEANUP_FREE char *path = dx_path_join(own, TREE_FILE);
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	char *rest = NULL;

	if (path == NULL || dx_file_read(path, 65536, &bytes, &length) < 0) {
		return false;
	}
	for (char *line = strtok_r(bytes, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		take_tree_line(kit, line);
	}
	return true;
}

static void find_installed(struct dx_kit *kit, const char *own)
{
	char path[2 * PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/../%s/opendext", own, DX_INCLUDE_NAME);
	if (!add_directory(&kit->includes, path)) {
		(void)add_directory(&kit->includes, DX_INCLUDEDIR); /* checked by the caller */
	}
	(void)snprintf(path, sizeof(path), "%s/../%s", own, DX_LIB_NAME);
	if (!add_directory(&kit->libraries, path)) {
		(void)add_directory(&kit->libraries, DX_LIBDIR);
	}
}

bool dx_kit_has_library(const struct dx_kit *kit, const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < kit->libraries.nr; i++) {
		(void)snprintf(path, sizeof(path), "%s/lib%s.so", kit->libraries.items[i], name);
		if (access(path, R_OK) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_header(const struct dx_kit *kit, const char *name)
{
	for (size_t i = 0; i < kit->includes.nr; i++) {
		DX_CLEANUP_FREE char *path = dx_path_join(kit->includes.items[i], name);

		if (path != NULL && access(path, R_OK) == 0) {
			return true;
		}
	}
	return false;
}

static const char *environment(const char *name, const char *fallback)
{
	const char *text = getenv(name);

	return text == NULL || text[0] == '\0' ? fallback : text;
}

/* clang if there is one; a C driver or client needs no blocks, so any compiler does for it. */
static void find_compilers(struct dx_kit *kit)
{
	const char *ask[] = {NULL, "--version", NULL};
	const char *library[] = {NULL, "-print-file-name=libBlocksRuntime.so", NULL};
	char answer[PATH_MAX];

	kit->cc = environment("CC", "clang");
	kit->cxx = environment("CXX", "clang++");
	ask[0] = kit->cc;
	if (dx_jobs_ask(ask, answer, sizeof(answer)) == -ENOENT && strcmp(kit->cc, "clang") == 0) {
		kit->cc = "cc";
		ask[0] = kit->cc;
		answer[0] = '\0';
		(void)dx_jobs_ask(ask, answer, sizeof(answer)); /* its absence comes up later */
	}
	kit->is_clang = strstr(answer, "clang") != NULL;
	library[0] = kit->cc;
	kit->has_blocks = kit->is_clang && dx_jobs_ask(library, answer, sizeof(answer)) == 0 &&
			  strchr(answer, '/') != NULL;
}

int dx_kit_find(const struct dx_tool *tool, struct dx_kit *ret_kit)
{
	struct dx_kit kit = {0};
	char own[PATH_MAX];

	if (dx_tool_own_directory(own, sizeof(own)) < 0) {
		return dx_tool_fail(tool, DX_TOOL_FAILED, "/proc is not there");
	}
	if (!read_tree(&kit, own)) {
		find_installed(&kit, own);
	}
	if (!has_header(&kit, "IOKit/IOKitLib.h") || !dx_kit_has_library(&kit, "IOKit")) {
		dx_kit_fini(&kit);
		return dx_tool_fail(tool, DX_TOOL_FAILED,
				    "the headers and libraries of OpenDext are not installed");
	}
	find_compilers(&kit);
	if (kit.includes.failed || kit.libraries.failed) {
		dx_kit_fini(&kit);
		return dx_tool_fail(tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	*ret_kit = kit;
	return DX_TOOL_OK;
}

void dx_kit_add_compiler(const struct dx_kit *kit, bool cplusplus, struct dx_words *argv)
{
	dx_words_add(argv, cplusplus ? kit->cxx : kit->cc);
	dx_words_add(argv, cplusplus ? "-std=gnu++17" : "-std=gnu17");
	dx_words_add(argv, "-D_GNU_SOURCE");
	dx_words_add(argv, "-Wall");
	dx_words_add(argv, "-fstack-protector-strong"); /* an overrun ends where it is */
	if (kit->is_clang) {
		/* Sources print uint64_t with %llu; here it is long, of the same size. */
		dx_words_add_list(argv, (const char *const[]){"-Wno-format", "-Wformat-extra-args",
							      "-Wformat-insufficient-args",
							      "-Wformat-invalid-specifier",
							      "-Wformat-security", NULL});
	}
	if (kit->has_blocks) {
		dx_words_add(argv, "-fblocks");
	}
	if (isatty(STDERR_FILENO)) {
		dx_words_add(argv, "-fdiagnostics-color=always");
	}
}

/* As system headers: what they do is not the business of a driver's warnings. */
void dx_kit_add_includes(const struct dx_kit *kit, bool additions, struct dx_words *argv)
{
	for (size_t i = 0; i < kit->includes.nr; i++) {
		if (additions) {
			dx_words_add(argv, "-isystem");
			dx_words_add_format(argv, "%s/opendext-cxx", kit->includes.items[i]);
		}
		dx_words_add(argv, "-isystem");
		dx_words_add(argv, kit->includes.items[i]);
	}
}

/* True for directories in which every dynamic linker looks. */
static bool is_system_directory(const char *path)
{
	return strcmp(path, "/lib") == 0 || strncmp(path, "/lib/", 5) == 0 ||
	       strcmp(path, "/usr/lib") == 0 || strncmp(path, "/usr/lib/", 9) == 0;
}

void dx_kit_add_library_paths(const struct dx_kit *kit, bool sanitizers, struct dx_words *argv)
{
	const char *ask[] = {kit->cc, "-print-file-name=lib/linux", NULL};
	char answer[PATH_MAX];

	if (sanitizers && dx_jobs_ask(ask, answer, sizeof(answer)) == 0) {
		dx_words_add_format(argv, "-Wl,-rpath,%s", answer);
	}
	for (size_t i = 0; i < kit->libraries.nr; i++) {
		dx_words_add_format(argv, "-L%s", kit->libraries.items[i]);
		if (!is_system_directory(kit->libraries.items[i])) {
			dx_words_add_format(argv, "-Wl,-rpath,%s", kit->libraries.items[i]);
		}
	}
}

void dx_kit_fini(struct dx_kit *kit)
{
	dx_words_fini(&kit->includes);
	dx_words_fini(&kit->libraries);
}
