/* SPDX-License-Identifier: MIT
 *
 * crash - what a driver's process says last: which method of the driver, and the stack.
 *
 * Place:   host, program only: signal handlers belong to the process.
 * Format:  NAME: crashed with SIGSEGV at 0x... in Class::Method
 *          NAME: the stack, N calls, the innermost first:
 *              #0 PATH+0xOFFSET
 *          Offsets are those of the file, so that `addr2line -e PATH` knows them; of a caller it is
 *          that of the call itself. The process only finds these numbers; names and lines are
 *          found outside, by dext-stack.
 * Signals: SIGQUIT asks for the same of every thread that is in the driver's code, and ends the
 *          process. The broker sends it to a host whose driver does not return.
 */
#ifndef DX_HOST_CRASH_H
#define DX_HOST_CRASH_H

/* name: before the lines; borrowed for ever. Does nothing in sanitizer builds, which say more. */
void dx_crash_install(const char *name);

#endif
