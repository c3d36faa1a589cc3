/* SPDX-License-Identifier: MIT
 *
 * support - a broker in a thread, hosts in threads, clients that speak the wire: for daemon tests.
 *
 * A fake host behaves as the class it is told to start says:
 *
 *	Good...		registers, opens user clients, stops
 *	Quiet		does not register
 *	Again		registers twice
 *	Named		sets a name and properties, then registers
 *	FailStart	Start returns an error
 *	DieOnStart	the process ends when it is told to start
 *	DieOnOpen	... when a user client is to be opened
 *	RefuseOpen	NewUserClient returns an error with a text
 *	SlowOpen	does not answer opens until it is told to stop
 *	SilentStart	never answers START
 *	NoStop		never answers TERMINATE
 *	Retire		registers, then asks for its own termination
 *	Lost		reports its device as lost
 *	Reset		... as reset, the first time
 *	Configure2	says that it has chosen configuration 2; Configure2Match: to be matched
 *	Liar		names an entry of somebody else
 *	Garbage		sends bytes that are no message
 *	Huge		sets more properties than fit
 *	Busy		takes its busy count up, and down too far
 *	Talker		sends FAKE_TALK messages to whoever is interested for each user client that opens
 *
 * A host whose bundle identifier holds "badsetup" fails SETUP; one with "early" adds an entry "Nub"
 * below its first service before it is told to start that.
 */
#ifndef DX_TESTS_DAEMON_SUPPORT_H
#define DX_TESTS_DAEMON_SUPPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "wire/link.h"

#define FAKE_TALK 100u
#define FAKE_MAX_HOSTS 1200 /* a storm of devices: those that never got a service end in 2 s */

struct fake_host {
	pthread_t thread;
	int socket;
	int done_fd;
	pid_t pid;
	bool used;
	bool killed;
	struct fixture *fixture;
};

struct fixture {
	char *directory;
	char socket[100];
	const char *bundles[16];
	const char *devices[16];
	struct dx_daemon_options options;
	struct dx_launcher launcher;
	pthread_t thread;
	int stop_pipe[2];
	int ready_pipe[2];
	int result;
	char message[1024];
	bool running;
	pthread_mutex_t lock; /* guards what is below */
	unsigned nr_matched, nr_terminated, nr_told; /* what watches of hosts heard */
	unsigned nr_launched;
	unsigned nr_device_gone;
	unsigned nr_resets;
	unsigned nr_start_fds; /* descriptors that came with START */
	unsigned fail_launches; /* the next so many fail ... */
	int fail_code;		/* ... with this */
	struct fake_host hosts[FAKE_MAX_HOSTS];
};

/* Nothing runs yet: bundles and options may be added. */
void fixture_init(struct fixture *fixture);
/* Writes Name.dext with one personality; extra is XML inside its dictionary. */
void fixture_bundle(struct fixture *fixture, const char *name, const char *user_class,
		    const char *provider_class, const char *extra);
/* Any Info.plist. Returns the path of the bundle, owned by the fixture's directory name buffer. */
void fixture_write_bundle(struct fixture *fixture, const char *name, const char *info, bool with_elf);
void fixture_path(struct fixture *fixture, const char *name, char *buffer, size_t size);
void fixture_start(struct fixture *fixture);
/* Starts, waits until it is ready, and connects a client. */
int fixture_start_client(struct fixture *fixture);
/* Closes the client, and fini. */
void fixture_end(struct fixture *fixture, int client);
/* Waits for the "ready" line; false when it was an error. */
bool fixture_wait_ready(struct fixture *fixture);
/* Stops and joins; checks the result, and that socket and hosts are gone. */
void fixture_stop(struct fixture *fixture);
void fixture_fini(struct fixture *fixture);
/* init, one bundle "Test" with user_class on IOUserResources, start, ready. */
void fixture_simple(struct fixture *fixture, const char *user_class);

/* A client that has said hello. */
int client_connect(struct fixture *fixture);
/* Sends a request and receives until its reply; events in between are kept for client_event(). */
void client_call(int socket, uint16_t type, const void *body, size_t body_length, const void *payload,
		 size_t payload_length, struct dx_wire_message_in *ret_reply);
int32_t client_status(int socket, uint16_t type, const void *body, size_t body_length,
		      const void *payload, size_t payload_length);
/* The next event; fails the test after some seconds. */
struct dx_wire_event client_event(int socket);
/* First service with this name, or 0. */
uint64_t client_find(int socket, const char *name);
/* ... waits until it is there. */
uint64_t client_wait_find(int socket, const char *name);
void client_wait_not_found(int socket, const char *name);
void client_wait_gone(int socket, uint64_t id);
/* Devices of the status: how many are in this state, or have this problem ("" any), with *ret_id (may
 * be NULL) of one. */
unsigned client_devices(int socket, const char *state, uint64_t *ret_id);
/* ... waits until there are so many. */
void client_wait_devices(int socket, const char *state, unsigned count);
/* The same for services with this name. */
unsigned client_count(int socket, const char *name);
void client_wait_count(int socket, const char *name, unsigned count);
/* Until nothing in the registry is busy. */
void client_wait_quiet(int socket);
/* Attaches a spec: status, *ret_id on success. */
int32_t client_attach(int socket, const char *spec, uint64_t *ret_id);
int32_t client_detach(int socket, uint64_t id);
/* Owned entry description. */
struct dx_dict *client_entry(int socket, uint64_t id);
uint64_t client_watch(int socket, uint64_t cookie, const char *kind, const char *name);
int32_t client_interest(int socket, uint64_t cookie, const char *kind, uint64_t id);
/* IOServiceOpen: the status; *ret_fd on success. */
int32_t client_open(int socket, uint64_t id, int *ret_fd);
int32_t client_text(int socket, uint16_t type, const char *text, char *ret_text, size_t size);
/* +1 dictionary { key: text }. */
struct dx_dict *dict_with(const char *key, const char *text);

#endif
