/* SPDX-License-Identifier: MIT
 *
 * os/log.h - log lines. They go to the standard error of the process, with the name of the driver or
 * program before them; all levels are shown, nothing is hidden, "%{public}s" is "%s".
 */
#ifndef OPENDEXT_OS_LOG_H
#define OPENDEXT_OS_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <IOKit/IOReturn.h>
#include <IOKit/IOTypes.h>
#include <mach/mach_time.h>

#ifdef __cplusplus
extern "C" {
#endif

#include <opendext/iolib.h>

#ifdef __cplusplus
}
#endif

/*! Every level is on. */
static inline bool os_log_type_enabled(os_log_t log, os_log_type_t type)
{
	(void)log;
	(void)type;
	return true;
}
#define os_log_info_enabled(log)  os_log_type_enabled((log), OS_LOG_TYPE_INFO)
#define os_log_debug_enabled(log) os_log_type_enabled((log), OS_LOG_TYPE_DEBUG)

#endif
