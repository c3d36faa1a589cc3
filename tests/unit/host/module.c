/* SPDX-License-Identifier: MIT
 *
 * module - shared objects for loader_test: MODULE_UNRESOLVED needs a symbol that nobody has,
 * MODULE_EMPTY exports nothing, MODULE_GOOD is a driver without classes.
 */
#if defined(MODULE_UNRESOLVED)

extern int opendext_no_such_function(void);
int module_entry(void);

int module_entry(void)
{
	return opendext_no_such_function();
}

#elif defined(MODULE_EMPTY)

int module_entry(void);

int module_entry(void)
{
	return 0;
}

#else

#include <opendext/driver.h>

const OSDriverClass *const OpenDextDriverClasses[] = {NULL};

#endif
