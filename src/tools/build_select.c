/* SPDX-License-Identifier: MIT
 *
 * build_select - the files that one driver is made of. See build_select.h.
 */
#include "build_select.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"

#define MAX_SOURCE_BYTES       (16ull << 20)
#define MAX_HEADER_DIRECTORIES 200u
#define NR_PARENTS             3u /* above DIR, in which a project is looked for */

/* What there is while one is chosen. */
struct select {
	const struct dx_build *build;
	const char *directory;
	struct dx_selection *selection;
};

static int no_memory(const struct select *select)
{
	return dx_tool_fail(select->build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
}

/* --- The property list ----------------------------------------------------------------------- */

static bool has_personalities(const char *path)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;

	return dx_file_read(path, 1u << 20, &bytes, &length) == 0 &&
	       memmem(bytes, length, "IOKitPersonalities", strlen("IOKitPersonalities")) != NULL;
}

static int ask_for_one(const struct select *select, const char *one, const char *other)
{
	return dx_tool_fail(select->build->tool, DX_TOOL_FAILED,
			    "%s: more than one driver: %s, %s; name the directory of one, or use "
			    "--plist",
			    select->directory, one, other);
}

/* The only one of a driver among those that are named Info.plist, or among the others. */
static int find_info(const struct select *select, bool plainly_named, const char **ret_path)
{
	const struct dx_words *infos = &select->selection->sources.infos;

	for (size_t i = 0; i < infos->nr; i++) {
		bool is_plain = strcmp(dx_path_base(infos->items[i]), "Info.plist") == 0;

		if (is_plain != plainly_named || !has_personalities(infos->items[i])) {
			continue;
		}
		if (*ret_path != NULL) {
			return ask_for_one(select, *ret_path, infos->items[i]);
		}
		*ret_path = infos->items[i];
	}
	return DX_TOOL_OK;
}

static bool has_template(const struct select *select)
{
	const struct dx_words *templates = &select->selection->sources.templates;

	for (size_t i = 0; i < templates->nr; i++) {
		if (dx_path_has_suffix(templates->items[i], "Info.plist.in") &&
		    has_personalities(templates->items[i])) {
			return true;
		}
	}
	return false;
}

/* The property list of the driver: the one in DIR itself, else the only one below. */
static int choose_info(const struct select *select, const char **ret_path)
{
	DX_CLEANUP_FREE char *top = dx_path_join(select->directory, "Info.plist");
	const struct dx_words *infos = &select->selection->sources.infos;
	int code = DX_TOOL_OK;

	*ret_path = select->build->info;
	for (size_t i = 0; *ret_path == NULL && i < infos->nr && top != NULL; i++) {
		if (strcmp(infos->items[i], top) == 0) {
			*ret_path = infos->items[i];
		}
	}
	if (*ret_path == NULL) {
		code = find_info(select, true, ret_path);
	}
	if (code == DX_TOOL_OK && *ret_path == NULL) {
		code = find_info(select, false, ret_path);
	}
	return code;
}

/* --- The project ----------------------------------------------------------------------------- */

/* Those below DIR, and those beside it and its parents: DIR may be a part of a project. */
static void collect_projects(const struct select *select, struct dx_words *paths)
{
	DX_CLEANUP_FREE char *plain = realpath(select->directory, NULL);

	dx_words_add_all(paths, &select->selection->sources.projects);
	for (unsigned i = 0; i < NR_PARENTS && plain != NULL; i++) {
		char *slash = strrchr(plain, '/');

		if (slash == NULL || slash == plain) {
			return;
		}
		*slash = '\0';
		dx_sources_add_projects(plain, paths);
	}
}

static int open_project(const struct select *select, const char *info)
{
	DX_CLEANUP_WORDS struct dx_words paths = {0};
	int rc = 0;

	collect_projects(select, &paths);
	for (size_t i = 0; rc == 0 && i < paths.nr; i++) {
		rc = dx_project_open(paths.items[i], info, &select->selection->project);
	}
	return rc < 0 || paths.failed ? no_memory(select) : DX_TOOL_OK;
}

static int take_sources(struct dx_selection *selection)
{
	static const char *const iig[] = {".iig", NULL};
	static const char *const c[] = {".c", NULL};
	static const char *const cpp[] = {".cpp", ".cc", ".cxx", NULL};
	struct {
		struct dx_words *list;
		const char *const *suffixes;
	} kinds[] = {{&selection->sources.iig, iig},
		     {&selection->sources.c, c},
		     {&selection->sources.cpp, cpp}};
	DX_CLEANUP_WORDS struct dx_words paths = {0};
	int rc = dx_project_sources(&selection->project, &paths);

	dx_words_sort(&paths);
	for (size_t kind = 0; rc == 0 && paths.nr > 0 && kind < DX_ARRAY_SIZE(kinds); kind++) {
		dx_words_fini(kinds[kind].list);
		for (size_t i = 0; i < paths.nr; i++) {
			const char *const *suffix = kinds[kind].suffixes;

			while (*suffix != NULL && !dx_path_has_suffix(paths.items[i], *suffix)) {
				suffix++;
			}
			if (*suffix != NULL) {
				dx_words_add(kinds[kind].list, paths.items[i]);
			}
		}
	}
	return rc;
}

/* As Xcode does, headers of the whole project are found by their names. */
static void take_headers(struct dx_selection *selection)
{
	struct dx_words *list = &selection->sources.header_directories;
	struct dx_sources more = {0};

	if (dx_sources_find(selection->project.root, NULL, &more) < 0) {
		return; /* too large: what is below DIR must do */
	}
	for (size_t i = 0; i < more.header_directories.nr && list->nr < MAX_HEADER_DIRECTORIES;
	     i++) {
		dx_words_add_once(list, more.header_directories.items[i]);
	}
	dx_sources_fini(&more);
}

/* A directory of a search path, "DIR" or "DIR/ **" for all below it, from the project's. */
static void take_search_path(struct dx_selection *selection, const char *name)
{
	bool is_deep = dx_path_has_suffix(name, "/**");
	DX_CLEANUP_FREE char *path = name[0] == '/' ? strdup(name)
						    : dx_path_join(selection->project.root, name);
	struct dx_sources below = {0};

	if (path == NULL) {
		selection->includes.failed = true;
		return;
	}
	if (is_deep) {
		path[strlen(path) - strlen("/**")] = '\0';
	}
	dx_words_add_once(&selection->includes, path);
	if (is_deep && dx_sources_find(path, NULL, &below) == 0) {
		for (size_t i = 0; i < below.header_directories.nr; i++) {
			dx_words_add_once(&selection->includes,
					  below.header_directories.items[i]);
		}
		dx_sources_fini(&below);
	}
}

static void take_search_paths(struct dx_selection *selection)
{
	static const char *const settings[] = {"HEADER_SEARCH_PATHS", "USER_HEADER_SEARCH_PATHS"};
	DX_CLEANUP_WORDS struct dx_words names = {0};

	for (size_t i = 0; i < DX_ARRAY_SIZE(settings); i++) {
		dx_project_words(&selection->project, settings[i], &names);
	}
	for (size_t i = 0; i < names.nr; i++) {
		take_search_path(selection, names.items[i]);
	}
}

/* Standards that clang 14 knows, of those above the usual one. */
static const char *standard(const struct dx_project *project)
{
	static const char *const newer[][2] = {{"20", "gnu++20"}, {"2a", "gnu++20"},
					       {"23", "gnu++2b"}, {"2b", "gnu++2b"},
					       {"26", "gnu++2b"}, {"2c", "gnu++2b"}};
	const char *name = dx_variables_get(&project->settings, "CLANG_CXX_LANGUAGE_STANDARD");

	for (size_t i = 0; name != NULL && i < DX_ARRAY_SIZE(newer); i++) {
		if (dx_path_has_suffix(name, newer[i][0])) {
			return newer[i][1];
		}
	}
	return NULL;
}

static int use_project(const struct select *select)
{
	struct dx_selection *selection = select->selection;
	int rc = 0;

	if (selection->project.root == NULL) {
		return DX_TOOL_OK;
	}
	rc = take_sources(selection);
	take_headers(selection);
	take_search_paths(selection);
	dx_project_words(&selection->project, "GCC_PREPROCESSOR_DEFINITIONS",
			 &selection->definitions);
	selection->cplusplus = standard(&selection->project);
	if (rc < 0 || selection->includes.failed || selection->definitions.failed) {
		return no_memory(select);
	}
	dx_tool_say_verbose(select->build->tool, "%s: sources and settings of target %s",
			    selection->project.root,
			    dx_dict_get_string(selection->project.target, "name", ""));
	return DX_TOOL_OK;
}

/* --- Sources --------------------------------------------------------------------------------- */

/* In a directory of several targets the driver is where its property list is. */
static void narrow(struct dx_selection *selection, bool was_given)
{
	size_t length = (size_t)(dx_path_base(selection->info) - selection->info);

	if (!was_given && selection->sources.infos.nr > 1 && length > 1) {
		selection->info[length - 1] = '\0';
		dx_sources_narrow(&selection->sources, selection->info);
		selection->info[length - 1] = '/';
	}
}

/* "int main(" where a line begins: the client's source lies beside the driver's. */
static bool has_main(const char *path)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;

	if (dx_file_read(path, MAX_SOURCE_BYTES, &bytes, &length) < 0) {
		return false; /* the compiler says why */
	}
	for (const char *at = bytes; at != NULL; at = strstr(at, "\nint")) {
		at += at[0] == '\n';
		if (strncmp(at, "int", 3) != 0) {
			at += 1;
			continue;
		}
		at += 3;
		at += strspn(at, " \t\n");
		if (strncmp(at, "main", 4) == 0 && at[4 + strspn(at + 4, " \t")] == '(') {
			return true;
		}
	}
	return false;
}

/* --exclude: the path, its end behind a slash, or the name. */
static bool is_excluded(const struct dx_build *build, const char *path)
{
	for (size_t i = 0; i < build->excluded.nr; i++) {
		const char *pattern = build->excluded.items[i];

		for (size_t at = 0; path[at] != '\0'; at++) {
			if ((at == 0 || path[at - 1] == '/') &&
			    fnmatch(pattern, path + at, FNM_PATHNAME | FNM_LEADING_DIR) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* A driver has no main: what has one is a program of its own. */
static void leave_out(const struct select *select, struct dx_words *list, bool programs)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->nr; i++) {
		bool out = is_excluded(select->build, list->items[i]);

		if (!out && programs && has_main(list->items[i])) {
			dx_tool_say(select->build->tool, "%s: left out, it has a main function",
				    list->items[i]);
			out = true;
		}
		if (out) {
			free(list->items[i]);
		} else {
			list->items[kept++] = list->items[i];
		}
	}
	list->nr = kept;
	if (list->items != NULL) {
		list->items[kept] = NULL;
	}
}

static int check_sources(const struct select *select)
{
	struct dx_sources *sources = &select->selection->sources;
	const struct dx_words *others = &sources->unsupported;

	leave_out(select, &sources->iig, false);
	leave_out(select, &sources->cpp, true);
	leave_out(select, &sources->c, true);
	if (sources->iig.nr + sources->cpp.nr + sources->c.nr > 0) {
		return DX_TOOL_OK;
	}
	return dx_tool_fail(select->build->tool, DX_TOOL_FAILED, "%s: no .iig, .cpp or .c file%s%s",
			    select->directory, others->nr > 0 ? "; not supported: " : "",
			    others->nr > 0 ? others->items[0] : "");
}

/* DIR has none: a project knows one elsewhere, or there is a template. */
static int find_info_elsewhere(const struct select *select)
{
	struct dx_selection *selection = select->selection;
	int code = open_project(select, NULL);

	if (code == DX_TOOL_OK && selection->project.root != NULL) {
		selection->info = dx_project_info(&selection->project);
	}
	if (code == DX_TOOL_OK && selection->info == NULL && !has_template(select)) {
		code = dx_tool_fail(select->build->tool, DX_TOOL_FAILED,
				    "%s: no Info.plist with IOKitPersonalities here or below; "
				    "--plist names one that lies elsewhere",
				    select->directory);
	}
	return code;
}

/* The list of the only driver that the projects below DIR have; NULL: none, or several. */
static int choose_by_project(const struct select *select, char **ret_info)
{
	const struct dx_words *paths = &select->selection->sources.projects;
	unsigned nr_drivers = 0;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < paths->nr; i++) {
		struct dx_project project = {0};

		rc = dx_project_open(paths->items[i], NULL, &project);
		if (rc == 1) {
			nr_drivers++;
			free(*ret_info);
			*ret_info = dx_project_info(&project);
			dx_project_close(&project);
		}
	}
	if (nr_drivers != 1) {
		free(*ret_info);
		*ret_info = NULL;
	}
	return rc < 0 ? no_memory(select) : DX_TOOL_OK;
}

static int choose(const struct select *select)
{
	struct dx_selection *selection = select->selection;
	DX_CLEANUP_FREE char *of_project = NULL;
	const char *found = NULL;
	int code = select->build->info != NULL ? DX_TOOL_OK
					       : choose_by_project(select, &of_project);

	if (code == DX_TOOL_OK && of_project == NULL) {
		code = choose_info(select, &found);
	} else {
		found = of_project;
	}
	if (code != DX_TOOL_OK || found == NULL) {
		return code != DX_TOOL_OK ? code : find_info_elsewhere(select);
	}
	selection->info = strdup(found); /* narrowing frees the lists' */
	if (selection->info == NULL) {
		return no_memory(select);
	}
	code = open_project(select, selection->info);
	if (code == DX_TOOL_OK && selection->project.root == NULL && select->build->info != NULL) {
		code = open_project(select, NULL); /* another list for the only driver there is */
	}
	if (code == DX_TOOL_OK) {
		narrow(selection, select->build->info != NULL);
	}
	return code;
}

int dx_build_select(const struct dx_build *build, const char *directory, const char *work,
		    struct dx_selection *ret_selection)
{
	struct dx_selection selection = {0};
	struct select select = {.build = build, .directory = directory, .selection = &selection};
	DX_CLEANUP_FREE char *skip = realpath(work, NULL);
	int rc = dx_sources_find(directory, skip, &selection.sources);
	int code = DX_TOOL_OK;

	if (rc < 0) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s: %s", directory,
				    rc == -E2BIG ? "too many files for a driver" : strerror(-rc));
	}
	code = choose(&select);
	if (code == DX_TOOL_OK) {
		code = use_project(&select);
	}
	if (code == DX_TOOL_OK) {
		code = check_sources(&select);
	}
	if (code != DX_TOOL_OK) {
		dx_selection_fini(&selection);
		return code;
	}
	*ret_selection = selection;
	return DX_TOOL_OK;
}

void dx_selection_fini(struct dx_selection *selection)
{
	dx_sources_fini(&selection->sources);
	dx_project_close(&selection->project);
	dx_words_fini(&selection->includes);
	dx_words_fini(&selection->definitions);
	free(selection->info);
	*selection = (struct dx_selection){0};
}
