/* SPDX-License-Identifier: MIT
 *
 * lock - a mutex for short sections of the runtime's own; nothing of the driver runs under it.
 */
#ifndef DX_CXX_LOCK_H
#define DX_CXX_LOCK_H

#include <pthread.h>

namespace dx {

/* All zero is an unlocked one, so that objects of the runtime may have it. */
struct Lock {
	pthread_mutex_t mutex;
};

class Guard {
public:
	explicit Guard(Lock &held) : lock(held) { (void)pthread_mutex_lock(&lock.mutex); }
	~Guard() { (void)pthread_mutex_unlock(&lock.mutex); }
	Guard(const Guard &) = delete;
	Guard &operator=(const Guard &) = delete;

private:
	Lock &lock;
};

} // namespace dx

#endif
