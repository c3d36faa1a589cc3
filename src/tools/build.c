/* SPDX-License-Identifier: MIT
 *
 * build - `dext build`: from sources to a driver bundle or to a client program. See build.h.
 *
 * Place:   tools.
 */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/pathutil.h"
#include "build_database.h"
#include "commands.h"
#include "json.h"

#define MAX_PARALLEL       64ull
#define MAX_DATABASE_BYTES (64ull << 20)

/* --- For both halves ------------------------------------------------------------------------- */

bool dx_build_is_cplusplus(const char *source)
{
	return !dx_path_has_suffix(source, ".c");
}

/* ThreadSanitizer's shared library does not start (clang 14); the program has it inside. */
bool dx_build_is_thread(const struct dx_build *build)
{
	return build->sanitize != NULL && strstr(build->sanitize, "thread") != NULL;
}

void dx_build_add_common(const struct dx_build *build, struct dx_words *argv)
{
	dx_words_add(argv, "-g");
	dx_words_add(argv, build->debug ? "-O0" : "-O2");
	if (build->sanitize != NULL) {
		dx_words_add_format(argv, "-fsanitize=%s", build->sanitize);
		dx_words_add(argv, "-fno-omit-frame-pointer");
		if (!dx_build_is_thread(build)) {
			dx_words_add(argv, "-shared-libsan");
		}
	}
}

const char *dx_build_add_object(struct dx_build *build, const char *source, bool cplusplus,
				const struct dx_words *extra, const char *directory)
{
	DX_CLEANUP_FREE char *object = NULL;
	DX_CLEANUP_FREE char *rule = NULL;
	struct dx_job *job = NULL;

	/* Two sources may have one name, so the object's has a number. */
	if (asprintf(&object, "%s/%zu-%s.o", directory, build->jobs.nr, dx_path_base(source)) < 0) {
		object = NULL;
	} else if (asprintf(&rule, "%s.d", object) < 0) {
		rule = NULL;
	}
	if (object == NULL || rule == NULL) {
		build->jobs.failed = true;
		return "";
	}
	job = dx_jobs_add(&build->jobs, "compile", source, object);
	if (job == NULL || job->output == NULL) {
		return "";
	}
	dx_kit_add_compiler(&build->kit, cplusplus, &job->argv);
	dx_build_add_common(build, &job->argv);
	if (extra != NULL) {
		dx_words_add_all(&job->argv, extra);
	}
	dx_kit_add_includes(&build->kit, cplusplus || build->client, &job->argv);
	dx_words_add_all(&job->argv, &build->compiler_options);
	dx_words_add_list(&job->argv, (const char *const[]){"-MD", "-MF", rule, "-c", source, "-o",
							    object, NULL});
	job->has_rule = true;
	return job->output;
}

int dx_build_make_directory(const struct dx_build *build, const char *path)
{
	DX_CLEANUP_FREE char *copy = strdup(path);
	struct stat status = {0};

	if (copy == NULL) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(copy, 0777); /* if it is not there then, the last one fails */
		*slash = '/';
	}
	if (mkdir(path, 0777) < 0 && errno != EEXIST) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s: %s", path, strerror(errno));
	}
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s: is not a directory", path);
	}
	return DX_TOOL_OK;
}

int dx_build_write_file(const struct dx_build *build, const char *path, const void *bytes,
			size_t length, mode_t mode)
{
	DX_CLEANUP_FREE char *fresh = NULL;
	DX_CLEANUP_FD int fd = -1;
	int rc = 0;

	if (asprintf(&fresh, "%s.new", path) < 0) {
		fresh = NULL;
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	rc = fd < 0 ? -errno : dx_file_write_fd(fd, bytes, length);
	if (rc == 0 && rename(fresh, path) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		if (fd >= 0) {
			(void)unlink(fresh);
		}
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s: %s", path, strerror(-rc));
	}
	return DX_TOOL_OK;
}

int dx_build_update_file(const struct dx_build *build, const char *path, const void *bytes,
			 size_t length)
{
	DX_CLEANUP_FREE void *present = NULL;
	size_t present_length = 0;

	if (dx_file_read(path, length + 1, &present, &present_length) == 0 &&
	    present_length == length && memcmp(present, bytes, length) == 0) {
		return DX_TOOL_OK;
	}
	return dx_build_write_file(build, path, bytes, length, 0644);
}

/* "DIR/" as JSON has it within quotes. */
static char *quoted_prefix(const char *directory)
{
	DX_CLEANUP_FREE char *text = NULL;
	char *prefix = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL) {
		return NULL;
	}
	dx_json_print_string(stream, directory);
	if (fclose(stream) != 0 ||
	    asprintf(&prefix, "%.*s/", (int)length - 2, text + 1) < 0) {
		return NULL;
	}
	return prefix;
}

static int merge_database(const struct dx_build *build, const char *path, const char *work)
{
	DX_CLEANUP_FREE char *directory = getcwd(NULL, 0);
	DX_CLEANUP_FREE char *plain = realpath(work, NULL);
	DX_CLEANUP_FREE char *prefix = plain == NULL ? NULL : quoted_prefix(plain);
	DX_CLEANUP_FREE char *fresh =
		directory == NULL ? NULL : dx_jobs_database(&build->jobs, directory);
	DX_CLEANUP_FREE char *merged = NULL;
	DX_CLEANUP_FREE void *old = NULL;
	size_t length = 0;

	if (prefix == NULL || fresh == NULL) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	(void)dx_file_read(path, MAX_DATABASE_BYTES, &old, &length); /* none is an empty one */
	if (dx_database_merge(old == NULL ? "" : old, length, prefix, fresh, &merged) < 0) {
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	return dx_build_write_file(build, path, merged, strlen(merged), 0644);
}

int dx_build_write_database(const struct dx_build *build, const char *output, const char *work)
{
	DX_CLEANUP_FREE char *path = NULL;
	int directory = (int)(dx_path_base(output) - output);

	if (asprintf(&path, "%.*scompile_commands.json", directory, output) < 0) {
		path = NULL;
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM));
	}
	return merge_database(build, path, work);
}

/* --- Options --------------------------------------------------------------------------------- */

enum { OPTION_CLIENT = 256, OPTION_DEBUG, OPTION_SANITIZE, OPTION_PLIST };

static bool is_sanitizer_list(const char *list)
{
	static const char *const known[] = {"address", "undefined", "thread", NULL};
	bool address = false;
	bool thread = false;

	for (;;) {
		size_t length = strcspn(list, ",");
		size_t found = 0;

		while (known[found] != NULL && (strlen(known[found]) != length ||
						strncmp(known[found], list, length) != 0)) {
			found++;
		}
		address = address || found == 0;
		thread = thread || found == 2;
		if (known[found] == NULL || (address && thread)) {
			return false;
		}
		if (list[length] == '\0') {
			return true;
		}
		list += length + 1;
	}
}

/* @return an exit code, or -1 to go on, or -2 for an option that is not of this command. */
static int take_option(struct dx_build *build, int option)
{
	unsigned long long value = 0;

	switch (option) {
	case 'o':
		build->output = optarg;
		return optarg[0] != '\0' ? -1 : dx_tool_usage(build->tool, "-o needs a name");
	case 'D':
		if (dx_variables_set_pair(&build->variables, optarg) == -EINVAL) {
			return dx_tool_usage(build->tool, "-D needs NAME=VALUE, not '%s'", optarg);
		}
		return -1;
	case 'x':
		dx_words_add(&build->excluded, optarg);
		return -1;
	case 'I':
		dx_words_add(&build->include_directories, optarg);
		return -1;
	case 'j':
		if (dx_tool_parse_size(optarg, 1, MAX_PARALLEL, &value) < 0) {
			return dx_tool_usage(build->tool,
					     "-j needs a number from 1 to 64, not '%s'", optarg);
		}
		build->parallel = (unsigned)value;
		return -1;
	case OPTION_CLIENT:
		build->client = true;
		return -1;
	case OPTION_DEBUG:
		build->debug = true;
		return -1;
	case OPTION_PLIST:
		build->info = optarg;
		return -1;
	case OPTION_SANITIZE:
		build->sanitize = optarg;
		return is_sanitizer_list(optarg)
			       ? -1
			       : dx_tool_usage(build->tool,
					       "--sanitize takes address, undefined, both with a "
					       "comma, or thread, not '%s'",
					       optarg);
	default:
		return -2;
	}
}

static int take_operands(struct dx_build *build, int argc, char **argv, int separator)
{
	int end = separator < 0 ? argc : separator;

	for (int i = optind; i < end; i++) {
		dx_words_add(&build->operands, argv[i]);
	}
	for (int i = end + 1; i < argc; i++) {
		dx_words_add(&build->compiler_options, argv[i]);
	}
	if (build->client && build->operands.nr == 0) {
		return dx_tool_usage(build->tool, "a client needs source files");
	}
	if (!build->client && build->operands.nr != 1) {
		return dx_tool_usage(build->tool, "one directory with a driver is needed");
	}
	if (build->client && (build->info != NULL || build->variables.names.nr > 0 ||
			      build->excluded.nr > 0)) {
		return dx_tool_usage(build->tool, "a client has no property list and takes the "
						  "files that are named: no -D, --plist, -x");
	}
	return DX_TOOL_OK;
}

/* @return an exit code; *ret_end: stop with it. */
static int parse(struct dx_tool *tool, struct dx_build *build, int argc, char **argv, bool *ret_end)
{
	static const struct option names[] = {
		DX_TOOL_LONG,
		{"client", no_argument, NULL, OPTION_CLIENT},
		{"debug", no_argument, NULL, OPTION_DEBUG},
		{"define", required_argument, NULL, 'D'},
		{"exclude", required_argument, NULL, 'x'},
		{"include", required_argument, NULL, 'I'},
		{"jobs", required_argument, NULL, 'j'},
		{"output", required_argument, NULL, 'o'},
		{"plist", required_argument, NULL, OPTION_PLIST},
		{"sanitize", required_argument, NULL, OPTION_SANITIZE},
		{NULL, 0, NULL, 0},
	};
	int separator = dx_tool_separator(argc, argv);
	int code = DX_TOOL_OK;

	*ret_end = true;
	for (;;) {
		int option = getopt_long(separator < 0 ? argc : separator, argv,
					 ":" DX_TOOL_SHORT "o:D:I:j:x:", names, NULL);

		if (option == -1) {
			break;
		}
		code = take_option(build, option);
		if (code >= 0 || (code == -2 && dx_tool_option(tool, option, argv, &code))) {
			return code;
		}
	}
	if (tool->socket != NULL) {
		return dx_tool_usage(tool, "a build needs no broker: no --socket");
	}
	code = take_operands(build, argc, argv, separator);
	*ret_end = code != DX_TOOL_OK;
	return code;
}

static int check_memory(const struct dx_build *build)
{
	bool failed = build->operands.failed || build->compiler_options.failed ||
		      build->include_directories.failed || build->excluded.failed ||
		      build->variables.names.failed ||
		      build->variables.values.failed;

	return failed ? dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s", strerror(ENOMEM))
		      : DX_TOOL_OK;
}

static void fini(struct dx_build *build)
{
	dx_kit_fini(&build->kit);
	dx_variables_fini(&build->variables);
	dx_words_fini(&build->operands);
	dx_words_fini(&build->include_directories);
	dx_words_fini(&build->excluded);
	dx_words_fini(&build->compiler_options);
	dx_jobs_fini(&build->jobs);
}

static int run(struct dx_tool *tool, int argc, char **argv)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct dx_build build = {.tool = tool, .parallel = nr_cpus < 1 ? 1 : (unsigned)nr_cpus};
	bool end = false;
	int code = parse(tool, &build, argc, argv, &end);

	if (!end) {
		code = check_memory(&build);
	}
	if (!end && code == DX_TOOL_OK) {
		code = dx_kit_find(tool, &build.kit);
		if (code == DX_TOOL_OK && build.sanitize != NULL && !build.kit.is_clang) {
			code = dx_tool_fail(tool, DX_TOOL_FAILED, "--sanitize needs clang");
		}
		if (code == DX_TOOL_OK) {
			code = build.client ? dx_build_client(&build) : dx_build_driver(&build);
		}
	}
	fini(&build);
	return code;
}

const struct dx_tool_command dx_build_command = {
	.name = "build",
	.arguments = "[OPTION]... DIR | --client FILE... [-- COMPILER-OPTION...]",
	.summary = "Build a driver bundle, or a client program, from sources.",
	.help = "A driver: everything below DIR that ends in .iig, .cpp, .cc, .cxx or .c, with "
		"its\n"
		"Info.plist, becomes the bundle OUT.dext. Hidden directories and the output of\n"
		"builds are left out; an Xcode project says which sources are the driver's, and\n"
		"its settings. Build variables in the property list, $(NAME) or ${NAME}, are\n"
		"replaced; those that Xcode sets for a driver have a value, others need -D. So\n"
		"is @NAME@ in templates, NAME.h.in and Info.plist.in.\n"
		"A client: C and C++ files become one program that is linked with libIOKit.\n"
		"What is made on the way is kept in OUT.build, so that the next build compiles\n"
		"only what has changed; compile_commands.json is written beside the output.\n"
		"\n"
		"  -o, --output OUT      name of the bundle (default: PRODUCT_NAME.dext, which is\n"
		"                        the name of DIR) or of the program\n"
		"  -D, --define NAME=VALUE  set a build variable\n"
		"      --plist FILE      the property list, if it is not found by its name\n"
		"  -I, --include DIR     look for headers here too\n"
		"  -x, --exclude PATTERN  leave out sources whose name or path matches\n"
		"      --client          build a program from files\n"
		"      --debug           do not optimise\n"
		"      --sanitize LIST   address, undefined, address,undefined or thread\n"
		"  -j, --jobs N          compile N files at a time (default: one per CPU)\n"
		"\n"
		"The compilers are $CC and $CXX, or clang and clang++. A driver that was built "
		"with\n"
		"a sanitizer runs in a host program of its bundle, which 'dext run' starts "
		"without\n"
		"confinement.\n",
	.own_broker = true,
	.run = run,
};
