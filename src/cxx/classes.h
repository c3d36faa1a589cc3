/* SPDX-License-Identifier: MIT
 *
 * classes - the driver's C++ classes as class tables of the core.
 *
 * Place:      cxx. Registered while the shared object is loaded; the host finds the tables under
 *             OpenDextDriverClasses, which this library exports for the driver that links it.
 */
#ifndef DX_CXX_CLASSES_H
#define DX_CXX_CLASSES_H

#include "cxx/core.h"

namespace dx {

/* The entry of the nearest class that declares or overrides a remote method; NULL for a method that
 * the runtime alone implements. */
const OSMethodInformation *find_method(const OSClassLoadInformation *information, uint64_t msgid);
/* The name of the method's queue, NULL: the default queue. */
const char *find_queue_name(const OSClassLoadInformation *information, uint64_t msgid);
/* True for classes of this library. */
bool is_runtime_class(const OSClassLoadInformation *information);
/* A registered class by name; NULL. */
const OSMetaClass *find_class(const char *name);

} // namespace dx

#endif
