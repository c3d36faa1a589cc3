/* SPDX-License-Identifier: MIT
 *
 * build_project - what an Xcode project says of a driver. See build_project.h.
 */
#include "build_project.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "build_settings.h"
#include "openstep.h"

#define MAX_PROJECT_BYTES (32ull << 20)
#define MAX_GROUP_DEPTH   24u
#define MAX_GROUP_STEPS   100000u /* P2: groups that contain each other */
#define MAX_FOLDER_DEPTH  16u
#define DRIVER_TYPE       "com.apple.product-type.driver-extension"

/* --- Objects --------------------------------------------------------------------------------- */

static const struct dx_dict *object(const struct dx_project *project, const void *identifier)
{
	return dx_object_is_kind(identifier, &dx_string_class)
		       ? dx_dict_get_dict(project->objects, dx_string_get(identifier))
		       : NULL;
}

/* The object that a member of `from` names. */
static const struct dx_dict *member(const struct dx_project *project, const struct dx_dict *from,
				    const char *key)
{
	return from == NULL ? NULL : object(project, dx_dict_get(from, key));
}

static bool is_a(const struct dx_dict *dict, const char *name)
{
	return dict != NULL && strcmp(dx_dict_get_string(dict, "isa", ""), name) == 0;
}

static size_t count(const struct dx_dict *dict, const char *key)
{
	const struct dx_array *array = dict == NULL ? NULL : dx_dict_get_array(dict, key);

	return array == NULL ? 0 : dx_array_count(array);
}

/* The index-th identifier of a list. */
static const void *item(const struct dx_dict *dict, const char *key, size_t index)
{
	return dx_array_get(dx_dict_get_array(dict, key), index);
}

static bool names(const void *identifier, const char *other)
{
	return dx_object_is_kind(identifier, &dx_string_class) &&
	       strcmp(dx_string_get(identifier), other) == 0;
}

static bool has_item(const struct dx_dict *dict, const char *key, const char *identifier)
{
	for (size_t i = 0; i < count(dict, key); i++) {
		if (names(item(dict, key, i), identifier)) {
			return true;
		}
	}
	return false;
}

/* --- Paths ----------------------------------------------------------------------------------- */

/* Where paths of the file system come from, while groups are searched. */
struct search {
	const struct dx_project *project;
	const char *identifier; /* of a file or folder */
	char *found;
	unsigned nr_steps;
};

static char *place(const struct search *search, const struct dx_dict *entry, const char *above)
{
	const char *tree = dx_dict_get_string(entry, "sourceTree", "<group>");
	const char *path = dx_dict_get_string(entry, "path", "");

	if (path[0] == '/' || strcmp(tree, "<absolute>") == 0) {
		return strdup(path);
	}
	if (strcmp(tree, "SOURCE_ROOT") == 0) {
		above = search->project->root;
	}
	return path[0] == '\0' ? strdup(above) : dx_path_join(above, path);
}

static void search_group(struct search *search, const struct dx_dict *group, const char *above,
			 unsigned depth)
{
	DX_CLEANUP_FREE char *own = place(search, group, above);

	for (size_t i = 0; own != NULL && depth < MAX_GROUP_DEPTH && search->found == NULL &&
			   search->nr_steps++ < MAX_GROUP_STEPS && i < count(group, "children");
	     i++) {
		const void *identifier = item(group, "children", i);
		const struct dx_dict *child = object(search->project, identifier);

		if (child == NULL) {
			continue;
		}
		if (names(identifier, search->identifier)) {
			search->found = place(search, child, own);
		} else {
			search_group(search, child, own, depth + 1);
		}
	}
}

/* The path of a file or folder of the project; malloc'd, or NULL. */
static char *find_path(const struct dx_project *project, const char *identifier)
{
	const struct dx_dict *top = member(project, project->dict, "rootObject");
	const struct dx_dict *group = member(project, top, "mainGroup");
	struct search search = {.project = project, .identifier = identifier};

	if (group != NULL) {
		search_group(&search, group, project->root, 0);
	}
	return search.found;
}

/* --- Settings -------------------------------------------------------------------------------- */

static const struct dx_dict *configuration(const struct dx_project *project,
					   const struct dx_dict *owner)
{
	const struct dx_dict *list = member(project, owner, "buildConfigurationList");
	const struct dx_dict *found = NULL;

	for (size_t i = 0; i < count(list, "buildConfigurations"); i++) {
		const struct dx_dict *one = object(project, item(list, "buildConfigurations", i));

		if (one != NULL &&
		    (found == NULL ||
		     strcmp(dx_dict_get_string(one, "name", ""), "Release") == 0)) {
			found = one;
		}
	}
	return found;
}

/* The text of a setting: a list becomes its words, in quotes that dx_project_words() takes off. */
static char *setting_text(const void *value)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL) {
		return NULL;
	}
	if (dx_object_is_kind(value, &dx_string_class)) {
		(void)fputs(dx_string_get(value), stream);
	} else if (dx_object_is_kind(value, &dx_array_class)) {
		for (size_t i = 0; i < dx_array_count(value); i++) {
			const void *word = dx_array_get(value, i);

			if (dx_object_is_kind(word, &dx_string_class)) {
				(void)fprintf(stream, "%s%s", i == 0 ? "" : " ",
					      dx_string_get(word));
			}
		}
	}
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Of a configuration: first those of its file, then its own. */
static void add_settings(struct dx_project *project, const struct dx_dict *owner)
{
	const struct dx_dict *chosen = configuration(project, owner);
	const struct dx_dict *settings =
		chosen == NULL ? NULL : dx_dict_get_dict(chosen, "buildSettings");
	const char *file = chosen == NULL ? NULL
					  : dx_dict_get_string(chosen, "baseConfigurationReference",
							       NULL);
	DX_CLEANUP_FREE char *path = file == NULL ? NULL : find_path(project, file);
	const char *key = NULL;
	void *value = NULL;

	if (path != NULL) {
		dx_settings_add_file(&project->settings, path);
	}
	for (size_t i = 0; settings != NULL && dx_dict_at(settings, i, &key, &value); i++) {
		DX_CLEANUP_FREE char *text = setting_text(value);

		if (text == NULL) {
			project->settings.values.failed = true;
		} else {
			dx_settings_add(&project->settings, key, text);
		}
	}
}

static int read_settings(struct dx_project *project, const struct dx_dict *top)
{
	struct dx_variables *variables = &project->settings;
	const char *name = dx_dict_get_string(project->target, "name", "");

	dx_variables_set(variables, "SRCROOT", project->root);
	dx_variables_set(variables, "PROJECT_DIR", project->root);
	if (name[0] != '\0') {
		dx_variables_set(variables, "TARGET_NAME", name);
		dx_variables_set(variables, "PRODUCT_NAME", name);
	}
	add_settings(project, top);
	add_settings(project, project->target);
	return variables->names.failed || variables->values.failed ? -ENOMEM : 0;
}

/* Without what is not set. */
static char *expand(const struct dx_project *project, const char *text)
{
	struct dx_variables_error error;
	char *result = NULL;

	return dx_variables_expand_value(&project->settings, text, &result, &error) == 0 ? result
											 : NULL;
}

/* One word of a list, in quotes or with backslashes or plain. @return behind it; NULL: none. */
static const char *next_word(const char *at, char *word, size_t size)
{
	size_t length = 0;
	char quote = '\0';

	at += strspn(at, " \t\n");
	if (*at == '\0') {
		return NULL;
	}
	for (; *at != '\0' && (quote != '\0' || strchr(" \t\n", *at) == NULL); at++) {
		if ((*at == '"' || *at == '\'') && (quote == '\0' || quote == *at)) {
			quote = quote == '\0' ? *at : '\0';
			continue;
		}
		if (*at == '\\' && at[1] != '\0') {
			at++;
		}
		if (length + 1 < size) {
			word[length++] = *at;
		}
	}
	word[length] = '\0';
	return at;
}

void dx_project_words(const struct dx_project *project, const char *setting, struct dx_words *words)
{
	const char *at = dx_variables_get(&project->settings, setting);
	char word[PATH_MAX];

	for (at = at == NULL ? NULL : next_word(at, word, sizeof(word)); at != NULL;
	     at = next_word(at, word, sizeof(word))) {
		DX_CLEANUP_FREE char *text = expand(project, word);

		if (text != NULL && text[0] != '\0') {
			dx_words_add_once(words, text);
		}
	}
}

/* --- The target ------------------------------------------------------------------------------ */

char *dx_project_info(const struct dx_project *project)
{
	const char *setting = dx_variables_get(&project->settings, "INFOPLIST_FILE");
	DX_CLEANUP_FREE char *name = setting == NULL ? NULL : expand(project, setting);
	DX_CLEANUP_FREE char *path =
		name == NULL ? NULL
			     : (name[0] == '/' ? strdup(name) : dx_path_join(project->root, name));

	return path == NULL || access(path, R_OK) < 0 ? NULL : dx_take_ptr(&path);
}

static bool is_same_file(const char *one, const char *other)
{
	struct stat a = {0};
	struct stat b = {0};

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* @return 1: this is the driver; 0; -ENOMEM. */
static int try_target(struct dx_project *project, const struct dx_dict *top, const char *info)
{
	DX_CLEANUP_FREE char *own = NULL;
	int rc = 0;

	dx_variables_fini(&project->settings);
	project->settings = (struct dx_variables){0};
	rc = read_settings(project, top);
	if (rc < 0) {
		return rc;
	}
	own = dx_project_info(project);
	return info == NULL || (own != NULL && is_same_file(own, info));
}

static bool is_driver(const struct dx_dict *target)
{
	return is_a(target, "PBXNativeTarget") &&
	       strcmp(dx_dict_get_string(target, "productType", ""), DRIVER_TYPE) == 0;
}

static int find_target(struct dx_project *project, const struct dx_dict *top, const char *info)
{
	unsigned nr_drivers = 0;

	for (size_t i = 0; i < count(top, "targets"); i++) {
		nr_drivers += is_driver(object(project, item(top, "targets", i)));
	}
	for (size_t i = 0; (info != NULL || nr_drivers == 1) && i < count(top, "targets"); i++) {
		const void *identifier = item(top, "targets", i);
		int rc = 0;

		project->target = object(project, identifier);
		if (is_driver(project->target)) {
			project->target_id = dx_string_get(identifier);
			rc = try_target(project, top, info);
		}
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

static int read_project(const char *path, struct dx_project *project)
{
	DX_CLEANUP_FREE char *file = dx_path_join(path, "project.pbxproj");
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	void *value = NULL;
	unsigned line = 0;
	int rc = file == NULL ? -ENOMEM
			      : dx_file_read(file, MAX_PROJECT_BYTES, &bytes, &length);

	if (rc == 0) {
		rc = dx_openstep_decode(bytes, length, &value, &line);
	}
	if (rc < 0) {
		return rc == -ENOMEM ? rc : 0; /* P1 */
	}
	if (!dx_object_is_kind(value, &dx_dict_class)) {
		(void)dx_object_unref(value); /* always NULL */
		return 0;
	}
	project->dict = value;
	project->objects = dx_dict_get_dict(project->dict, "objects");
	return project->objects != NULL;
}

/* The directory that the project lies in: "A/B.xcodeproj" -> "A". */
static char *root_of(const char *path)
{
	const char *base = dx_path_base(path);

	return base == path ? strdup(".") : strndup(path, (size_t)(base - path) - (base - path > 1));
}

int dx_project_open(const char *path, const char *info, struct dx_project *ret_project)
{
	struct dx_project project = {.root = root_of(path)};
	int rc = project.root == NULL ? -ENOMEM : read_project(path, &project);

	if (rc == 1) {
		const struct dx_dict *top = member(&project, project.dict, "rootObject");

		rc = top == NULL ? 0 : find_target(&project, top, info);
	}
	if (rc != 1) {
		dx_project_close(&project);
		return rc;
	}
	*ret_project = project;
	return 1;
}

/* --- Sources --------------------------------------------------------------------------------- */

static void add_if_there(struct dx_words *paths, const char *path)
{
	struct stat status = {0};

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
		dx_words_add_once(paths, path);
	}
}

static void add_phase(const struct dx_project *project, const struct dx_dict *phase,
		      struct dx_words *paths)
{
	for (size_t i = 0; i < count(phase, "files"); i++) {
		const struct dx_dict *file = object(project, item(phase, "files", i));
		const char *reference =
			file == NULL ? NULL : dx_dict_get_string(file, "fileRef", NULL);
		DX_CLEANUP_FREE char *path =
			reference == NULL ? NULL : find_path(project, reference);

		if (path != NULL) {
			add_if_there(paths, path);
		}
	}
}

/* Of a folder that Xcode keeps in step: all files, without those that are excepted. */
static void add_folder(const char *folder, const char *below, const struct dx_dict *exceptions,
		       unsigned depth, struct dx_words *paths)
{
	DIR *stream = depth > MAX_FOLDER_DEPTH ? NULL : opendir(folder);

	for (struct dirent *entry = NULL; stream != NULL;) {
		DX_CLEANUP_FREE char *path = NULL;
		DX_CLEANUP_FREE char *name = NULL;
		struct stat status = {0};

		entry = readdir(stream);
		if (entry == NULL) {
			break;
		}
		path = dx_path_join(folder, entry->d_name);
		name = below[0] == '\0' ? strdup(entry->d_name) : dx_path_join(below, entry->d_name);
		if (entry->d_name[0] == '.' || path == NULL || name == NULL ||
		    lstat(path, &status) < 0 || has_item(exceptions, "membershipExceptions", name)) {
			continue;
		}
		if (S_ISDIR(status.st_mode)) {
			add_folder(path, name, exceptions, depth + 1, paths);
		} else {
			add_if_there(paths, path);
		}
	}
	if (stream != NULL) {
		(void)closedir(stream);
	}
}

/* The exceptions of a folder that are for the target. */
static const struct dx_dict *exceptions_of(const struct dx_project *project,
					   const struct dx_dict *folder)
{
	for (size_t i = 0; i < count(folder, "exceptions"); i++) {
		const struct dx_dict *set = object(project, item(folder, "exceptions", i));

		if (set != NULL && names(dx_dict_get(set, "target"), project->target_id)) {
			return set;
		}
	}
	return NULL;
}

/* In a folder of other targets the exceptions are the files that belong to this one, too. */
static void add_excepted(const char *folder, const struct dx_dict *exceptions,
			 struct dx_words *paths)
{
	for (size_t i = 0; i < count(exceptions, "membershipExceptions"); i++) {
		const void *name = item(exceptions, "membershipExceptions", i);
		DX_CLEANUP_FREE char *path =
			dx_object_is_kind(name, &dx_string_class)
				? dx_path_join(folder, dx_string_get(name))
				: NULL;

		if (path != NULL) {
			add_if_there(paths, path);
		}
	}
}

static void add_synchronized(const struct dx_project *project, const char *identifier,
			     const struct dx_dict *folder, struct dx_words *paths)
{
	const struct dx_dict *exceptions = exceptions_of(project, folder);
	bool is_own = has_item(project->target, "fileSystemSynchronizedGroups", identifier);
	DX_CLEANUP_FREE char *path =
		is_own || exceptions != NULL ? find_path(project, identifier) : NULL;

	if (path == NULL) {
		return;
	}
	if (is_own) {
		add_folder(path, "", exceptions, 0, paths);
	} else {
		add_excepted(path, exceptions, paths);
	}
}

int dx_project_sources(const struct dx_project *project, struct dx_words *paths)
{
	const char *key = NULL;
	void *value = NULL;

	for (size_t i = 0; i < count(project->target, "buildPhases"); i++) {
		const struct dx_dict *phase =
			object(project, item(project->target, "buildPhases", i));

		if (is_a(phase, "PBXSourcesBuildPhase")) {
			add_phase(project, phase, paths);
		}
	}
	for (size_t i = 0; dx_dict_at(project->objects, i, &key, &value); i++) {
		if (dx_object_is_kind(value, &dx_dict_class) &&
		    is_a(value, "PBXFileSystemSynchronizedRootGroup")) {
			add_synchronized(project, key, value, paths);
		}
	}
	return paths->failed ? -ENOMEM : 0;
}

void dx_project_close(struct dx_project *project)
{
	dx_variables_fini(&project->settings);
	free(project->root);
	(void)dx_object_unref(project->dict); /* always NULL */
	*project = (struct dx_project){0};
}
