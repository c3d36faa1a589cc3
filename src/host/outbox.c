/* SPDX-License-Identifier: MIT
 *
 * outbox - see outbox.h.
 *
 * Place:   host.
 */
#include "host/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/plist.h"

struct outgoing {
	struct dx_list node;
	size_t size; /* what it counts for (B3) */
	struct dx_link_frame frame;
};

static void outgoing_free(struct outgoing *outgoing)
{
	dx_link_frame_fini(&outgoing->frame);
	free(outgoing);
}

static void drop_locked(struct dx_outbox *outbox) DX_REQUIRES(outbox->lock)
{
	struct dx_list *node = dx_list_pop_front(&outbox->frames);

	while (node != NULL) {
		outgoing_free(dx_list_entry(node, struct outgoing, node));
		node = dx_list_pop_front(&outbox->frames);
	}
	outbox->nr_bytes = 0;
}

/* Takes *outgoing over if it is kept. @return 0; -ENOBUFS (B3). */
static int keep_locked(struct dx_outbox *outbox, struct outgoing **outgoing)
	DX_REQUIRES(outbox->lock)
{
	if (!outbox->attached) {
		return 0;
	}
	if ((*outgoing)->size > DX_MAX_OUTBOX_BYTES - outbox->nr_bytes) {
		outbox->attached = false;
		outbox->overflowed = true;
		drop_locked(outbox);
		return -ENOBUFS;
	}
	outbox->nr_bytes += (*outgoing)->size;
	dx_list_push_back(&outbox->frames, &(*outgoing)->node);
	*outgoing = NULL;
	return 0;
}

int dx_outbox_init(struct dx_outbox *outbox)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0) {
		return -errno;
	}
	dx_mutex_init(&outbox->lock);
	dx_mutex_lock(&outbox->lock);
	dx_list_init(&outbox->frames);
	outbox->nr_bytes = 0;
	outbox->attached = false;
	outbox->overflowed = false;
	dx_mutex_unlock(&outbox->lock);
	outbox->wake_fd = fd;
	return 0;
}

void dx_outbox_fini(struct dx_outbox *outbox)
{
	dx_outbox_detach(outbox);
	dx_fd_close(&outbox->wake_fd);
	dx_mutex_fini(&outbox->lock);
}

void dx_outbox_attach(struct dx_outbox *outbox)
{
	dx_mutex_lock(&outbox->lock);
	outbox->attached = true;
	outbox->overflowed = false;
	dx_mutex_unlock(&outbox->lock);
}

void dx_outbox_detach(struct dx_outbox *outbox)
{
	dx_mutex_lock(&outbox->lock);
	outbox->attached = false;
	drop_locked(outbox);
	dx_mutex_unlock(&outbox->lock);
}

void dx_outbox_wake(struct dx_outbox *outbox)
{
	uint64_t one = 1;
	ssize_t written =
		write(outbox->wake_fd, &one, sizeof(one)); /* full: it is readable already */

	(void)written;
}

int dx_outbox_put(struct dx_outbox *outbox, uint16_t type, uint32_t seq, int32_t status,
		  const void *body, size_t body_length, const void *payload, size_t payload_length)
{
	struct outgoing *outgoing = malloc(sizeof(*outgoing));

	if (outgoing == NULL) {
		return -ENOMEM;
	}
	int rc = dx_link_frame_init(&outgoing->frame, type, seq, status, body, body_length, payload,
				    payload_length);
	if (rc < 0) {
		free(outgoing);
		return rc;
	}
	outgoing->size = sizeof(*outgoing) + payload_length;
	dx_mutex_lock(&outbox->lock);
	rc = keep_locked(outbox, &outgoing);
	dx_mutex_unlock(&outbox->lock);
	if (outgoing != NULL) {
		outgoing_free(outgoing);
	}
	dx_outbox_wake(outbox); /* in any case: what was said may have been the last word */
	return rc;
}

int dx_outbox_put_value(struct dx_outbox *outbox, uint16_t type, uint32_t seq, int32_t status,
			const void *body, size_t body_length, const void *value)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	int rc = dx_plist_encode(value, &bytes, &length);

	if (rc < 0) {
		return rc;
	}
	return dx_outbox_put(outbox, type, seq, status, body, body_length, bytes, length);
}

void dx_outbox_quiet(struct dx_outbox *outbox)
{
	uint64_t count = 0;
	ssize_t got = read(outbox->wake_fd, &count, sizeof(count)); /* nothing there is fine */

	(void)got;
}

static int send_first_locked(struct dx_outbox *outbox, int socket) DX_REQUIRES(outbox->lock)
{
	struct outgoing *first = dx_list_entry(outbox->frames.next, struct outgoing, node);
	/* Does not block, so it may happen under the lock. */
	int rc = dx_link_frame_send(&first->frame, socket, NULL, 0, true);

	if (rc == 0) {
		dx_list_remove(&first->node);
		outbox->nr_bytes -= first->size;
		outgoing_free(first);
	}
	return rc;
}

int dx_outbox_send(struct dx_outbox *outbox, int socket)
{
	dx_mutex_lock(&outbox->lock);
	int rc = outbox->overflowed ? -ENOBUFS : 0;
	while (rc == 0 && !dx_list_is_empty(&outbox->frames)) {
		rc = send_first_locked(outbox, socket);
	}
	dx_mutex_unlock(&outbox->lock);
	return rc == 0 ? 1 : rc == -EAGAIN ? 0 : rc;
}

bool dx_outbox_is_empty(struct dx_outbox *outbox)
{
	dx_mutex_lock(&outbox->lock);
	bool is_empty = dx_list_is_empty(&outbox->frames);
	dx_mutex_unlock(&outbox->lock);
	return is_empty;
}
