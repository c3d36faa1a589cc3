/* SPDX-License-Identifier: MIT
 *
 * broken - shared objects that are no good drivers: BROKEN_UNRESOLVED needs a symbol that nobody has,
 * BROKEN_NO_CLASSES exports nothing, BROKEN_CRASHING dies in Start.
 */
#if defined(BROKEN_UNRESOLVED)

extern int opendext_no_such_function(void);
int broken_entry(void);

int broken_entry(void)
{
	return opendext_no_such_function();
}

#elif defined(BROKEN_NO_CLASSES)

int broken_entry(void);

int broken_entry(void)
{
	return 0;
}

#else

#include <opendext/driver.h>
#include <stdlib.h>

static kern_return_t crash(IOService *self, IOService *provider)
{
	(void)self;
	(void)provider;
	abort();
}

static const OSDriverClass CrashingClass = {
	.name = "Crashing",
	.super = &IOServiceClass,
	.Start = crash,
};

const OSDriverClass *const OpenDextDriverClasses[] = {&CrashingClass, NULL};

#endif
