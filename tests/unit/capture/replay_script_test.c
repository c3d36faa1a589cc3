/* SPDX-License-Identifier: MIT
 *
 * replay_script - hand-made recordings and drivers that do the same, nearly the same, and otherwise.
 */
#include "test.h"

#include <stdlib.h>

#include "backend/replay/script.h"

#define MS 1000000ull

/* bulk OUT 1 and IN 1 of 512 bytes, interrupt IN 2 of 8. */
static const uint8_t configuration[] = {
	9, 2, 39, 0, 1, 1, 0, 0x80, 50,  9, 4, 0, 0, 3, 255, 0, 0, 0, 7, 5, 1, 2, 0, 2, 0,
	7, 5, 0x81, 2, 0, 2, 0, 7, 5, 0x82, 3, 8, 0, 4,
};

struct play {
	struct dx_recorded_transfer transfers[32];
	struct dx_recording recording;
	struct dx_script script;
	uint32_t nr_packets;
};

static struct dx_recorded_transfer *add(struct play *play, uint8_t type, uint8_t endpoint,
					const void *data, uint32_t length)
{
	struct dx_recorded_transfer *recorded = &play->transfers[play->recording.nr_transfers++];

	*recorded = (struct dx_recorded_transfer){
		.type = type,
		.endpoint = endpoint,
		.is_in = endpoint & 0x80,
		.length = length,
		.actual = length,
		.data = data,
		.nr_data = data == NULL ? 0 : length,
		.submitted_at = ++play->nr_packets,
		.submitted_ns = play->nr_packets * MS,
		.completed_at = ++play->nr_packets,
		.completed_ns = play->nr_packets * MS,
	};
	return recorded;
}

/* A read of 512 bytes that has moved none. */
static struct dx_recorded_transfer *add_failed(struct play *play, int32_t status)
{
	struct dx_recorded_transfer *recorded = add(play, DX_USB_BULK, 0x81, NULL, 512);

	recorded->actual = 0;
	recorded->status = status;
	return recorded;
}

static struct dx_recorded_transfer *add_request(struct play *play, uint8_t type, uint8_t request,
						const void *data, uint16_t length)
{
	struct dx_recorded_transfer *recorded = add(play, DX_USB_CONTROL, 0, data, length);

	recorded->is_in = type & 0x80;
	recorded->setup[0] = type;
	recorded->setup[1] = request;
	recorded->setup[6] = (uint8_t)length;
	return recorded;
}

static void begin(struct play *play)
{
	play->recording.transfers = play->transfers;
	play->recording.nr_packets = play->nr_packets;
	play->recording.nr_configurations = 1;
	play->recording.configurations[0] = configuration;
	play->recording.configuration_lengths[0] = sizeof(configuration);
	CHECK_EQ(dx_script_init(&play->script, &play->recording, "x"), 0);
}

static struct dx_usb_transfer transfer_of(uint8_t type, uint8_t endpoint, void *data, uint32_t length)
{
	struct dx_usb_transfer transfer = {
		.type = type, .endpoint = endpoint, .data = data, .length = length};

	dx_list_init(&transfer.link);
	return transfer;
}

static struct dx_usb_transfer *next(struct play *play, uint64_t now_ns)
{
	uint64_t deadline_ns = 0;

	return dx_script_next(&play->script, now_ns, &deadline_ns);
}

/* Submits and expects its end at once. */
static void expect(struct play *play, struct dx_usb_transfer *transfer, int32_t status, uint32_t actual)
{
	CHECK(dx_script_submit(&play->script, transfer, 1));
	CHECK(next(play, 1) == transfer);
	CHECK_EQ(transfer->status, status);
	CHECK_EQ(transfer->actual, actual);
}

TEST(script_gives_what_was_recorded)
{
	struct play play = {.nr_packets = 0};
	uint8_t out[4] = "abc";
	uint8_t in[512] = {0};
	struct dx_usb_transfer first = transfer_of(DX_USB_BULK, 1, out, 3);
	struct dx_usb_transfer second = transfer_of(DX_USB_BULK, 0x81, in, 512);

	(void)add(&play, DX_USB_BULK, 1, "abc", 3);
	add(&play, DX_USB_BULK, 0x81, "answer", 6)->length = 512;
	begin(&play);
	expect(&play, &first, DX_USB_OK, 3);
	expect(&play, &second, DX_USB_OK, 6);
	CHECK_MEM_EQ(in, "answer", 6);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_never_answers_before_the_question)
{
	struct play play = {.nr_packets = 0};
	uint8_t out[4] = "ask";
	uint8_t in[512] = {0};
	struct dx_usb_transfer question = transfer_of(DX_USB_BULK, 1, out, 3);
	struct dx_usb_transfer answer = transfer_of(DX_USB_BULK, 0x81, in, 512);
	uint64_t deadline_ns = 0;

	(void)add(&play, DX_USB_BULK, 1, "ask", 3);
	add(&play, DX_USB_BULK, 0x81, "answer", 6)->length = 512;
	begin(&play);
	CHECK(dx_script_submit(&play.script, &answer, 10));
	CHECK(dx_script_next(&play.script, 10, &deadline_ns) == NULL);
	CHECK_EQ(deadline_ns, 10 + play.script.patience_ns);
	CHECK(dx_script_submit(&play.script, &question, 20));
	CHECK(next(&play, 20) == &question);
	CHECK(next(&play, 20) == &answer);
	CHECK(next(&play, 20) == NULL);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_goes_on_without_what_never_comes)
{
	struct play play = {.nr_packets = 4};
	uint8_t in[512] = {0};
	struct dx_usb_transfer answer = transfer_of(DX_USB_BULK, 0x81, in, 512);
	uint8_t out[4] = "two";
	struct dx_usb_transfer later = transfer_of(DX_USB_BULK, 1, out, 3);

	(void)add(&play, DX_USB_BULK, 1, "one", 3);
	add(&play, DX_USB_BULK, 0x81, "answer", 6)->length = 512;
	(void)add(&play, DX_USB_BULK, 1, "two", 3);
	begin(&play);
	CHECK(dx_script_submit(&play.script, &answer, 0));
	CHECK(next(&play, play.script.patience_ns - 1) == NULL);
	CHECK(next(&play, play.script.patience_ns) == &answer);
	CHECK_EQ(play.script.nr_divergences, 1);
	CHECK_EQ(play.script.first_divergence, 5);
	expect(&play, &later, DX_USB_OK, 3); /* the lane has passed what did not come */
	CHECK_EQ(play.script.nr_divergences, 1);
	dx_script_fini(&play.script);
}

TEST(script_says_at_which_packet_bytes_differ)
{
	struct play play = {.nr_packets = 10};
	uint8_t out[4] = "abX";
	struct dx_usb_transfer transfer = transfer_of(DX_USB_BULK, 1, out, 3);

	(void)add(&play, DX_USB_BULK, 1, "abc", 3);
	begin(&play);
	expect(&play, &transfer, DX_USB_OK, 3);
	CHECK_EQ(play.script.nr_divergences, 1);
	CHECK_EQ(play.script.first_divergence, 11);
	dx_script_fini(&play.script);
}

TEST(script_finds_a_driver_that_leaves_something_out)
{
	struct play play = {.nr_packets = 0};
	uint8_t out[4] = "ccc";
	struct dx_usb_transfer transfer = transfer_of(DX_USB_BULK, 1, out, 3);
	uint8_t more[4] = "ddd";
	struct dx_usb_transfer last = transfer_of(DX_USB_BULK, 1, more, 3);

	(void)add(&play, DX_USB_BULK, 1, "aaa", 3);
	(void)add(&play, DX_USB_BULK, 1, "bbb", 3);
	(void)add(&play, DX_USB_BULK, 1, "ccc", 3);
	(void)add(&play, DX_USB_BULK, 1, "ddd", 3);
	begin(&play);
	expect(&play, &transfer, DX_USB_OK, 3);
	CHECK_EQ(play.script.nr_divergences, 1);
	CHECK_EQ(play.script.first_divergence, 1);
	expect(&play, &last, DX_USB_OK, 3);
	CHECK_EQ(play.script.nr_divergences, 1);
	dx_script_fini(&play.script);
}

TEST(script_sees_a_stream_whatever_the_pieces)
{
	enum { SIZE = 2048 };
	struct play play = {.nr_packets = 0};
	static uint8_t bytes[SIZE];
	static uint8_t received[SIZE];
	struct dx_usb_transfer one = transfer_of(DX_USB_BULK, 1, bytes, 512);
	struct dx_usb_transfer rest = transfer_of(DX_USB_BULK, 1, bytes + 512, SIZE - 512);
	struct dx_usb_transfer in = transfer_of(DX_USB_BULK, 0x81, received, SIZE);

	for (unsigned i = 0; i < SIZE; i++) {
		bytes[i] = (uint8_t)(i * 31 >> 3);
	}
	(void)add(&play, DX_USB_BULK, 1, bytes, 1024); /* recorded in two, sent in 512 and 1536 */
	(void)add(&play, DX_USB_BULK, 1, bytes + 1024, 1024);
	(void)add(&play, DX_USB_BULK, 0x81, bytes, 512);
	(void)add(&play, DX_USB_BULK, 0x81, bytes + 512, 1024);
	add(&play, DX_USB_BULK, 0x81, bytes + 1536, 500)->length = 512; /* short: the end */
	begin(&play);
	expect(&play, &one, DX_USB_OK, 512);
	expect(&play, &rest, DX_USB_OK, SIZE - 512);
	expect(&play, &in, DX_USB_OK, 2036);
	CHECK_MEM_EQ(received, bytes, 2036);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_sees_a_short_packet_where_none_was)
{
	struct play play = {.nr_packets = 0};
	static uint8_t bytes[1024];
	struct dx_usb_transfer transfer = transfer_of(DX_USB_BULK, 1, bytes, 700);

	(void)add(&play, DX_USB_BULK, 1, bytes, 1024);
	begin(&play);
	expect(&play, &transfer, DX_USB_OK, 700);
	CHECK_EQ(play.script.nr_divergences, 1);
	dx_script_fini(&play.script);
}

TEST(script_overruns_a_buffer_that_ends_inside_of_a_packet)
{
	struct play play = {.nr_packets = 0};
	uint8_t in[4] = {0};
	struct dx_usb_transfer transfer = transfer_of(DX_USB_INTERRUPT, 0x82, in, 4);

	(void)add(&play, DX_USB_INTERRUPT, 0x82, "report", 6);
	begin(&play);
	expect(&play, &transfer, DX_USB_OVERRUN, 4);
	CHECK_MEM_EQ(in, "repo", 4);
	CHECK_EQ(play.script.nr_divergences, 1);
	CHECK(dx_script_lane(&play.script, 0x82, DX_USB_INTERRUPT)->halted);
	dx_script_fini(&play.script);
}

TEST(script_halts_after_an_error_until_it_is_cleared)
{
	struct play play = {.nr_packets = 0};
	uint8_t in[512];
	struct dx_usb_transfer first = transfer_of(DX_USB_BULK, 0x81, in, 512);
	struct dx_usb_transfer second = transfer_of(DX_USB_BULK, 0x81, in, 512);

	(void)add_failed(&play, DX_USB_STALLED);
	(void)add(&play, DX_USB_BULK, 0x81, "good", 4);
	begin(&play);
	expect(&play, &first, DX_USB_STALLED, 0);
	CHECK(dx_script_submit(&play.script, &second, 1));
	CHECK(next(&play, 1) == NULL);
	dx_script_lane(&play.script, 0x81, DX_USB_BULK)->halted = false;
	CHECK(next(&play, 1) == &second);
	CHECK_MEM_EQ(in, "good", 4);
	dx_script_fini(&play.script);
}

/* As a controller records it that goes on after an error: four reads under way, all stall. */
TEST(script_plays_a_stall_once_for_all_that_was_queued)
{
	struct play play = {.nr_packets = 0};
	uint8_t in[512];
	struct dx_usb_transfer reads[3];

	for (unsigned i = 0; i < 4; i++) {
		struct dx_recorded_transfer *stalled = add_failed(&play, DX_USB_STALLED);

		stalled->submitted_at = i < 3 ? i + 1 : 7; /* the last one on the halted endpoint */
		stalled->completed_at = i < 3 ? i + 4 : 8;
	}
	(void)add(&play, DX_USB_BULK, 0x81, "good", 4);
	begin(&play);
	for (unsigned i = 0; i < 2; i++) {
		reads[i] = transfer_of(DX_USB_BULK, 0x81, in, 512);
		expect(&play, &reads[i], DX_USB_STALLED, 0);
		dx_script_lane(&play.script, 0x81, DX_USB_BULK)->halted = false;
	}
	reads[2] = transfer_of(DX_USB_BULK, 0x81, in, 512);
	expect(&play, &reads[2], DX_USB_OK, 4);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_fails_an_endpoint_when_the_driver_has_halted_it)
{
	struct play play = {.nr_packets = 0};
	uint8_t in[512];
	struct dx_usb_transfer read = transfer_of(DX_USB_BULK, 0x81, in, 512);
	struct dx_usb_transfer halt = transfer_of(DX_USB_CONTROL, 0, NULL, 0);
	struct dx_recorded_transfer *stalled = add_failed(&play, DX_USB_STALLED);

	add_request(&play, 0x02, 3, NULL, 0)->setup[4] = 0x81; /* SET_FEATURE(ENDPOINT_HALT) */
	stalled->completed_at = ++play.nr_packets;
	begin(&play);
	CHECK(dx_script_submit(&play.script, &read, 1));
	CHECK(next(&play, 1) == NULL);
	halt.setup[0] = 0x02;
	halt.setup[1] = 3;
	halt.setup[4] = 0x81;
	expect(&play, &halt, DX_USB_OK, 0);
	CHECK(next(&play, 1) == &read);
	CHECK_EQ(read.status, DX_USB_STALLED);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_leaves_cancelled_transfers_to_the_driver)
{
	struct play play = {.nr_packets = 0};
	uint8_t bytes[512] = "late";
	struct dx_usb_transfer out = transfer_of(DX_USB_BULK, 1, bytes, 4);
	struct dx_usb_transfer in = transfer_of(DX_USB_BULK, 0x81, bytes, 512);
	struct dx_recorded_transfer *cancelled = NULL;

	(void)add_failed(&play, DX_USB_ABORTED);
	cancelled = add(&play, DX_USB_BULK, 1, "late", 4);
	cancelled->actual = 0;
	cancelled->status = DX_USB_ABORTED;
	(void)add(&play, DX_USB_BULK, 0x81, "data", 4);
	begin(&play);
	CHECK(dx_script_submit(&play.script, &out, 1));
	CHECK(next(&play, UINT64_MAX / 2) == NULL); /* it pends, as it did */
	expect(&play, &in, DX_USB_OK, 4);	    /* the empty read ahead is nothing */
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_answers_standard_requests_whatever_the_order)
{
	struct play play = {.nr_packets = 0};
	uint8_t bytes[64] = {0};
	struct dx_usb_transfer request = transfer_of(DX_USB_CONTROL, 0, bytes, 64);

	add_request(&play, 0x80, 6, "short", 5)->setup[3] = 3;
	add_request(&play, 0x80, 6, "a longer one", 12)->setup[3] = 3;
	begin(&play);
	request.setup[0] = 0x80;
	request.setup[1] = 6;
	request.setup[3] = 3;
	CHECK(!dx_script_submit(&play.script, &request, 1));
	CHECK_EQ(request.status, DX_USB_OK);
	CHECK_EQ(request.actual, 12);
	CHECK_MEM_EQ(bytes, "a longer one", 12);
	request.setup[3] = 99; /* nobody asked for that */
	CHECK(!dx_script_submit(&play.script, &request, 1));
	CHECK_EQ(request.status, DX_USB_STALLED);
	request.setup[1] = 0; /* GET_STATUS */
	request.length = 2;
	CHECK(!dx_script_submit(&play.script, &request, 1));
	CHECK_EQ(request.status, DX_USB_OK);
	CHECK_EQ(request.actual, 2);
	CHECK_EQ(play.script.nr_divergences, 0);
	dx_script_fini(&play.script);
}

TEST(script_takes_other_requests_in_their_order)
{
	struct play play = {.nr_packets = 0};
	uint8_t bytes[8] = {0};
	struct dx_usb_transfer second = transfer_of(DX_USB_CONTROL, 0, bytes, 4);
	struct dx_usb_transfer unknown = transfer_of(DX_USB_CONTROL, 0, bytes, 4);
	struct dx_usb_transfer write = transfer_of(DX_USB_CONTROL, 0, bytes, 2);

	(void)add_request(&play, 0xc0, 1, "one!", 4);
	(void)add_request(&play, 0xc0, 2, "two!", 4);
	(void)add_request(&play, 0x40, 3, "hi", 2);
	begin(&play);
	second.setup[0] = unknown.setup[0] = 0xc0;
	second.setup[1] = 2;
	second.setup[6] = 4;
	expect(&play, &second, DX_USB_OK, 4);
	CHECK_MEM_EQ(bytes, "two!", 4);
	CHECK_EQ(play.script.nr_divergences, 1); /* the first did not come before it */
	unknown.setup[1] = 77;
	CHECK(!dx_script_submit(&play.script, &unknown, 1));
	CHECK_EQ(unknown.status, DX_USB_STALLED);
	CHECK_EQ(play.script.nr_divergences, 2);
	write.setup[0] = 0x40;
	write.setup[1] = 3;
	write.setup[6] = 2;
	memcpy(bytes, "hi", 2);
	expect(&play, &write, DX_USB_OK, 2);
	CHECK_EQ(play.script.nr_divergences, 2);
	dx_script_fini(&play.script);
}

TEST(script_keeps_the_recorded_delays_when_asked_to)
{
	struct play play = {.nr_packets = 0};
	uint8_t in[512];
	struct dx_usb_transfer first = transfer_of(DX_USB_BULK, 0x81, in, 512);
	struct dx_usb_transfer second = transfer_of(DX_USB_BULK, 0x81, in, 512);
	struct dx_recorded_transfer *recorded = add(&play, DX_USB_BULK, 0x81, "a", 1);
	uint64_t deadline_ns = 0;

	recorded->completed_ns = recorded->submitted_ns + 50 * MS;
	recorded = add(&play, DX_USB_BULK, 0x81, "b", 1);
	recorded->submitted_ns = play.transfers[0].submitted_ns; /* both were there from the beginning */
	recorded->completed_ns = play.transfers[0].completed_ns + 20 * MS;
	begin(&play);
	play.script.keeps_time = true;
	CHECK(dx_script_submit(&play.script, &first, 1000 * MS));
	CHECK(dx_script_submit(&play.script, &second, 1000 * MS));
	CHECK(dx_script_next(&play.script, 1000 * MS, &deadline_ns) == NULL);
	CHECK_EQ(deadline_ns, 1050 * MS);
	CHECK(dx_script_next(&play.script, 1050 * MS, &deadline_ns) == &first);
	CHECK(dx_script_next(&play.script, 1050 * MS, &deadline_ns) == NULL);
	CHECK_EQ(deadline_ns, 1070 * MS);
	CHECK(dx_script_next(&play.script, 1070 * MS, &deadline_ns) == &second);
	dx_script_fini(&play.script);
}

TEST(script_plays_isochronous_packets)
{
	struct play play = {.nr_packets = 0};
	struct dx_usb_packet recorded_packets[2] = {
		{.length = 4, .actual = 3}, {.length = 4, .actual = 0, .status = DX_USB_DEVICE_ERROR}};
	struct dx_usb_packet packets[3] = {{.length = 4}, {.length = 4}, {.length = 4}};
	uint8_t bytes[12];
	struct dx_usb_transfer transfer = transfer_of(DX_USB_ISOCHRONOUS, 0x83, bytes, 12);
	struct dx_recorded_transfer *recorded = add(&play, DX_USB_ISOCHRONOUS, 0x83, "abc\0", 4);

	recorded->length = 8;
	recorded->nr_packets = 2;
	recorded->packets = recorded_packets;
	begin(&play);
	transfer.nr_packets = 3;
	transfer.packets = packets;
	expect(&play, &transfer, DX_USB_OK, 3);
	CHECK_MEM_EQ(bytes, "abc", 3);
	CHECK_EQ(packets[0].actual, 3);
	CHECK_EQ(packets[1].status, DX_USB_DEVICE_ERROR);
	CHECK_EQ(packets[2].status, DX_USB_NOT_RESPONDING);
	CHECK_EQ(play.script.nr_divergences, 1); /* three packets instead of two */
	dx_script_fini(&play.script);
}

TEST(script_counts_what_is_sent_behind_the_end)
{
	struct play play = {.nr_packets = 0};
	uint8_t bytes[8] = "more";
	struct dx_usb_transfer out = transfer_of(DX_USB_BULK, 1, bytes, 4);
	struct dx_usb_transfer in = transfer_of(DX_USB_BULK, 0x81, bytes, 8);

	begin(&play);
	CHECK(dx_script_submit(&play.script, &in, 1));
	CHECK(!dx_script_submit(&play.script, &out, 1));
	CHECK_EQ(out.status, DX_USB_OK);
	CHECK_EQ(out.actual, 4);
	CHECK(next(&play, UINT64_MAX / 2) == NULL); /* a read waits for ever */
	CHECK_EQ(play.script.nr_divergences, 1);
	dx_script_fini(&play.script);
}
