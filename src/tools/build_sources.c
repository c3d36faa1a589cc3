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

/* Something is made from it, and has not been made. */
static bool is_template(const char *path)
{
	static const char *const suffixes[] = {".h.in", ".hpp.in", ".hh.in", "Info.plist.in", NULL};
	DX_CLEANUP_FREE char *made = strndup(path, strlen(path) - strlen(".in"));

	for (size_t i = 0; suffixes[i] != NULL; i++) {
		if (dx_path_has_suffix(path, suffixes[i])) {
			return made != NULL && access(made, F_OK) < 0;
		}
	}
	return false;
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
	} else if (dx_path_has_suffix(name, ".in") && is_template(path)) {
		dx_words_add(&sources->templates, path);
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
	if (S_ISDIR(status.st_mode) && dx_path_has_suffix(name, ".xcodeproj")) {
		dx_words_add(&walk->sources->projects, path);
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
	lists[6] = &sources->templates;
	lists[7] = &sources->projects;
}

#define NR_LISTS 8u

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

static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* What is below directory first, else in the same order. @return how many those are. */
static size_t put_first(struct dx_words *list, const char *directory)
{
	size_t nr_first = 0;

	for (size_t i = 0; i < list->nr; i++) {
		char *item = list->items[i];

		if (is_below(item, directory)) {
			memmove(list->items + nr_first + 1, list->items + nr_first,
				(i - nr_first) * sizeof(*list->items));
			list->items[nr_first++] = item;
		}
	}
	return nr_first;
}

void dx_sources_narrow(struct dx_sources *sources, const char *directory)
{
	struct dx_words *lists[NR_LISTS];

	lists_of(sources, lists);
	for (size_t i = 0; i < NR_LISTS; i++) {
		struct dx_words *list = lists[i];
		size_t nr_kept = put_first(list, directory);

		if (list == &sources->header_directories || list == &sources->projects) {
			continue;
		}
		while (list->nr > nr_kept) {
			free(list->items[--list->nr]);
			list->items[list->nr] = NULL;
		}
	}
}

void dx_sources_add_projects(const char *directory, struct dx_words *projects)
{
	struct dx_words found = {0};
	DIR *stream = opendir(directory);

	for (struct dirent *entry = NULL; stream != NULL;) {
		DX_CLEANUP_FREE char *path = NULL;

		entry = readdir(stream);
		if (entry == NULL) {
			break;
		}
		path = dx_path_join(directory, entry->d_name);
		if (path != NULL && dx_path_has_suffix(path, ".xcodeproj")) {
			dx_words_add(&found, path);
		}
	}
	if (stream != NULL) {
		(void)closedir(stream);
	}
	dx_words_sort(&found);
	dx_words_add_all(projects, &found);
	dx_words_fini(&found);
}

void dx_sources_fini(struct dx_sources *sources)
{
	struct dx_words *lists[NR_LISTS];

	lists_of(sources, lists);
	for (size_t i = 0; i < NR_LISTS; i++) {
		dx_words_fini(lists[i]);
	}
}
