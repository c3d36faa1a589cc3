/* SPDX-License-Identifier: MIT
 *
 * class - how public class tables and the tables of src/base meet.
 *
 * Place:      driver. A class of the runtime has its dx_class in reserved[0]; a class of a driver has
 *             none, and its objects are services that name it (struct dx_service.driver_class).
 * Invariants:
 *   C1  the super chain of a registered driver class ends at IOServiceClass or IOUserClientClass.
 */
#ifndef DX_DRIVER_CLASS_H
#define DX_DRIVER_CLASS_H

#include <opendext/driver.h>

#include "base/object.h"

/* Finds the inherited method; never NULL for methods of the root classes. */
#define DX_METHOD(driver_class, method)                                         \
	__extension__({                                                         \
		const OSDriverClass *dx_class_ = (driver_class);                \
		while (dx_class_->method == NULL && dx_class_->super != NULL) { \
			dx_class_ = dx_class_->super;                           \
		}                                                               \
		dx_class_->method;                                              \
	})

/* True for the runtime's own classes. */
bool dx_class_is_root(const OSDriverClass *driver_class);
bool dx_class_derives(const OSDriverClass *driver_class, const OSDriverClass *from);
/* C1, names, known vtable. NULL, or what is wrong with it. */
const char *dx_class_check(const OSDriverClass *driver_class);
/* Of the list of a driver; NULL when it has no class of that name. */
const OSDriverClass *dx_class_find(const OSDriverClass *const *classes, const char *name);
/* Sum of the instance variables of a class and its supers, each rounded up to 16 bytes. */
size_t dx_class_ivars_total(const OSDriverClass *driver_class);

#endif
