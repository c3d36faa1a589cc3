/* SPDX-License-Identifier: MIT
 *
 * fixture - a driver runtime in this process, and the application's end of its connections.
 */
#ifndef DX_TESTS_DRIVER_FIXTURE_H
#define DX_TESTS_DRIVER_FIXTURE_H

#include <opendext/driver.h>

#include <stdatomic.h>

#include "channel/channel.h"
#include "driver/reactor.h"
#include "driver/runtime.h"
#include "test.h"
#include "wire/call.h"
#include "wire/link.h"

#define FIXTURE_SERVICE_ID  10u
#define FIXTURE_PROVIDER_ID 5u
#define FIXTURE_FIRST_ID    1000u

/* What the runtime reported. */
struct reports {
	_Atomic unsigned registered, renamed, properties_set, property_removed, entry_added,
		entry_removed, terminate_wanted, device_lost, configured,
		busy_adjusted;
	_Atomic uint64_t last_id;
	_Atomic unsigned watch_wanted, watch_ended;
};

struct fixture {
	struct dx_runtime *runtime;
	struct reports reports;
	struct dx_dict *properties; /* of the service: two user client descriptions */
};

/* An application's connection. */
struct app {
	struct dx_channel_app *channel;
	int socket;
	uint64_t id;
	uint32_t last_seq;
};

/* Filled in by the done functions of the runtime. */
struct outcome {
	_Atomic bool done;
	_Atomic int32_t status;
	_Atomic uint64_t id;
};

void fixture_init(struct fixture *fixture, const OSDriverClass *const *classes);
void fixture_fini(struct fixture *fixture);
/* Starts a service of that class. spec NULL: IOUserResources; provider_class e.g. IOUSBHostDevice. */
kern_return_t fixture_start(struct fixture *fixture, const char *class_name,
			    const char *provider_class, const char *spec);
kern_return_t fixture_terminate(struct fixture *fixture);
/* Opens a user client. The app is usable when the result is 0. */
kern_return_t fixture_open(struct fixture *fixture, uint32_t type, struct app *app);
/* For a service: a client of its first description, whatever the type. */
kern_return_t fixture_new_user_client(IOService *self, uint32_t type, IOUserClient **client);
/* A service of the class TestService, and an application that has opened it. */
void fixture_begin(struct fixture *fixture, const OSDriverClass *const *classes, struct app *app);
void fixture_end(struct fixture *fixture, struct app *app);
/* Waits until the runtime has freed its objects of that connection. */
void app_close(struct app *app);
kern_return_t app_call(struct app *app, uint64_t selector, const uint64_t *in, uint32_t nr_in,
		       uint64_t *out, uint32_t *nr_out);
/* Sends a request on the socket and waits for its reply; the caller finishes *reply. */
int32_t app_request(struct app *app, uint16_t type, const void *body, size_t length,
		    struct dx_wire_message_in *reply);
/* The next completion; waits at most two seconds. */
bool app_next(struct app *app, struct dx_channel_note *note);

void outcome_done(void *context, IOReturn status, uint64_t id);
/* False after two seconds. */
bool outcome_wait(struct outcome *outcome);
bool wait_counter(_Atomic unsigned *counter, unsigned value);
bool wait_flag(_Atomic bool *flag);

#endif
