/* SPDX-License-Identifier: MIT
 *
 * build_current - which compilations of a build need not be done again.
 *
 * Place:      tools; `dext build`. Beside OBJECT lie OBJECT.d, the files that it was made from, as
 *             the compiler writes them, and OBJECT.command, the command line.
 * Invariants:
 *   U1  an object is current when the command is the same and it is younger than every file that it
 *       was made from. What cannot be read or understood makes it old.
 */
#ifndef DX_TOOLS_BUILD_CURRENT_H
#define DX_TOOLS_BUILD_CURRENT_H

#include <stdbool.h>

#include "words.h"

/* argv: the command; object: what it makes. */
bool dx_build_is_current(const struct dx_words *argv, const char *object);
/* After the command has succeeded. Failing to write only costs time later. */
void dx_build_note_command(const struct dx_words *argv, const char *object);

#endif
