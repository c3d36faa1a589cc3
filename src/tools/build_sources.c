/* SPDX-License-Identifier: MIT
 *
 * build_sources - what is below a driver's directory. See build_sources.h.
 */
#include "build_sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/pathutil.h"

#define MAX_DEPTH   24u
#define MAX_ENTRIES 20000u

struct walk {
	struct dx_sources *sources;
	const char *skip;
	unsigned nr_entries;
};

static bool has_one_suffix(const char *name, const char *const *suffixes)
{
	for (; *suffixes != NULL; suffixes++) {
		if (dx_path_has_suffix(name, *suffixes) && strlen(name) > strlen(*suffixes)) {
			return true;
		}
	}
	return false;
}

static bool is_info(const char *name)
{
	return strcmp(name, "Info.plist") == 0 || dx_path_has_suffix(name, "-Info.plist");
}

static void take_file(struct walk *walk, const char *directory, const char *path, const char *name)
{
	static const char *const iig[] = {".iig", NULL};
	static const char *const c[] = {".c", NULL};
	static const char *const cpp[] = {".cpp", ".cc", ".cxx", NULL};
	static const char *const headers[] = {".h", ".hpp", ".hh", ".iig", NULL};
	static const char *const unsupported[] = {".m", ".mm", ".swift", NULL};
	struct dx_sources *sources = walk->sources;

	if (has_one_suffix(name, headers)) {
		dx_words_add_once(&sources->header_directories, directory);
	}
	if (dx_path_has_suffix(name, ".iig.cpp")) {
		return; /* made by another build */
	}
	if (has_one_suffix(name, iig)) {
		dx_words_add(&sources->iig, path);
	} else if (has_one_suffix(name, cpp)) {
		dx_words_add(&sources->cpp, path);
	} else if (has_one_suffix(name, c)) {
		dx_words_add(&sources->c, path);
	} else if (is_info(name)) {
		dx_words_add(&sources->infos, path);
	} else if (has_one_suffix(name, unsupported)) {
		dx_words_add(&sources->unsupported, path);
	}
}

static bool is_there(const char *directory, const char *name)
{
	DX_CLEANUP_FREE char *path = dx_path_join(directory, name);

	return path != NULL && access(path, F_OK) == 0;
}

/* S1 */
static bool may_enter(const struct walk *walk, const char *path, const char *name)
{
	static const char *const suffixes[] = {".dext",        ".app",       ".xcodeproj", ".build",
					       ".xcworkspace", ".framework", ".xcassets",  NULL};
	static const char *const made[] = {"CMakeCache.txt", "build.ninja", "meson-info"};
	DX_CLEANUP_FREE char *plain = NULL;

	if (strcmp(name, "DerivedData") == 0 || strcmp(name, "build") == 0 ||
	    has_one_suffix(name, suffixes)) {
		return false;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(made); i++) {
		if (is_there(path, made[i])) {
			return false;
		}
	}
	plain = walk->skip == NULL ? NULL : realpath(path, NULL);
	return plain == NULL || strcmp(plain, walk->skip) != 0;
}

static int enter(struct walk *walk, const char *directory, unsigned depth);

static int take(struct walk *walk, const char *directory, const char *name, unsigned depth)
{
	DX_CLEANUP_FREE char *path = dx_path_join(directory, name);
	struct stat status = {0};

	if (path == NULL) {
		return -ENOMEM;
	}
	if (++walk->nr_entries > MAX_ENTRIES) {
		return -E2BIG;
	}
	if (lstat(path, &status) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (S_ISDIR(status.st_mode)) {
		return may_enter(walk, path, name) ? enter(walk, path, depth + 1) : 0;
	}
	if (S_ISLNK(status.st_mode) && (stat(path, &status) < 0 || !S_ISREG(status.st_mode))) {
		return 0;
	}
	if (S_ISREG(status.st_mode)) {
		take_file(walk, directory, path, name);
	}
	return 0;
}

static int enter(struct walk *walk, const char *directory, unsigned depth)
{
	DIR *stream = NULL;
	int rc = 0;

	if (depth > MAX_DEPTH) {
		return -E2BIG;
	}
	stream = opendir(directory);
	if (stream == NULL) {
		return -errno;
	}
	while (rc == 0) {
		struct dirent *entry = readdir(stream);

		if (entry == NULL) {
			break;
		}
		if (entry->d_name[0] != '.') {
			rc = take(walk, directory, entry->d_name, depth);
		}
	}
	(void)closedir(stream);
	return rc;
}

/* All lists, for what is done to each. */
static void lists_of(struct dx_sources *sources, struct dx_words **lists)
{
	lists[0] = &sources->iig;
	lists[1] = &sources->cpp;
	lists[2] = &sources->c;
	lists[3] = &sources->infos;
	lists[4] = &sources->header_directories;
	lists[5] = &sources->unsupported;
}

#define NR_LISTS 6u

int dx_sources_find(const char *directory, const char *skip, struct dx_sources *ret_sources)
{
	struct dx_sources sources = {0};
	struct walk walk = {.sources = &sources, .skip = skip};
	struct dx_words *lists[NR_LISTS];
	int rc = enter(&walk, directory, 0);

	lists_of(&sources, lists);
	for (size_t i = 0; i < NR_LISTS; i++) {
		dx_words_sort(lists[i]); /* S2 */
		if (rc == 0 && lists[i]->failed) {
			rc = -ENOMEM;
		}
	}
	if (rc < 0) {
		dx_sources_fini(&sources);
		return rc;
	}
	*ret_sources = sources;
	return 0;
}

void dx_sources_narrow(struct dx_sources *sources, const char *directory)
{
	struct dx_words *lists[NR_LISTS];
	size_t length = strlen(directory);

	lists_of(sources, lists);
	for (size_t i = 0; i < NR_LISTS; i++) {
		struct dx_words *list = lists[i];
		size_t kept = 0;

		for (size_t j = 0; j < list->nr; j++) {
			const char *item = list->items[j];

			if (strncmp(item, directory, length) == 0 &&
			    (item[length] == '/' || item[length] == '\0')) {
				list->items[kept++] = list->items[j];
			} else {
				free(list->items[j]);
			}
		}
		list->nr = kept;
		if (list->items != NULL) {
			list->items[kept] = NULL;
		}
	}
}

void dx_sources_fini(struct dx_sources *sources)
{
	struct dx_words *lists[NR_LISTS];

	lists_of(sources, lists);
	for (size_t i = 0; i < NR_LISTS; i++) {
		dx_words_fini(lists[i]);
	}
}
