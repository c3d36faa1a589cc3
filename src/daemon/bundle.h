/* SPDX-License-Identifier: MIT
 *
 * bundle - a driver on disk: Name.dext/ with Info.plist and an ELF shared object.
 *
 * Place:      daemon. Reads and checks; nothing of it is executed here.
 *             Layouts: flat (Name.dext/Info.plist, Name.dext/Name) or with Contents/
 *             (Contents/Info.plist, Contents/MacOS/Name or Contents/Name).
 * Invariants:
 *   B1  a struct dx_bundle is complete: identifier, executable (an ELF shared object for this
 *       machine's word size) and at least one personality with its class, server and provider.
 *   B2  every refusal is one line: file, then key or line in the file, then what is wrong.
 * Trust:      the bundle is the user's, its contents are bounded and checked all the same.
 * Threads:    any.
 */
#ifndef DX_DAEMON_BUNDLE_H
#define DX_DAEMON_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/value.h"

#define DX_BUNDLE_MAX_PERSONALITIES 256u
#define DX_BUNDLE_MESSAGE_BYTES     1024u

struct dx_personality {
	struct dx_bundle *bundle;
	char *name;                 /* its key in IOKitPersonalities */
	const struct dx_dict *dict; /* borrowed from the bundle's info */
	const char *user_class;     /* IOUserClass */
	const char *kernel_class;   /* IOClass, or IOUserService */
	const char *server;         /* IOUserServerName */
	const char *category;       /* IOMatchCategory, or IODefaultMatchCategory */
	bool one_process;           /* IOUserServerOneProcess */
};

struct dx_bundle {
	struct dx_list node; /* of whoever keeps it */
	struct dx_dict *info;
	char *path;       /* absolute, of Name.dext */
	char *executable; /* absolute */
	const char *identifier;
	struct dx_personality *personalities;
	size_t nr_personalities;
	unsigned nr_drivers; /* that run or start from it; kept by drivers.c */
	bool unloading;
};

/*
 * Reads the bundle at path.
 * @param message  one line (B2) when it fails; "" otherwise.
 * @return 0; -ENOENT, -ENOTDIR, -EACCES as the files say; -EPROTO for what is in them; -ENOMEM.
 */
int dx_bundle_load(const char *path, char *message, size_t message_size,
		   struct dx_bundle **ret_bundle);
struct dx_bundle *dx_bundle_free(struct dx_bundle *bundle);

/* Whether path looks like one bundle (its name ends in .dext, or it has an Info.plist) and not like
 * a directory of bundles. */
bool dx_bundle_is_at(const char *path);

#endif
