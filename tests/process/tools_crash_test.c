/* SPDX-License-Identifier: MIT
 *
 * tools_crash_test - drivers that abort, overrun, hang: what `dext run` says of them, and that
 * everything else goes on.
 */
#include <string.h>

#include "test.h"
#include "tools_support.h"

#define SECONDS 120u /* compilers run here */

static struct tools_program program;

static void run_script(const char *script)
{
	tools_script(&program, SECONDS - 20, script);
}

/* A driver of three lines whose Start does what body says. */
#define MISBEHAVING(body)                                                                     \
	"mkdir Bad && cat >Bad/Info.plist <<'END'\n"                                           \
	"<plist version=\"1.0\"><dict>\n"                                                      \
	"<key>CFBundleIdentifier</key><string>org.bad</string>\n"                              \
	"<key>CFBundleExecutable</key><string>Bad</string>\n"                                  \
	"<key>IOKitPersonalities</key><dict><key>One</key><dict>\n"                            \
	"<key>IOProviderClass</key><string>IOUserResources</string>\n"                         \
	"<key>IOResourceMatch</key><string>IOKit</string>\n"                                   \
	"<key>IOClass</key><string>IOUserService</string>\n"                                   \
	"<key>IOUserClass</key><string>Bad</string>\n"                                         \
	"<key>IOUserServerName</key><string>org.bad</string>\n"                                \
	"</dict></dict></dict></plist>\n"                                                      \
	"END\n"                                                                               \
	"cat >Bad/Bad.iig <<'END'\n"                                                           \
	"#include <DriverKit/IOService.iig>\n"                                                 \
	"class Bad : public IOService {\n"                                                     \
	"public:\n"                                                                           \
	"	virtual kern_return_t Start(IOService *provider) override;\n"                  \
	"};\n"                                                                                \
	"END\n"                                                                               \
	"cat >Bad/Bad.cpp <<'END'\n"                                                           \
	"#include <stdlib.h>\n"                                                                \
	"#include <DriverKit/IOLib.h>\n"                                                       \
	"#include <DriverKit/OSString.h>\n"                                                    \
	"#include \"Bad.h\"\n"                                                                 \
	"kern_return_t IMPL(Bad, Start)\n"                                                     \
	"{\n" body "\n	return Start(provider, SUPERDISPATCH);\n}\n"                          \
	"END\n"

TEST_SECONDS(driver_that_never_returns_from_start_is_ended, SECONDS)
{
	run_script(MISBEHAVING("for (;;) { IOSleep(10); }") "$dext build Bad && "
		   "$dext run Bad.dext -n -t 300ms -- echo goes on");
	tools_check_status(&program, 0);
	tools_check_says(&program, "driver Bad of org.bad on IOUserResources: Start has not "
				   "returned after 300 ms");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(driver_that_aborts_names_class_and_method, SECONDS)
{
	run_script(MISBEHAVING("abort();") "$dext build Bad && "
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	tools_check_says(&program, "org.bad: crashed with SIGABRT in Bad::Start");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(sanitizer_shows_where_a_buffer_overruns, SECONDS)
{
	run_script(MISBEHAVING("*((volatile char *)IOMalloc(16) + 16) = 1;")
		   "$dext build --sanitize address Bad 2>/dev/null || exit 77\n"
		   "$dext run Bad.dext -n -- echo goes on");
	if (program.status == 77) {
		SKIP("no address sanitizer for drivers");
	}
	tools_check_status(&program, 0);
	tools_check_says(&program, "heap-buffer-overflow");
	tools_check_says(&program, "Bad::Start");
}

TEST_SECONDS(sanitizer_shows_a_release_too_many, SECONDS)
{
	run_script(MISBEHAVING("OSString *text = OSString::withCString(\"x\"); text->release(); "
			       "text->release();")
		   "$dext build --sanitize address Bad 2>/dev/null || exit 77\n"
		   "$dext run Bad.dext -n -- echo goes on");
	if (program.status == 77) {
		SKIP("no address sanitizer for drivers");
	}
	tools_check_status(&program, 0);
	tools_check_says(&program, "heap-use-after-free");
	tools_check_says(&program, "Bad::Start");
}
