/* SPDX-License-Identifier: MIT
 *
 * program - the executable dext-host; see main.c.
 *
 * Place:   host.
 */
#include "base/sanitizer.h"
#include "host/main.h"

#if DX_ADDRESS_SANITIZER
/*
 * LeakSanitizer stops the threads of its process through ptrace and /proc, which a confined host
 * may not use; it would end every host with an error. Leaks of a host are looked for where it runs
 * unconfined, in a thread of a test.
 */
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	return OpenDextHostMain(argc, argv);
}
