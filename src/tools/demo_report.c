/* SPDX-License-Identifier: MIT
 *
 * demo_report - what `dext demo` measured. See demo_report.h.
 */
#include "demo_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "terminal.h"

static double seconds(uint64_t ns)
{
	return (double)(ns == 0 ? 1 : ns) / 1e9;
}

static double megabytes_per_second(const struct dx_demo_pass *pass)
{
	return (double)pass->bytes / 1e6 / seconds(pass->wall_ns);
}

static double per_buffer(uint64_t count, const struct dx_demo_pass *pass)
{
	return pass->buffers == 0 ? 0 : (double)count / (double)pass->buffers;
}

static bool hashes_agree(const struct dx_demo_report *report)
{
	return memcmp(report->result.hash_out, report->result.hash_in, DX_DEMO_HASH_BYTES) == 0;
}

static bool all_shared(const struct dx_demo_report *report)
{
	return report->proof_error == 0 && report->proof.nr_shared == report->proof.nr_buffers;
}

uint64_t dx_report_copied(const struct dx_demo_pass *pass)
{
	return pass->copied_bytes > pass->argument_bytes ? pass->copied_bytes - pass->argument_bytes
							 : 0;
}

const char *dx_report_fault(const struct dx_demo_report *report)
{
	if (!hashes_agree(report)) {
		return "what came back is not what was sent: the hashes differ";
	}
	if (!all_shared(report)) {
		return "not every buffer was seen to be shared by application and driver";
	}
	if (dx_report_copied(&report->result.verify) > 0 ||
	    dx_report_copied(&report->result.move) > 0) {
		return "bytes of buffers were copied between application and driver";
	}
	return NULL;
}

static void hex(const uint8_t *hash, char *buffer)
{
	for (unsigned i = 0; i < DX_DEMO_HASH_BYTES; i++) {
		(void)snprintf(buffer + 2 * i, 3, "%02x", hash[i]);
	}
}

static void print_duration(const char *label, uint64_t ns)
{
	if (ns < 10000) {
		(void)printf("%s %" PRIu64 " ns", label, ns);
	} else {
		(void)printf("%s %.1f us", label, (double)ns / 1e3);
	}
}

static void print_pair(const char *label, uint64_t p50_ns, uint64_t p99_ns, const char *remark)
{
	(void)printf("  %-20s", label);
	print_duration("p50", p50_ns);
	print_duration(", p99", p99_ns);
	(void)printf("%s\n", remark);
}

static void print_hashes(const struct dx_demo_report *report)
{
	char text[2 * DX_DEMO_HASH_BYTES + 1];
	enum dx_style style = hashes_agree(report) ? DX_STYLE_GOOD : DX_STYLE_BAD;

	hex(report->result.hash_out, text);
	(void)printf("  SHA-256 sent        %s\n", text);
	hex(report->result.hash_in, text);
	(void)printf("  SHA-256 received    %s  %s%s%s\n", text, dx_terminal_style(stdout, style),
		     hashes_agree(report) ? "the same" : "DIFFERENT",
		     dx_terminal_style(stdout, DX_STYLE_PLAIN));
}

static void print_sharing(const struct dx_demo_report *report, bool verbose)
{
	const struct dx_demo_pass *pass = &report->result.move;

	(void)printf("  bytes copied        %" PRIu64 " of %" PRIu64
		     " between application and driver (beside them %" PRIu64
		     " bytes of call arguments)\n",
		     dx_report_copied(pass) + dx_report_copied(&report->result.verify),
		     pass->bytes + report->result.verify.bytes, pass->argument_bytes);
	if (report->proof_error != 0) {
		(void)printf("  shared pages        /proc/PID/maps: %s\n",
			     strerror(-report->proof_error));
		return;
	}
	(void)printf("  shared pages        %zu of %zu buffers have the same inode in "
		     "/proc/%d/maps and /proc/%d/maps\n",
		     report->proof.nr_shared, report->proof.nr_buffers, (int)report->app,
		     (int)report->driver);
	for (size_t i = 0; verbose && i < report->proof.nr_buffers; i++) {
		const struct dx_proof_buffer *buffer = &report->proof.buffers[i];

		(void)printf("    type %3u: inode %" PRIu64 ", application %#" PRIx64
			     ", driver %#" PRIx64 "\n",
			     buffer->type, buffer->inode, buffer->app_address,
			     buffer->driver_address);
	}
}

static void print_per_buffer(const struct dx_demo_report *report)
{
	const struct dx_demo_pass *move = &report->result.move;

	(void)printf("  per buffer          %.2f calls, %.2f completions\n",
		     per_buffer(move->calls, move), per_buffer(move->notifications, move));
	if (report->counts_error == 0) {
		(void)printf(
			"                      %.3f system calls of the application, %.3f of the "
			"driver (counted by the kernel)\n",
			per_buffer(report->app_system_calls, move),
			per_buffer(report->driver_system_calls, move));
	} else {
		(void)printf(
			"                      %.3f system calls of the application to wake and "
			"wait (counted by libIOKit; the kernel counts only for root: %s)\n",
			per_buffer(move->system_calls, move), strerror(-report->counts_error));
	}
	(void)printf("                      %.3f context switches of the application, %.3f of the "
		     "driver\n",
		     per_buffer(report->app_switches, move),
		     per_buffer(report->driver_switches, move));
}

void dx_report_print(const struct dx_demo_report *report, bool verbose)
{
	const struct dx_demo_pass *verify = &report->result.verify;
	const struct dx_demo_pass *move = &report->result.move;
	char remark[96];

	(void)printf("%sFirst pass%s: %s, hashed before and after\n",
		     dx_terminal_style(stdout, DX_STYLE_BOLD),
		     dx_terminal_style(stdout, DX_STYLE_PLAIN), report->file);
	(void)printf("  moved               %" PRIu64 " bytes in %.3f s: %.0f MB/s out and back"
		     " (%.0f %% of the time is hashing)\n",
		     verify->bytes, seconds(verify->wall_ns), megabytes_per_second(verify),
		     100.0 * (double)report->result.hash_ns / (double)verify->wall_ns);
	print_hashes(report);
	(void)printf("%sSecond pass%s: the same buffers, the application does not touch them\n",
		     dx_terminal_style(stdout, DX_STYLE_BOLD),
		     dx_terminal_style(stdout, DX_STYLE_PLAIN));
	(void)printf("  moved               %" PRIu64 " bytes in %.3f s: %.0f MB/s out and back,"
		     " %.0f buffers/s\n",
		     move->bytes, seconds(move->wall_ns), megabytes_per_second(move),
		     (double)move->buffers / seconds(move->wall_ns));
	(void)snprintf(remark, sizeof(remark), " (%u x %u bytes in flight each way)", report->depth,
		       report->size);
	print_pair("buffer round trip", move->round_trip_p50_ns, move->round_trip_p99_ns, remark);
	print_pair("scalar call", report->result.call_p50_ns, report->result.call_p99_ns, "");
	print_sharing(report, verbose);
	print_per_buffer(report);
}

static void print_pass_json(const char *name, const struct dx_demo_pass *pass)
{
	(void)printf("  \"%s\": {\n    \"bytes\": %" PRIu64 ",\n    \"buffers\": %" PRIu64
		     ",\n    \"seconds\": %.9f,\n    \"megabytes_per_second\": %.1f,\n"
		     "    \"buffers_per_second\": %.1f,\n",
		     name, pass->bytes, pass->buffers, seconds(pass->wall_ns),
		     megabytes_per_second(pass), (double)pass->buffers / seconds(pass->wall_ns));
	(void)printf("    \"round_trip_p50_ns\": %" PRIu64 ",\n    \"round_trip_p99_ns\": %" PRIu64
		     ",\n    \"calls\": %" PRIu64 ",\n    \"completions\": %" PRIu64
		     ",\n    \"wake_and_wait_calls_per_buffer\": %.6f,\n",
		     pass->round_trip_p50_ns, pass->round_trip_p99_ns, pass->calls,
		     pass->notifications, per_buffer(pass->system_calls, pass));
	(void)printf("    \"argument_bytes\": %" PRIu64 ",\n    \"copied_bytes\": %" PRIu64
		     "\n  },\n",
		     pass->argument_bytes, dx_report_copied(pass));
}

static void print_proof_json(const struct dx_demo_report *report)
{
	(void)printf("  \"shared_buffers\": %zu,\n  \"all_buffers\": %zu,\n  \"buffers\": [",
		     report->proof.nr_shared, report->proof.nr_buffers);
	for (size_t i = 0; i < report->proof.nr_buffers; i++) {
		const struct dx_proof_buffer *buffer = &report->proof.buffers[i];

		(void)printf("%s\n    {\"type\": %u, \"inode\": %" PRIu64
			     ", \"application_address\": %" PRIu64 ", \"driver_address\": %" PRIu64
			     "}",
			     i == 0 ? "" : ",", buffer->type, buffer->inode, buffer->app_address,
			     buffer->driver_address);
	}
	(void)printf("\n  ]\n");
}

void dx_report_print_json(const struct dx_demo_report *report)
{
	char sent[2 * DX_DEMO_HASH_BYTES + 1];
	char received[2 * DX_DEMO_HASH_BYTES + 1];

	hex(report->result.hash_out, sent);
	hex(report->result.hash_in, received);
	(void)printf("{\n  \"file\": ");
	dx_json_print_string(stdout, report->file);
	(void)printf(",\n  \"device\": ");
	dx_json_print_string(stdout, report->device);
	(void)printf(",\n  \"buffers_each_way\": %u,\n  \"buffer_bytes\": %u,\n  \"depth\": %u,\n",
		     report->nr_buffers, report->size, report->depth);
	(void)printf("  \"application_pid\": %d,\n  \"driver_pid\": %d,\n", (int)report->app,
		     (int)report->driver);
	(void)printf("  \"sha256_sent\": \"%s\",\n  \"sha256_received\": \"%s\",\n"
		     "  \"hashes_agree\": %s,\n",
		     sent, received, hashes_agree(report) ? "true" : "false");
	print_pass_json("verify", &report->result.verify);
	print_pass_json("move", &report->result.move);
	(void)printf("  \"hash_ns\": %" PRIu64 ",\n  \"call_p50_ns\": %" PRIu64
		     ",\n  \"call_p99_ns\": %" PRIu64 ",\n  \"measured_calls\": %" PRIu64 ",\n",
		     report->result.hash_ns, report->result.call_p50_ns, report->result.call_p99_ns,
		     report->result.nr_calls);
	if (report->counts_error == 0) {
		(void)printf("  \"application_system_calls_per_buffer\": %.6f,\n"
			     "  \"driver_system_calls_per_buffer\": %.6f,\n",
			     per_buffer(report->app_system_calls, &report->result.move),
			     per_buffer(report->driver_system_calls, &report->result.move));
	}
	(void)printf("  \"application_context_switches_per_buffer\": %.6f,\n"
		     "  \"driver_context_switches_per_buffer\": %.6f,\n",
		     per_buffer(report->app_switches, &report->result.move),
		     per_buffer(report->driver_switches, &report->result.move));
	print_proof_json(report);
	(void)printf("}\n");
}
