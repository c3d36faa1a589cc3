/* SPDX-License-Identifier: MIT
 *
 * inside - checks that run in the driver; the test reads the text of the first that failed.
 */
#ifndef DX_TESTS_CONTRACT_INSIDE_H
#define DX_TESTS_CONTRACT_INSIDE_H

#include "driver.h"

struct inside {
	OSObject *target; /* the user client */
	struct contract_client *client;
	char failure[512]; /* empty: none so far */
};

#define INSIDE(condition) \
	do { \
		if (!(condition) && inside->failure[0] == '\0') { \
			(void)snprintf(inside->failure, sizeof(inside->failure), "%s:%d: %s", \
				       __FILE__, __LINE__, #condition); \
		} \
	} while (0)

#define INSIDE_EQ(a, b) \
	do { \
		long long inside_a_ = (long long)(a); \
		long long inside_b_ = (long long)(b); \
		if (inside_a_ != inside_b_ && inside->failure[0] == '\0') { \
			(void)snprintf(inside->failure, sizeof(inside->failure), \
				       "%s:%d: %s == %s: %#llx, %#llx", __FILE__, __LINE__, #a, \
				       #b, (unsigned long long)inside_a_, \
				       (unsigned long long)inside_b_); \
		} \
	} while (0)

/* Defines the external method that runs checks(inside). */
#define INSIDE_METHOD(method, checks) \
	METHOD(method) \
	{ \
		struct inside inside = { \
			.target = target, .client = contract_client_of(target)}; \
\
		(void)reference; \
		checks(&inside); \
		return contract_return_text(arguments, inside.failure); \
	}

#endif
