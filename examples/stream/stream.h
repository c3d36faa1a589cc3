/* SPDX-License-Identifier: MIT
 *
 * stream.h - what the application and the driver agree on.
 *
 * The driver owns two sets of buffers: the device reads one ("out") and writes the other ("in").
 * The application maps them, fills or reads them in place, and says with two numbers which one goes.
 */
#ifndef STREAM_H
#define STREAM_H

#define STREAM_SERVICE_NAME "Stream" /* the IOUserClass of the driver */
#define STREAM_MAX_BUFFERS  64u	     /* of each set */
#define STREAM_MAX_BYTES    (16u << 20)

/* Memory types of IOConnectMapMemory64(): out buffer n is type n, in buffer n is STREAM_IN + n. */
#define STREAM_IN STREAM_MAX_BUFFERS

enum stream_selector {
	STREAM_CONFIGURE = 0,  /* scalars: buffers of each set, bytes of each buffer; once */
	STREAM_COMPLETION = 1, /* async, no arguments: where the news of transfers goes */
	STREAM_SEND = 2,       /* scalars: n, bytes; out buffer n goes to the device */
	STREAM_RECEIVE = 3,    /* scalars: n, bytes; the device's next bytes go to in buffer n */
	STREAM_NOTHING = 4,    /* no arguments; to measure what a call costs */
	STREAM_NR_SELECTORS
};

/* Arguments of a completion: memory type of the buffer, bytes moved, time (mach_absolute_time). */
enum { STREAM_ARG_BUFFER = 0, STREAM_ARG_BYTES = 1, STREAM_ARG_TIME = 2, STREAM_NR_ARGS };

#endif
