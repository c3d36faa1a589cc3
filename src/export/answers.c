/* SPDX-License-Identifier: MIT
 *
 * answers - what goes out to a client, in order, as the socket takes it.
 *
 * Place:      export.
 */
#include <errno.h>
#include <stdlib.h>

#include "export/private.h"

#define MAX_ANSWERS      1024u
#define MAX_ANSWER_BYTES (4u << 20)

struct dx_export_answer *dx_export_answer_new(struct dx_export_peer *peer, uint32_t command,
					      uint32_t number, int32_t sent_status)
{
	struct dx_export_answer *answer = calloc(1, sizeof(*answer));

	if (answer != NULL) {
		dx_list_init(&answer->link);
		answer->unit.command = command;
		answer->unit.number = number;
		answer->unit.status = sent_status;
		answer->cost = sizeof(*answer);
		peer->bytes += answer->cost;
	}
	return answer;
}

void dx_export_answer_free(struct dx_export_peer *peer, struct dx_export_answer *answer)
{
	if (answer == NULL) {
		return;
	}
	if (answer->request != NULL) {
		dx_export_request_free(answer->request);
		return;
	}
	dx_list_remove(&answer->link);
	peer->bytes -= answer->cost;
	free(answer->packets);
	free(answer);
}

void dx_export_answer_push(struct dx_export_peer *peer, struct dx_export_answer *answer)
{
	dx_list_push_back(&peer->answers, &answer->link);
	peer->nr_answers++;
	peer->answer_bytes += answer->data_length + answer->packets_length;
}

static void drop_first(struct dx_export_peer *peer, struct dx_list *list)
{
	struct dx_list *node = dx_list_pop_front(list);
	struct dx_export_answer *answer = dx_list_entry(node, struct dx_export_answer, link);

	peer->nr_answers--;
	peer->answer_bytes -= answer->data_length + answer->packets_length;
	dx_export_answer_free(peer, answer);
}

void dx_export_answers_drop(struct dx_export_peer *peer)
{
	dx_usbip_writer_clear(&peer->writer);
	while (!dx_list_is_empty(&peer->sending)) {
		drop_first(peer, &peer->sending);
	}
	while (!dx_list_is_empty(&peer->answers)) {
		drop_first(peer, &peer->answers);
	}
	while (!dx_list_is_empty(&peer->early)) { /* removes itself */
		dx_export_answer_free(
			peer, dx_list_entry(peer->early.next, struct dx_export_answer, link));
	}
}

static void gather(struct dx_export_peer *peer)
{
	while (dx_usbip_writer_has_room(&peer->writer)) {
		struct dx_list *node = dx_list_pop_front(&peer->answers);
		struct dx_export_answer *answer = NULL;

		if (node == NULL) {
			return;
		}
		answer = dx_list_entry(node, struct dx_export_answer, link);
		dx_list_push_back(&peer->sending, node);
		dx_usbip_writer_add(&peer->writer, &answer->unit, answer, answer->data,
				    answer->data_length, answer->packets, answer->packets_length);
	}
}

int dx_export_answers_send(struct dx_export_peer *peer)
{
	for (;;) {
		struct dx_usbip_writer *writer = &peer->writer;
		unsigned nr_before = 0;
		int result = 0;

		gather(peer);
		if (dx_usbip_writer_is_empty(writer)) {
			return 0;
		}
		nr_before = writer->nr_sent;
		result = dx_usbip_writer_send(writer, peer->fd);
		if (result < 0) {
			return result == -EAGAIN ? 0 : result;
		}
		for (; nr_before < writer->nr_sent; nr_before++) {
			drop_first(peer, &peer->sending);
		}
		if (writer->nr_sent == writer->nr_units) {
			dx_usbip_writer_clear(writer);
		}
	}
}

bool dx_export_answers_are_too_many(const struct dx_export_peer *peer)
{
	return peer->nr_answers >= MAX_ANSWERS || peer->answer_bytes >= MAX_ANSWER_BYTES;
}
