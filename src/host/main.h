/* SPDX-License-Identifier: MIT
 *
 * main - the one function of libDriverKit that is for the program dext-host, not for drivers.
 *
 * Place:   host.
 */
#ifndef DX_HOST_MAIN_H
#define DX_HOST_MAIN_H

/* @return the exit status of the program. */
__attribute__((visibility("default"))) int OpenDextHostMain(int argc, char **argv);

#endif
