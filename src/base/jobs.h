/* SPDX-License-Identifier: MIT
 *
 * jobs - what may block for seconds, away from the loop: connecting, asking a real device.
 *
 * Place:      base, over loop; the broker and the USB/IP server have such jobs. A job gets a private
 *             piece of data, works on it in a thread of its own, and the loop hears when it is done.
 * Invariants:
 *   O1  work() touches its data and nothing else of its owner, who stays single-threaded.
 *   O2  done() is called from the loop, once, unless the job was forgotten before; never from inside
 *       dx_job_start().
 *   O3  release() is called once for each job that was started: after done(), or without it.
 *   O4  the owner can end while a job hangs: who is not back after the wait is left alone with what
 *       is its own, and gives it back when it returns.
 * Threads:    the loop's, except work() and, for jobs that were left alone, release().
 */
#ifndef DX_BASE_JOBS_H
#define DX_BASE_JOBS_H

#include "base/loop.h"

#define DX_JOBS_MAX_THREADS 32u /* at work at once; more wait for their turn */

struct dx_jobs;
struct dx_job;

struct dx_job_ops {
	void (*work)(void *data);
	void (*done)(void *context, void *data);
	void (*release)(void *data);
};

/* @return 0; -ENOMEM; -EMFILE. */
int dx_jobs_new(struct dx_loop *loop, struct dx_jobs **ret_jobs);
/* Forgets all jobs and waits up to wait_ms for those at work. NULL is allowed. @return NULL. */
struct dx_jobs *dx_jobs_free(struct dx_jobs *jobs, unsigned wait_ms);

/* Takes data over on success. @return 0; -ENOMEM; -EAGAIN no thread to be had. */
int dx_job_start(struct dx_jobs *jobs, const struct dx_job_ops *ops, void *data, void *context,
		 struct dx_job **ret_job);
/* Its result is not wanted any more: done() will not be called. NULL is allowed. @return NULL. */
struct dx_job *dx_job_forget(struct dx_job *job);

#endif
