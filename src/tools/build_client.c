/* SPDX-License-Identifier: MIT
 *
 * build_client - `dext build --client`: from C and C++ sources to a program. See build.h.
 */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pathutil.h"

static int check_files(const struct dx_build *build)
{
	static const char *const suffixes[] = {".c", ".cpp", ".cc", ".cxx", ".o", ".a"};

	for (size_t i = 0; i < build->operands.nr; i++) {
		const char *file = build->operands.items[i];
		bool known = false;

		for (size_t j = 0; j < sizeof(suffixes) / sizeof(*suffixes); j++) {
			known = known || dx_path_has_suffix(file, suffixes[j]);
		}
		if (!known) {
			return dx_tool_fail(build->tool, DX_TOOL_FAILED,
					    "%s: is neither C (.c) nor C++ (.cpp, .cc, .cxx)",
					    file);
		}
		if (access(file, R_OK) < 0) {
			return dx_tool_fail(build->tool, DX_TOOL_FAILED, "%s: %m", file);
		}
	}
	return DX_TOOL_OK;
}

static bool is_source(const char *file)
{
	return !dx_path_has_suffix(file, ".o") && !dx_path_has_suffix(file, ".a");
}

static void add_link(struct dx_build *build, const struct dx_words *objects, bool cplusplus)
{
	struct dx_job *job = dx_jobs_add(&build->jobs, "link", NULL, build->output);

	if (job == NULL) {
		return;
	}
	dx_words_add(&job->argv, cplusplus ? build->kit.cxx : build->kit.cc);
	dx_build_add_common(build, &job->argv);
	dx_words_add_all(&job->argv, objects);
	dx_kit_add_library_paths(&build->kit, build->sanitize != NULL, &job->argv);
	dx_words_add(&job->argv, "-lIOKit");
	if (build->kit.has_blocks) {
		dx_words_add(&job->argv, "-Wl,--as-needed");
		dx_words_add(&job->argv, "-lBlocksRuntime");
	}
	dx_words_add(&job->argv, "-pthread");
	dx_words_add(&job->argv, "-o");
	dx_words_add(&job->argv, build->output);
}

static int compile_and_link(struct dx_build *build, const char *directory)
{
	struct dx_words includes = {0};
	struct dx_words objects = {0};
	bool cplusplus = false;
	size_t nr_objects = 0;
	int code = DX_TOOL_OK;

	for (size_t i = 0; i < build->include_directories.nr; i++) {
		dx_words_add_format(&includes, "-I%s", build->include_directories.items[i]);
	}
	for (size_t i = 0; i < build->operands.nr; i++) {
		const char *file = build->operands.items[i];

		if (is_source(file)) {
			bool is = dx_build_is_cplusplus(file);

			cplusplus = cplusplus || is;
			dx_words_add(&objects,
				     dx_build_add_object(build, file, is, &includes, directory));
		} else {
			dx_words_add(&objects, file);
		}
	}
	code = dx_jobs_run(build->tool, &build->jobs, 0, build->parallel);
	nr_objects = build->jobs.nr;
	if (code == DX_TOOL_OK) {
		add_link(build, &objects, cplusplus);
		code = dx_jobs_run(build->tool, &build->jobs, nr_objects, 1);
	}
	dx_words_fini(&objects);
	dx_words_fini(&includes);
	return code;
}

int dx_build_client(struct dx_build *build)
{
	DX_CLEANUP_FREE char *directory = NULL;
	int code = check_files(build);

	if (code != DX_TOOL_OK) {
		return code;
	}
	if (build->output == NULL) {
		return dx_tool_usage(build->tool, "a client needs a name: -o PROGRAM");
	}
	if (asprintf(&directory, "%s.build", build->output) < 0) {
		directory = NULL;
		return dx_tool_fail(build->tool, DX_TOOL_FAILED, "out of memory");
	}
	code = dx_build_make_directory(build, directory);
	if (code == DX_TOOL_OK) {
		code = compile_and_link(build, directory);
	}
	if (code == DX_TOOL_OK) {
		code = dx_build_write_database(build, build->output, directory);
	}
	return code;
}
