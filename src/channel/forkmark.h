/* SPDX-License-Identifier: MIT
 *
 * forkmark - tells a process from its parent without a system call.
 *
 * Place:      channel, application side. A page that the kernel wipes in the child of fork()
 *             (MADV_WIPEONFORK) holds a number that no relative of this process has.
 * Invariants:
 *   K1  a number taken before fork() is never current in the child.
 * Threads:    any.
 */
#ifndef DX_CHANNEL_FORKMARK_H
#define DX_CHANNEL_FORKMARK_H

#include <stdbool.h>
#include <stdint.h>

/* Number of this process, to be kept by what must not be used after fork().
 * @return 0; -ENOMEM. */
int dx_forkmark_take(uint32_t *ret_mark);
/* One load. mark: from a successful dx_forkmark_take(), here or in an ancestor. */
bool dx_forkmark_is_current(uint32_t mark);

#endif
