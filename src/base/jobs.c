/* SPDX-License-Identifier: MIT
 *
 * jobs - threads for what blocks; see jobs.h.
 *
 * Place:      base.
 *             The state is shared with the threads and counted, so that one that comes back after the
 *             owner has gone (O4) still finds it.
 */
#include "base/jobs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/helper.h"
#include "base/list.h"
#include "base/mutex.h"

#define NS_PER_MS   1000000ull
#define STACK_BYTES (512u * 1024u)

struct dx_jobs {
	struct dx_loop_source *source; /* the loop's thread only */
	int event_fd;

	struct dx_mutex lock; /* order 30; guards what follows */
	struct dx_cond quiet; /* the loop's side is the only owner */
	unsigned nr_owners DX_GUARDED_BY(lock);  /* the loop's side, and each thread */
	unsigned nr_threads DX_GUARDED_BY(lock);
	bool abandoned DX_GUARDED_BY(lock);      /* the loop's side has gone */
	struct dx_list waiting DX_GUARDED_BY(lock);
	struct dx_list working DX_GUARDED_BY(lock);
	struct dx_list finished DX_GUARDED_BY(lock);
};

struct dx_job {
	struct dx_list node; /* of one of the lists; under their lock */
	struct dx_jobs *jobs;
	const struct dx_job_ops *ops;
	void *data;
	void *context;
	bool forgotten; /* the loop's thread only */
};

static void job_free(struct dx_job *job)
{
	job->ops->release(job->data);
	free(job);
}

static void free_all(struct dx_list *list)
{
	struct dx_list *node = dx_list_pop_front(list);

	for (; node != NULL; node = dx_list_pop_front(list)) {
		job_free(dx_list_entry(node, struct dx_job, node));
	}
}

/* The last one turns off the light; that is the loop's side, unless it did not want to wait. */
static void give_up_share(struct dx_jobs *jobs)
{
	bool last = false;

	dx_mutex_lock(&jobs->lock);
	last = --jobs->nr_owners == 0;
	if (jobs->nr_owners == 1) {
		dx_cond_broadcast(&jobs->quiet);
	}
	dx_mutex_unlock(&jobs->lock);
	if (last) {
		dx_fd_close(&jobs->event_fd);
		dx_cond_fini(&jobs->quiet);
		dx_mutex_fini(&jobs->lock);
		free(jobs);
	}
}

/* What the thread does next: NULL, and then it ends. */
static struct dx_job *next_locked(struct dx_jobs *jobs) DX_REQUIRES(jobs->lock)
{
	struct dx_list *node = dx_list_pop_front(&jobs->waiting);

	if (node == NULL) {
		jobs->nr_threads--;
		return NULL;
	}
	dx_list_push_back(&jobs->working, node);
	return dx_list_entry(node, struct dx_job, node);
}

/* The loop gets it, or nobody wants it. */
static struct dx_job *hand_over(struct dx_jobs *jobs, struct dx_job *job)
{
	struct dx_job *next = NULL;
	bool abandoned = false;

	dx_mutex_lock(&jobs->lock);
	abandoned = jobs->abandoned;
	dx_list_remove(&job->node);
	if (!abandoned) {
		dx_list_push_back(&jobs->finished, &job->node);
		/* Cannot block, or fail in a way that matters: a full counter is readable, too. */
		(void)eventfd_write(jobs->event_fd, 1);
	}
	next = next_locked(jobs);
	dx_mutex_unlock(&jobs->lock);
	if (abandoned) {
		job_free(job);
	}
	return next;
}

static void *thread_main(void *argument)
{
	struct dx_jobs *jobs = argument;
	struct dx_job *job = NULL;

	dx_mutex_lock(&jobs->lock);
	job = next_locked(jobs);
	dx_mutex_unlock(&jobs->lock);
	while (job != NULL) {
		job->ops->work(job->data);
		job = hand_over(jobs, job);
	}
	give_up_share(jobs);
	return NULL;
}

static void on_finished(void *context, int fd, uint32_t events)
{
	struct dx_jobs *jobs = context;
	struct dx_list *node = NULL;
	eventfd_t count = 0;

	(void)events;
	(void)eventfd_read(fd, &count); /* before the list is looked at, so that nothing is missed */
	for (;;) {
		struct dx_job *job = NULL;

		dx_mutex_lock(&jobs->lock);
		node = dx_list_pop_front(&jobs->finished);
		dx_mutex_unlock(&jobs->lock);
		if (node == NULL) {
			return;
		}
		job = dx_list_entry(node, struct dx_job, node);
		if (!job->forgotten) {
			job->ops->done(job->context, job->data);
		}
		job_free(job);
	}
}

int dx_jobs_new(struct dx_loop *loop, struct dx_jobs **ret_jobs)
{
	struct dx_jobs *jobs = calloc(1, sizeof(*jobs));
	int r = 0;

	if (jobs == NULL) {
		return -ENOMEM;
	}
	jobs->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (jobs->event_fd < 0) {
		r = -errno;
		free(jobs);
		return r;
	}
	dx_mutex_init(&jobs->lock);
	dx_cond_init(&jobs->quiet);
	jobs->nr_owners = 1;
	dx_list_init(&jobs->waiting);
	dx_list_init(&jobs->working);
	dx_list_init(&jobs->finished);
	r = dx_loop_add_fd(loop, jobs->event_fd, EPOLLIN, on_finished, jobs, &jobs->source);
	if (r < 0) {
		give_up_share(jobs);
		return r;
	}
	*ret_jobs = jobs;
	return 0;
}

static void wait_quiet_locked(struct dx_jobs *jobs, uint64_t deadline_ns) DX_REQUIRES(jobs->lock)
{
	while (jobs->nr_owners > 1 &&
	       dx_cond_wait_until(&jobs->quiet, &jobs->lock, deadline_ns) == 0) {
	}
}

struct dx_jobs *dx_jobs_free(struct dx_jobs *jobs, unsigned wait_ms)
{
	struct dx_list dropped = DX_LIST_INIT(dropped);

	if (jobs == NULL) {
		return NULL;
	}
	jobs->source = dx_loop_source_remove(jobs->source);
	dx_mutex_lock(&jobs->lock);
	jobs->abandoned = true;
	dx_list_splice_back(&dropped, &jobs->waiting);
	dx_list_splice_back(&dropped, &jobs->finished);
	wait_quiet_locked(jobs, dx_clock_now_ns() + wait_ms * NS_PER_MS);
	dx_mutex_unlock(&jobs->lock);
	free_all(&dropped);
	give_up_share(jobs);
	return NULL;
}

/* Puts it in the queue; true when it needs a thread of its own, which is then counted. */
static bool enqueue(struct dx_jobs *jobs, struct dx_job *job)
{
	bool wanted = false;

	dx_mutex_lock(&jobs->lock);
	dx_list_push_back(&jobs->waiting, &job->node);
	wanted = jobs->nr_threads < DX_JOBS_MAX_THREADS;
	if (wanted) {
		jobs->nr_threads++;
		jobs->nr_owners++;
	}
	dx_mutex_unlock(&jobs->lock);
	return wanted;
}

/* The thread that was counted does not come. The job stays if another one will take it, or has. */
static int thread_missing(struct dx_jobs *jobs, struct dx_job *job, int code)
{
	bool taken = false;

	dx_mutex_lock(&jobs->lock);
	jobs->nr_threads--;
	jobs->nr_owners--;
	taken = jobs->nr_threads > 0;
	if (!taken) {
		dx_list_remove(&job->node);
	}
	dx_mutex_unlock(&jobs->lock);
	return taken ? 0 : code;
}

int dx_job_start(struct dx_jobs *jobs, const struct dx_job_ops *ops, void *data, void *context,
		 struct dx_job **ret_job)
{
	struct dx_job *job = calloc(1, sizeof(*job));
	int r = 0;

	if (job == NULL) {
		return -ENOMEM;
	}
	*job = (struct dx_job){.jobs = jobs, .ops = ops, .data = data, .context = context};
	dx_list_init(&job->node);
	if (enqueue(jobs, job)) {
		r = dx_helper_start(thread_main, jobs, STACK_BYTES, NULL);
		if (r < 0) {
			r = thread_missing(jobs, job, r);
		}
	}
	if (r < 0) {
		free(job); /* data stays the caller's */
		return r;
	}
	*ret_job = job;
	return 0;
}

struct dx_job *dx_job_forget(struct dx_job *job)
{
	if (job != NULL) {
		job->forgotten = true;
	}
	return NULL;
}
