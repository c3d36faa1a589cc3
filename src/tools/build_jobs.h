/* SPDX-License-Identifier: MIT
 *
 * build_jobs - programs that a build runs: compilers, several at a time.
 *
 * Place:      tools; `dext build`.
 * Invariants:
 *   J1  what a program writes is shown when it has ended, in one piece: two do not mix.
 *   J2  after the first failure nothing is started; what runs is waited for and shown.
 *   J3  a job with dependencies that is current (build_current.h) is not run.
 */
#ifndef DX_TOOLS_BUILD_JOBS_H
#define DX_TOOLS_BUILD_JOBS_H

#include "tool.h"
#include "words.h"

struct dx_job {
	struct dx_words argv;
	char *input;      /* "driver.cpp"; NULL: no file of its own (a link) */
	char *output;     /* what it makes */
	const char *what; /* "compile", "link": for messages */
	bool has_rule;    /* writes OUTPUT.d */
};

struct dx_jobs {
	struct dx_job *items;
	size_t nr;
	size_t capacity;
	bool failed; /* without memory */
};

/* A new job at the end; valid until the next one. NULL without memory (failed is set). */
struct dx_job *dx_jobs_add(struct dx_jobs *jobs, const char *what, const char *input,
			   const char *output);
/*
 * Runs jobs first...nr-1, `parallel` at a time. @return DX_TOOL_OK, or the exit code after one
 * line on standard error that says which failed.
 */
int dx_jobs_run(const struct dx_tool *tool, struct dx_jobs *jobs, size_t first, unsigned parallel);
/* Runs a program and keeps the first line that it writes. @return 0; -ENOENT; -EIO it failed. */
int dx_jobs_ask(const char *const *argv, char *buffer, size_t capacity);
/* Objects for compile_commands.json, of those jobs that compile. malloc'd, or NULL. */
char *dx_jobs_database(const struct dx_jobs *jobs, const char *directory);
void dx_jobs_fini(struct dx_jobs *jobs);

#endif
