/* SPDX-License-Identifier: MIT
 *
 * ioreturn_test - errno and IOReturn.
 */
#include "test.h"

#include <errno.h>

#include "base/ioreturn.h"

TEST(ioreturn_of_errno_values)
{
	CHECK_EQ(dx_ioreturn_from_errno(0), 0);
	CHECK_EQ(dx_ioreturn_from_errno(5), 0);
	CHECK_EQ(dx_ioreturn_from_errno(-EINVAL), (int32_t)0xE00002C2);
	CHECK_EQ(dx_ioreturn_from_errno(-ENOMEM), (int32_t)0xE00002BD);
	CHECK_EQ(dx_ioreturn_from_errno(-EDQUOT), (int32_t)0xE00002BE);
	CHECK_EQ(dx_ioreturn_from_errno(-ETIMEDOUT), (int32_t)0xE00002D6);
	CHECK_EQ(dx_ioreturn_from_errno(-ECONNRESET), (int32_t)0xE00002D7);
	CHECK_EQ(dx_ioreturn_from_errno(-9999), (int32_t)0xE00002BC);
}

TEST(ioreturn_way_back)
{
	CHECK_EQ(dx_ioreturn_to_errno(0), 0);
	CHECK_EQ(dx_ioreturn_to_errno(DX_IORETURN_BAD_ARGUMENT), -EINVAL);
	CHECK_EQ(dx_ioreturn_to_errno(DX_IORETURN_NO_RESOURCES), -ENOBUFS);
	CHECK_EQ(dx_ioreturn_to_errno(DX_IORETURN_ABORTED), -ECANCELED);
	CHECK_EQ(dx_ioreturn_to_errno(DX_IORETURN_ISO_TOO_OLD), -EIO);
	CHECK_EQ(dx_ioreturn_to_errno(12345), -EIO);
}

TEST(ioreturn_round_trip_of_every_errno_is_stable)
{
	for (int error = 1; error < 134; error++) {
		int32_t code = dx_ioreturn_from_errno(-error);
		int back = dx_ioreturn_to_errno(code);

		CHECK(code < 0);
		if (code != DX_IORETURN_ERROR) {
			CHECK_EQ(dx_ioreturn_from_errno(back), code);
		}
	}
}

TEST(ioreturn_names)
{
	CHECK_STR_EQ(dx_ioreturn_name(0), "kIOReturnSuccess");
	CHECK_STR_EQ(dx_ioreturn_name((int32_t)0xE00002F0), "kIOReturnNotFound");
	CHECK_STR_EQ(dx_ioreturn_name((int32_t)0xE0000001), "kIOReturnInvalid");
	CHECK_STR_EQ(dx_ioreturn_name(-308), "MIG_SERVER_DIED");
	CHECK_STR_EQ(dx_ioreturn_name((int32_t)0xE0005000), "kUSBHostReturnPipeStalled");
	CHECK(dx_ioreturn_name((int32_t)0xE00002CB) == NULL);
	CHECK(dx_ioreturn_name(1) == NULL);
}
