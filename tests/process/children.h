/* SPDX-License-Identifier: MIT
 *
 * children - programs that a process test starts, and what they leave behind.
 */
#ifndef DX_TESTS_PROCESS_CHILDREN_H
#define DX_TESTS_PROCESS_CHILDREN_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int output; /* its standard output */
};

/* Starts a program of the build with up to three arguments; NULL ends them. */
struct child child_start(const char *variable, const char *a, const char *b, const char *c);
/* Reads one line within the time limit of the test; fails when the child ends before. */
void child_read_line(const struct child *child, char *line, size_t capacity);
/* Waits for the line "ready". */
void child_wait_ready(const struct child *child);
/* Kills it and waits. */
void child_kill(struct child *child);
/* Waits for its end, which must be exit status 0. */
void child_join(struct child *child);
/* Waits for its end. @return the status of waitpid(). */
int child_wait(struct child *child);

/* What broker and hosts hold. Taken before a scenario and compared after it. */
struct holdings {
	unsigned nr_broker_fds;
	unsigned nr_host_fds;
	unsigned nr_host_maps; /* mappings of memfds */
	pid_t host;
};

struct holdings holdings_take(pid_t host);
/* Waits until they hold no more than before, or fails. */
void holdings_expect(const struct holdings *before);

/* The seeds of random scenarios: OPENDEXT_SEED (one) or count from 1 on. Prints the seed. */
unsigned seed_first(void);
unsigned seed_count(unsigned count);
void sleep_us(unsigned microseconds);

#endif
