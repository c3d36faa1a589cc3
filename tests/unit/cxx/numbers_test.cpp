/* SPDX-License-Identifier: MIT
 *
 * numbers_test - constants of the driver interface, and the small helpers that have no class.
 */
#include "harness.h"

TEST(memory_options_have_their_numbers)
{
	CHECK_EQ(kIOMemoryDirectionNone, 0);
	CHECK_EQ(kIOMemoryDirectionIn, 1);
	CHECK_EQ(kIOMemoryDirectionOut, 2);
	CHECK_EQ(kIOMemoryDirectionOutIn, 3);
	CHECK_EQ(kIOMemoryDirectionInOut, 3);
	CHECK_EQ(kIOMemoryMapFixedAddress, 1);
	CHECK_EQ(kIOMemoryMapReadOnly, 2);
	CHECK_EQ(kIOMemoryMapCacheModeDefault, 0);
	CHECK_EQ(kIOMemoryMapCacheModeInhibit, 0x100);
}

TEST(command_options_have_their_numbers)
{
	CHECK_EQ(kIODMACommandCreateNoOptions, 0);
	CHECK_EQ(kIODMACommandPrepareForDMANoOptions, 0);
	CHECK_EQ(kIODMACommandCompleteDMANoOptions, 0);
	CHECK_EQ(kIODMACommandSpecificationNoOptions, 0);
}

TEST(timer_clocks_have_their_numbers)
{
	CHECK_EQ(kIOTimerClockUptimeRaw, 0x88);
	CHECK_EQ(kIOTimerClockMonotonicRaw, 0x84);
	CHECK_EQ(kIOTimerClockRealTime, 0x80);
	CHECK_EQ(kIOTimerClockMachAbsoluteTime, 0xC8);
	CHECK_EQ(kIOTimerClockMachContinuousTime, 0xC4);
}

TEST(iolib_zeroes_what_is_asked_for)
{
	unsigned char *bytes = static_cast<unsigned char *>(IOMallocZero(4096));

	CHECK(bytes != nullptr);
	for (int i = 0; i < 4096; i++)
		CHECK_EQ(bytes[i], 0);
	IOFree(bytes, 4096);
}

TEST(log_takes_every_level)
{
	os_log_error(OS_LOG_DEFAULT, "error %{public}s", "text");
	os_log_debug(OS_LOG_DEFAULT, "debug %d", 1);
	os_log_info(OS_LOG_DEFAULT, "info");
	os_log_fault(OS_LOG_DEFAULT, "fault %{private}s", "text");
}
