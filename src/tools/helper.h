/* SPDX-License-Identifier: MIT
 *
 * helper - the command line of programs that other programs start.
 *
 * Place:   tools; dext-stack and dext-demo-app.
 */
#ifndef DX_TOOLS_HELPER_H
#define DX_TOOLS_HELPER_H

/*
 * Answers --help and --version, and complains about every other argument.
 * @param help  whole lines, the first of them the usage.
 * @return the exit status of the program.
 */
int dx_helper_answer(const char *name, const char *help, const char *argument);

#endif
