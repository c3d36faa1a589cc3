/* SPDX-License-Identifier: MIT
 *
 * loader - see loader.h.
 *
 * Place:   host.
 */
#include "host/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* dlerror() begins with the path or the bare name; say the path exactly once. */
static void explain(const char *executable, char *message, size_t size)
{
	const char *error = dlerror();
	size_t length = strlen(executable);

	if (error == NULL) {
		error = "unknown error";
	}
	if (strncmp(error, executable, length) == 0 && error[length] == ':') {
		error += length + 1 + (error[length + 1] == ' ' ? 1 : 0);
	}
	(void)snprintf(message, size, "%s: cannot load the driver: %s", executable, error);
}

int dx_loader_load(const char *executable, const OSDriverClass *const **ret_classes, char *message,
		   size_t message_size)
{
	/* Everything is bound now: a missing symbol must not come up in the middle of a transfer.
	 */
	void *library = dlopen(executable, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		explain(executable, message, message_size);
		return -ENOEXEC;
	}
	void *symbol = dlsym(library, DX_LOADER_SYMBOL);
	if (symbol == NULL) {
		(void)snprintf(
			message, message_size,
			"%s: missing symbol %s: a driver exports its NULL-terminated list of "
			"classes under this name",
			executable, DX_LOADER_SYMBOL);
		(void)dlclose(library);
		return -ENOEXEC;
	}
	*ret_classes = symbol;
	return 0;
}
