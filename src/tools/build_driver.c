/* SPDX-License-Identifier: MIT
 *
 * build_driver - `dext build DIR`: from a driver's sources to a bundle. See build.h.
 *
 * Everything that is made on the way is below NAME.build beside the bundle: generated headers
 * ("derived", and "derived/PRODUCT", so that "X.h", <X.h> and <PRODUCT/X.h> are found), objects,
 * the linked code. The bundle is written last, each of its files by a rename: a build that fails
 * leaves the bundle of the last one, and a process that runs it keeps its code.
 */
#include "build.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "build_info.h"
#include "build_select.h"
#include "build_settings.h"

#define DEPLOYMENT_TARGET "22.0"
#define MAX_CODE_BYTES   (1ull << 30)
#define MAX_SOURCE_BYTES (16ull << 20) /* of a template */

/* One build. All paths are malloc'd. */
struct driver {
	struct dx_build *build;
	const char *directory;
	char *product; /* the name of DIR, or PRODUCT_NAME if that is given */
	struct dx_selection selection;
	struct dx_build_info info;
	const char *executable; /* of info, or name */
	char *name;             /* of the bundle, without .dext */
	char *bundle;           /* OUT.dext */
	char *work;             /* OUT.build */
	char *derived;
	char *derived_product;
	char *fresh; /* what iig makes, before it is compared with what was there */
	char *code;                /* linked */
	char *host;                /* with a sanitizer: the program around it */
	struct dx_words generated; /* .iig.cpp */
	struct dx_words made;      /* all that belongs into derived and derived_product */
	struct dx_words includes;  /* options, with what is defined */
	bool cplusplus;
};

__attribute__((format(printf, 1, 2))) static char *format_text(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0) {
		text = NULL;
	}
	va_end(arguments);
	return text;
}

static int no_memory(const struct driver *driver)
{
	return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
}

/* "dir/Foo.iig" -> "Foo" */
static char *stem(const char *path, const char *suffix)
{
	const char *base = dx_path_base(path);

	return strndup(base, strlen(base) - strlen(suffix));
}

/* --- Names ----------------------------------------------------------------------------------- */

static void set_default(struct dx_variables *variables, const char *name, const char *value)
{
	if (dx_variables_get(variables, name) == NULL) {
		dx_variables_set(variables, name, value);
	}
}

/* A project's settings, then what Xcode sets for a driver; values may name each other. */
static int set_variables(struct driver *driver)
{
	static const char *const pairs[][2] = {
		{"TARGET_NAME", "$(PRODUCT_NAME)"},
		{"EXECUTABLE_NAME", "$(PRODUCT_NAME)"},
		{"FULL_PRODUCT_NAME", "$(PRODUCT_NAME).dext"},
		{"WRAPPER_NAME", "$(PRODUCT_NAME).dext"},
		{"PRODUCT_MODULE_NAME", "$(PRODUCT_NAME:c99extidentifier)"},
		{"PRODUCT_BUNDLE_IDENTIFIER", "driver.$(PRODUCT_NAME:rfc1034identifier)"},
		{"PRODUCT_BUNDLE_PACKAGE_TYPE", "DEXT"},
		{"DEVELOPMENT_LANGUAGE", "en"},
		{"CURRENT_PROJECT_VERSION", "1"},
		{"MARKETING_VERSION", "1.0"},
		{"DRIVERKIT_DEPLOYMENT_TARGET", DEPLOYMENT_TARGET},
		{"MACOSX_DEPLOYMENT_TARGET", "13.0"},
		{"IPHONEOS_DEPLOYMENT_TARGET", "16.0"},
	};
	struct dx_variables *variables = &driver->build->variables;
	const struct dx_variables *settings = &driver->selection.project.settings;

	for (size_t i = 0; i < settings->names.nr; i++) {
		set_default(variables, settings->names.items[i], settings->values.items[i]);
	}
	set_default(variables, "PRODUCT_NAME", driver->product);
	for (size_t i = 0; i < DX_ARRAY_SIZE(pairs); i++) {
		set_default(variables, pairs[i][0], pairs[i][1]);
	}
	if (driver->selection.project.root != NULL) {
		dx_settings_complete(variables);
	}
	return variables->names.failed || variables->values.failed ? no_memory(driver) : DX_TOOL_OK;
}

static int name_product(struct driver *driver)
{
	const char *given = dx_variables_get(&driver->build->variables, "PRODUCT_NAME");
	DX_CLEANUP_FREE char *plain = realpath(driver->directory, NULL);

	if (plain == NULL) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s: %s",
				    driver->directory, strerror(errno));
	}
	driver->product = strdup(given == NULL ? dx_path_base(plain) : given);
	if (driver->product == NULL) {
		return no_memory(driver);
	}
	if (!dx_path_is_plain_name(driver->product) || strchr(driver->product, '$') != NULL) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED,
				    "PRODUCT_NAME must be a plain name, not '%s'; give it with "
				    "-D PRODUCT_NAME=VALUE",
				    driver->product);
	}
	return DX_TOOL_OK;
}

/* "OUT.dext" and what is derived from it. */
static int name_outputs(struct driver *driver)
{
	const char *given = driver->build->output;
	size_t length = 0;

	driver->bundle = given == NULL ? format_text("%s.dext", driver->product) : strdup(given);
	if (driver->bundle == NULL) {
		return no_memory(driver);
	}
	length = strlen(driver->bundle);
	while (length > 1 && driver->bundle[length - 1] == '/') {
		driver->bundle[--length] = '\0';
	}
	if (!dx_path_has_suffix(driver->bundle, ".dext") ||
	    strcmp(dx_path_base(driver->bundle), ".dext") == 0) {
		return dx_tool_usage(driver->build->tool, "the name of a bundle ends with .dext");
	}
	length -= strlen(".dext");
	driver->work = format_text("%.*s.build", (int)length, driver->bundle);
	if (driver->work == NULL) {
		return no_memory(driver);
	}
	driver->derived = dx_path_join(driver->work, "derived");
	driver->derived_product =
		driver->derived == NULL ? NULL : dx_path_join(driver->derived, driver->product);
	driver->fresh = dx_path_join(driver->work, "fresh");
	driver->code = dx_path_join(driver->work, "code.so");
	driver->host = dx_path_join(driver->work, DX_BUILD_HOST);
	return driver->derived_product == NULL || driver->fresh == NULL || driver->code == NULL ||
			       driver->host == NULL
		       ? no_memory(driver)
		       : DX_TOOL_OK;
}

/* --- Templates ------------------------------------------------------------------------------- */

/* NAME.in becomes NAME among what is generated. @return DX_TOOL_OK, or an exit code. */
static int fill_template(struct driver *driver, const char *path, char **ret_made)
{
	DX_CLEANUP_FREE char *name = stem(path, ".in");
	DX_CLEANUP_FREE char *made = name == NULL ? NULL : dx_path_join(driver->derived, name);
	DX_CLEANUP_FREE void *text = NULL;
	DX_CLEANUP_FREE char *filled = NULL;
	struct dx_variables_error error = {0};
	size_t length = 0;
	int rc = made == NULL ? -ENOMEM : dx_file_read(path, MAX_SOURCE_BYTES, &text, &length);
	int code = DX_TOOL_OK;

	if (rc == 0) {
		rc = dx_variables_expand_template(&driver->build->variables, text, &filled, &error);
	}
	if (rc == -EINVAL) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s:%u: %s", path,
				    error.line, error.text);
	}
	if (rc < 0) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s: %s", path,
				    strerror(-rc));
	}
	code = dx_build_update_file(driver->build, made, filled, strlen(filled));
	if (code == DX_TOOL_OK) {
		dx_words_add(&driver->made, made);
		*ret_made = dx_take_ptr(&made);
	}
	return code;
}

static int fill_templates(struct driver *driver)
{
	const struct dx_words *templates = &driver->selection.sources.templates;
	int code = DX_TOOL_OK;

	for (size_t i = 0; code == DX_TOOL_OK && i < templates->nr; i++) {
		DX_CLEANUP_FREE char *made = NULL;
		bool is_info = dx_path_has_suffix(templates->items[i], ".plist.in");

		if (is_info && driver->selection.info != NULL) {
			continue;
		}
		code = fill_template(driver, templates->items[i], &made);
		if (code == DX_TOOL_OK && is_info) {
			driver->selection.info = dx_take_ptr(&made);
		}
	}
	return code;
}

/* --- Steps ----------------------------------------------------------------------------------- */

/* Where headers are: what was generated, DIR, and by name alone every directory that has some; with
 * angle brackets those come last, as they may have names of the system's. */
static void collect_includes(struct driver *driver)
{
	struct dx_words *includes = &driver->includes;

	dx_words_add_format(includes, "-I%s", driver->derived);
	dx_words_add_format(includes, "-I%s", driver->derived_product);
	dx_words_add_format(includes, "-I%s", driver->directory);
	for (size_t i = 0; i < driver->selection.includes.nr; i++) {
		dx_words_add_format(includes, "-I%s", driver->selection.includes.items[i]);
	}
	for (size_t i = 0; i < driver->selection.definitions.nr; i++) {
		dx_words_add_format(includes, "-D%s", driver->selection.definitions.items[i]);
	}
	for (size_t i = 0; i < driver->build->include_directories.nr; i++) {
		dx_words_add_format(includes, "-I%s", driver->build->include_directories.items[i]);
	}
	for (size_t i = 0; i < driver->selection.sources.header_directories.nr; i++) {
		const char *directory = driver->selection.sources.header_directories.items[i];

		dx_words_add_list(includes, (const char *const[]){"-iquote", directory,
								  "-idirafter", directory, NULL});
	}
}

static int make_directories(struct driver *driver)
{
	int code = dx_build_make_directory(driver->build, driver->derived_product);

	return code != DX_TOOL_OK ? code : dx_build_make_directory(driver->build, driver->fresh);
}

/* A project may say it with variables that Xcode alone knows. */
static const char *deployment_target(const struct dx_build *build)
{
	const char *text = dx_variables_get(&build->variables, "DRIVERKIT_DEPLOYMENT_TARGET");

	return text[strspn(text, "0123456789.")] == '\0' ? text : DEPLOYMENT_TARGET;
}

/* After the usual one, which it replaces. */
static void add_standard(const struct driver *driver, struct dx_words *argv)
{
	if (driver->selection.cplusplus != NULL) {
		dx_words_add_format(argv, "-std=%s", driver->selection.cplusplus);
	}
}

static void add_iig_job(struct driver *driver, const char *program, const char *source)
{
	struct dx_build *build = driver->build;
	DX_CLEANUP_FREE char *name = stem(source, ".iig");
	DX_CLEANUP_FREE char *header =
		format_text("%s/%s.h", driver->fresh, name == NULL ? "" : name);
	DX_CLEANUP_FREE char *code =
		format_text("%s/%s.iig.cpp", driver->fresh, name == NULL ? "" : name);
	struct dx_job *job = NULL;

	if (name == NULL || header == NULL || code == NULL) {
		build->jobs.failed = true;
		return;
	}
	job = dx_jobs_add(&build->jobs, "generate code for", source, code);
	if (job == NULL) {
		return;
	}
	dx_words_add_list(&job->argv,
			  (const char *const[]){program, "--def", source, "--header", header,
						"--impl", code, "--deployment-target",
						deployment_target(build), "--", "-x", "c++",
						"-std=gnu++17", "-D__IIG=1", NULL});
	add_standard(driver, &job->argv);
	dx_words_add_all(&job->argv, &driver->includes);
	dx_kit_add_includes(&build->kit, true, &job->argv);
	dx_words_add_all(&job->argv, &build->compiler_options);
}

/* A fresh file takes the place of the one of the last build, if it differs. */
static int settle_file(struct driver *driver, const char *source, const char *suffix,
		       struct dx_words *list)
{
	DX_CLEANUP_FREE char *name = stem(source, ".iig");
	DX_CLEANUP_FREE char *from =
		format_text("%s/%s%s", driver->fresh, name == NULL ? "" : name, suffix);
	DX_CLEANUP_FREE char *path =
		format_text("%s/%s%s", driver->derived_product, name == NULL ? "" : name, suffix);
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int rc = name == NULL || from == NULL || path == NULL
			 ? -ENOMEM
			 : dx_file_read(from, MAX_SOURCE_BYTES, &bytes, &length);

	if (rc < 0) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s: %s", source,
				    strerror(-rc));
	}
	dx_words_add(&driver->made, path);
	if (list != NULL) {
		dx_words_add(list, path);
	}
	return dx_build_update_file(driver->build, path, bytes, length);
}

static bool is_made(const struct driver *driver, const char *path)
{
	for (size_t i = 0; i < driver->made.nr; i++) {
		if (strcmp(driver->made.items[i], path) == 0) {
			return true;
		}
	}
	return false;
}

/* Of sources that are gone: their headers must not be found any more. */
static void remove_stale(const struct driver *driver, const char *directory)
{
	DIR *stream = opendir(directory);

	for (struct dirent *entry = NULL; stream != NULL;) {
		DX_CLEANUP_FREE char *path = NULL;

		entry = readdir(stream);
		if (entry == NULL) {
			break;
		}
		path = dx_path_join(directory, entry->d_name);
		if (path != NULL && !is_made(driver, path)) {
			(void)unlink(path); /* fails for the directories in it */
		}
	}
	if (stream != NULL) {
		(void)closedir(stream);
	}
}

static int settle(struct driver *driver)
{
	const struct dx_words *sources = &driver->selection.sources.iig;
	int code = DX_TOOL_OK;

	for (size_t i = 0; code == DX_TOOL_OK && i < sources->nr; i++) {
		code = settle_file(driver, sources->items[i], ".h", NULL);
		if (code == DX_TOOL_OK) {
			code = settle_file(driver, sources->items[i], ".iig.cpp",
					   &driver->generated);
		}
	}
	remove_stale(driver, driver->derived);
	remove_stale(driver, driver->derived_product);
	(void)dx_private_dir_remove(driver->fresh); /* nothing looks there */
	return code;
}

static int generate(struct driver *driver)
{
	struct dx_build *build = driver->build;
	char program[4096];

	if (driver->selection.sources.iig.nr == 0) {
		return settle(driver);
	}
	if (dx_tool_find("iig", program, sizeof(program)) < 0) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED,
				    "%s: iig, which reads it, is not installed",
				    driver->selection.sources.iig.items[0]);
	}
	for (size_t i = 0; i < driver->selection.sources.iig.nr; i++) {
		add_iig_job(driver, program, driver->selection.sources.iig.items[i]);
	}
	int code = dx_jobs_run(build->tool, &build->jobs, 0, build->parallel);
	return code != DX_TOOL_OK ? code : settle(driver);
}

static void add_objects(struct driver *driver, const struct dx_words *list, bool cplusplus,
			const struct dx_words *options, struct dx_words *objects)
{
	for (size_t i = 0; i < list->nr; i++) {
		const char *object = dx_build_add_object(driver->build, list->items[i], cplusplus,
							 options, driver->work);

		if (object != NULL) {
			dx_words_add(objects, object);
		}
	}
}

static int compile(struct driver *driver, struct dx_words *objects)
{
	struct dx_build *build = driver->build;
	struct dx_words c = {0};
	struct dx_words cplusplus = {0};
	size_t first = build->jobs.nr;

	dx_words_add(&c, "-fPIC");
	dx_words_add_all(&c, &driver->includes);
	dx_words_add_list(&cplusplus,
			  (const char *const[]){"-fPIC", "-fno-exceptions", "-Wno-c99-designator",
						"-Wno-reorder-init-list", "-fno-rtti", NULL});
	add_standard(driver, &cplusplus);
	dx_words_add_all(&cplusplus, &driver->includes);
	add_objects(driver, &driver->generated, true, &cplusplus, objects);
	add_objects(driver, &driver->selection.sources.cpp, true, &cplusplus, objects);
	add_objects(driver, &driver->selection.sources.c, false, &c, objects);
	dx_words_fini(&c);
	dx_words_fini(&cplusplus);
	return dx_jobs_run(build->tool, &build->jobs, first, build->parallel);
}

static int link_code(struct driver *driver, const struct dx_words *objects)
{
	struct dx_build *build = driver->build;
	size_t first = build->jobs.nr;
	struct dx_job *job = dx_jobs_add(&build->jobs, "link", NULL, driver->code);

	if (job == NULL) {
		return no_memory(driver);
	}
	dx_words_add(&job->argv, driver->cplusplus ? build->kit.cxx : build->kit.cc);
	dx_build_add_common(build, &job->argv);
	dx_words_add(&job->argv, "-shared");
	if (!dx_build_is_thread(build)) { /* which leaves its functions to the host program */
		dx_words_add(&job->argv, "-Wl,--no-undefined");
	}
	dx_words_add_all(&job->argv, objects);
	dx_kit_add_library_paths(&build->kit, build->sanitize != NULL, &job->argv);
	if (driver->cplusplus) {
		dx_words_add(&job->argv, "-lDriverKitCxx");
	}
	dx_words_add(&job->argv, "-lDriverKit");
	if (build->kit.has_blocks) {
		dx_words_add(&job->argv, "-Wl,--as-needed");
		dx_words_add(&job->argv, "-lBlocksRuntime");
	}
	dx_words_add(&job->argv, "-o");
	dx_words_add(&job->argv, driver->code);
	return dx_jobs_run(build->tool, &build->jobs, first, 1);
}

/* A program that has the sanitizer's library before the driver comes. */
static int build_host(struct driver *driver)
{
	static const char text[] =
		"#include <stdlib.h>\n"
		"int OpenDextHostMain(int argc, char **argv);\n"
		"/* The host keeps what it needs until its process ends. */\n"
		"const char *__asan_default_options(void)\n{\n\treturn \"detect_leaks=0\";\n}\n"
		"/* Libraries that are not instrumented look like races. */\n"
		"const char *__tsan_default_suppressions(void)\n"
		"{\n"
		"\treturn \"race:libDriverKit\\ncalled_from_lib:libDriverKit.so\\n\";\n"
		"}\n"
		"int main(int argc, char **argv)\n"
		"{\n"
		"\t/* Sanitizers read /proc and start a program that finds line numbers. */\n"
		"\tsetenv(\"OPENDEXT_NO_CONFINE\", \"1\", 1);\n"
		"\treturn OpenDextHostMain(argc, argv);\n"
		"}\n";
	struct dx_build *build = driver->build;
	DX_CLEANUP_FREE char *source = dx_path_join(driver->work, "host.c");
	struct dx_job *job = NULL;
	size_t first = build->jobs.nr;
	int code = source == NULL ? no_memory(driver)
				  : dx_build_write_file(build, source, text, strlen(text), 0644);

	if (code != DX_TOOL_OK) {
		return code;
	}
	job = dx_jobs_add(&build->jobs, "link", NULL, driver->host);
	if (job == NULL) {
		return no_memory(driver);
	}
	dx_words_add(&job->argv, build->kit.cc);
	dx_build_add_common(build, &job->argv);
	dx_words_add(&job->argv, source);
	dx_kit_add_library_paths(&build->kit, true, &job->argv);
	dx_words_add_list(&job->argv,
			  (const char *const[]){"-lDriverKit", "-o", driver->host, NULL});
	return dx_jobs_run(build->tool, &build->jobs, first, 1);
}

/* --- The bundle ------------------------------------------------------------------------------ */

/* The file at from becomes the file `name` of the bundle. */
static int copy_file(const struct driver *driver, const char *from, const char *name)
{
	DX_CLEANUP_FREE char *path = dx_path_join(driver->bundle, name);
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int rc = dx_file_read(from, MAX_CODE_BYTES, &bytes, &length);

	if (path == NULL || rc < 0) {
		return dx_tool_fail(driver->build->tool, DX_TOOL_FAILED, "%s: %s", from,
				    strerror(path == NULL ? ENOMEM : -rc));
	}
	return dx_build_write_file(driver->build, path, bytes, length, 0755);
}

static int write_bundle(const struct driver *driver)
{
	DX_CLEANUP_FREE char *info = dx_path_join(driver->bundle, "Info.plist");
	DX_CLEANUP_FREE char *host = dx_path_join(driver->bundle, DX_BUILD_HOST);
	int code = dx_build_make_directory(driver->build, driver->bundle);

	if (info == NULL || host == NULL) {
		return no_memory(driver);
	}
	if (code == DX_TOOL_OK) {
		code = copy_file(driver, driver->code, driver->executable);
	}
	if (code == DX_TOOL_OK && driver->build->sanitize != NULL) {
		code = copy_file(driver, driver->host, DX_BUILD_HOST);
	} else if (code == DX_TOOL_OK) {
		(void)unlink(host); /* of another build, if there is one */
	}
	return code != DX_TOOL_OK ? code
				  : dx_build_write_file(driver->build, info, driver->info.text,
							strlen(driver->info.text), 0644);
}

static int make(struct driver *driver)
{
	struct dx_words objects = {0};
	int code = driver->selection.sources.templates.nr > 0 ? DX_TOOL_OK /* they are in there */
							       : make_directories(driver);

	collect_includes(driver);
	if (code == DX_TOOL_OK) {
		code = generate(driver);
	}
	if (code == DX_TOOL_OK) {
		code = compile(driver, &objects);
	}
	if (code == DX_TOOL_OK) {
		code = dx_build_write_database(driver->build, driver->bundle, driver->work);
	}
	if (code == DX_TOOL_OK) {
		code = link_code(driver, &objects);
	}
	if (code == DX_TOOL_OK) {
		code = dx_build_info_check_classes(driver->build->tool, &driver->info,
						   driver->code);
	}
	if (code == DX_TOOL_OK && driver->build->sanitize != NULL) {
		code = build_host(driver);
	}
	if (code == DX_TOOL_OK) {
		code = write_bundle(driver);
	}
	dx_words_fini(&objects);
	return code;
}

/* What needs no compiler, so that its errors come at once. */
static int prepare(struct driver *driver)
{
	int code = name_product(driver);

	if (code == DX_TOOL_OK) {
		code = name_outputs(driver);
	}
	if (code == DX_TOOL_OK) {
		code = dx_build_select(driver->build, driver->directory, driver->work,
				       &driver->selection);
	}
	if (code == DX_TOOL_OK) {
		code = set_variables(driver);
	}
	if (code == DX_TOOL_OK && driver->selection.sources.templates.nr > 0) {
		code = make_directories(driver);
	}
	if (code == DX_TOOL_OK) {
		code = fill_templates(driver);
	}
	if (code == DX_TOOL_OK) {
		code = dx_build_info_read(driver->build->tool, driver->selection.info,
					  &driver->build->variables, &driver->info);
	}
	if (code == DX_TOOL_OK) {
		driver->name = stem(driver->bundle, ".dext");
		code = driver->name == NULL
			       ? no_memory(driver)
			       : dx_build_info_executable(driver->build->tool, &driver->info,
							  driver->name, &driver->executable);
	}
	driver->cplusplus = driver->selection.sources.iig.nr + driver->selection.sources.cpp.nr > 0;
	return code;
}

int dx_build_driver(struct dx_build *build)
{
	struct driver driver = {.build = build, .directory = build->operands.items[0]};
	int code = prepare(&driver);

	if (code == DX_TOOL_OK && driver.cplusplus && !build->kit.has_blocks) {
		code = dx_tool_fail(build->tool, DX_TOOL_FAILED,
				    "a C++ driver needs clang and the blocks runtime (Debian: "
				    "clang, libblocksruntime-dev)");
	}
	if (code == DX_TOOL_OK) {
		code = make(&driver);
	}
	if (code == DX_TOOL_OK) {
		dx_tool_say_verbose(build->tool, "built %s", driver.bundle);
	}
	dx_selection_fini(&driver.selection);
	free(driver.product);
	dx_build_info_fini(&driver.info);
	dx_words_fini(&driver.generated);
	dx_words_fini(&driver.made);
	dx_words_fini(&driver.includes);
	free(driver.name);
	free(driver.bundle);
	free(driver.work);
	free(driver.derived);
	free(driver.derived_product);
	free(driver.fresh);
	free(driver.code);
	free(driver.host);
	return code;
}
