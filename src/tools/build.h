/* SPDX-License-Identifier: MIT
 *
 * build - options of `dext build`, and its two halves.
 *
 * Place:   tools. build.c reads the options, build_driver.c makes a bundle, build_client.c a
 *          program.
 */
#ifndef DX_TOOLS_BUILD_H
#define DX_TOOLS_BUILD_H

#include <sys/types.h>

#include "build_jobs.h"
#include "build_kit.h"
#include "build_variables.h"
#include "tool.h"
#include "words.h"

struct dx_build {
	const struct dx_tool *tool;
	struct dx_kit kit;
	struct dx_variables variables;
	struct dx_words operands; /* DIR, or FILES of a client */
	struct dx_words include_directories;
	struct dx_words excluded; /* --exclude: patterns */
	struct dx_words compiler_options; /* after "--" */
	struct dx_jobs jobs;
	const char *output;   /* may be NULL */
	const char *info;     /* --plist; may be NULL */
	const char *sanitize; /* "address,undefined"; may be NULL */
	unsigned parallel;
	bool client;
	bool debug;
};

/*
 * Of a bundle that is built with a sanitizer, whose library must be in a process before the driver:
 * a host program that has it. `dext run` uses it.
 */
#define DX_BUILD_HOST "dext-host"

int dx_build_driver(struct dx_build *build);
int dx_build_client(struct dx_build *build);

/* For both: what every compilation and every link has. */
void dx_build_add_common(const struct dx_build *build, struct dx_words *argv);
/* An object of one source. extra: further options, may be NULL. @return its name, borrowed. */
const char *dx_build_add_object(struct dx_build *build, const char *source, bool cplusplus,
				const struct dx_words *extra, const char *directory);
bool dx_build_is_cplusplus(const char *source);
bool dx_build_is_thread(const struct dx_build *build);
/* A directory with its parents. @return DX_TOOL_OK, or an exit code after one line. */
int dx_build_make_directory(const struct dx_build *build, const char *path);
/* A file, by a rename. @return DX_TOOL_OK, or an exit code after one line. */
int dx_build_write_file(const struct dx_build *build, const char *path, const void *bytes,
			size_t length, mode_t mode);
/* The same, unless the file has these bytes already: what is made from it stays current. */
int dx_build_update_file(const struct dx_build *build, const char *path, const void *bytes,
			 size_t length);
/* compile_commands.json beside the output. work: the directory of the objects. */
int dx_build_write_database(const struct dx_build *build, const char *output, const char *work);

#endif
