/* SPDX-License-Identifier: MIT
 *
 * loader - from a bundle's shared object to its driver classes.
 *
 * Place:   host.
 */
#ifndef DX_HOST_LOADER_H
#define DX_HOST_LOADER_H

#include <opendext/driver.h>

#include <stddef.h>

/* The symbol that every driver exports: const OSDriverClass *const OpenDextDriverClasses[]. */
#define DX_LOADER_SYMBOL "OpenDextDriverClasses"

/*
 * Loads the shared object for the rest of the process's life.
 * @param message  on failure one line that names the file and, where there is one, the symbol.
 * @return 0; -ENOEXEC.
 */
int dx_loader_load(const char *executable, const OSDriverClass *const **ret_classes, char *message,
		   size_t message_size);

#endif
