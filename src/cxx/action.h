/* SPDX-License-Identifier: MIT
 *
 * action - what sources of this library need of actions.
 */
#ifndef DX_CXX_ACTION_H
#define DX_CXX_ACTION_H

#include "cxx/face.h"

namespace dx {

/* True for an action that was made for this callback; NULL gives false. */
bool is_action_for(const OSAction *action, uint64_t msgid);
/* Lets an action without arguments fire, on the queue of its target. */
void fire(OSAction *action);

} // namespace dx

#endif
