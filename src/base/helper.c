/* SPDX-License-Identifier: MIT
 *
 * helper - see helper.h.
 */
#include "base/helper.h"

#include <signal.h>

static int prepare(pthread_attr_t *attributes, size_t stack_bytes, int state)
{
	int error = pthread_attr_setdetachstate(attributes, state);

	if (error == 0 && stack_bytes != 0) {
		error = pthread_attr_setstacksize(attributes, stack_bytes);
	}
	return error;
}

int dx_helper_start(void *(*main)(void *argument), void *argument, size_t stack_bytes,
		    pthread_t *ret_thread)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int error = pthread_attr_init(&attributes);

	if (error != 0) {
		return -error;
	}
	error = prepare(&attributes, stack_bytes,
			ret_thread == NULL ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
	if (error == 0) {
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &before);
		error = pthread_create(&thread, &attributes, main, argument);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	(void)pthread_attr_destroy(&attributes);
	if (error == 0 && ret_thread != NULL) {
		*ret_thread = thread;
	}
	return -error;
}
