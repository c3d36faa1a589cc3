/* SPDX-License-Identifier: MIT
 *
 * list - intrusive doubly linked list.
 *
 * Place:      base.
 * Invariants:
 *   L1  a node is in at most one list; a node outside a list points at itself.
 * Threads:    none; the lock of whoever owns the head.
 */
#ifndef DX_BASE_LIST_H
#define DX_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct dx_list {
	struct dx_list *next;
	struct dx_list *prev;
};

#define DX_LIST_INIT(head) {&(head), &(head)}

static inline void dx_list_init(struct dx_list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool dx_list_is_empty(const struct dx_list *head)
{
	return head->next == head;
}

static inline void dx_list_insert_(struct dx_list *node, struct dx_list *prev, struct dx_list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void dx_list_push_back(struct dx_list *head, struct dx_list *node)
{
	dx_list_insert_(node, head->prev, head);
}

static inline void dx_list_push_front(struct dx_list *head, struct dx_list *node)
{
	dx_list_insert_(node, head, head->next);
}

/* Also right for a node that is in no list. */
static inline void dx_list_remove(struct dx_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	dx_list_init(node);
}

/* The first node, taken out, or NULL. */
static inline struct dx_list *dx_list_pop_front(struct dx_list *head)
{
	struct dx_list *node = head->next;

	if (node == head) {
		return NULL;
	}
	dx_list_remove(node);
	return node;
}

/* Moves everything from one head to the end of another. */
static inline void dx_list_splice_back(struct dx_list *to, struct dx_list *from)
{
	if (dx_list_is_empty(from)) {
		return;
	}
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	dx_list_init(from);
}

#define dx_list_entry(node, type, member) dx_container_of(node, type, member)

#define dx_list_for_each(node, head) \
	for (struct dx_list *node = (head)->next; node != (head); node = node->next)

/* The body may remove the current node, and only that one. */
#define dx_list_for_each_safe(node, head)                                            \
	for (struct dx_list *node = (head)->next, *node##_next_ = node->next;        \
	     node != (head); node = node##_next_, node##_next_ = node##_next_->next)

#endif
