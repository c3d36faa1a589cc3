/* SPDX-License-Identifier: MIT
 *
 * world_process - what only tests with real processes can do to them.
 */
#ifndef DX_TESTS_WORLD_PROCESS_H
#define DX_TESTS_WORLD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Path of a program of the build; the test fails when the variable is not set. */
const char *world_program(const char *variable);
pid_t world_broker_pid(void);
/*
 * Starts a broker and waits for its first line. more: further options, NULL-ended, may be NULL.
 * @return true when the line is "ready"; else the process has said why and ends.
 */
bool world_spawn_broker(const char *socket_path, const char *bundle, bool is_private,
			const char *const *more, char *line, size_t capacity);
/* Waits for its end. @return the status of waitpid(). */
int world_wait_broker(void);

/* The broker of this test, to be put away while there is another one. */
struct world_broker {
	pid_t pid;
	int ready_fd; /* -1: none */
};

/* @return what there was; from now on there is none. */
struct world_broker world_take_broker(void);
void world_put_broker(struct world_broker taken);

#endif
