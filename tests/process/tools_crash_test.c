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

/* ./Bad, a driver whose Start does what body says. bad BODY: the same with another body. */
#define MISBEHAVING(body)                                                                     \
	"need_cxx\n"                                                                         \
	"mkdir Bad && cat >Bad/Info.plist <<'END'\n"                                          \
	"<plist version=\"1.0\"><dict>\n"                                                     \
	"<key>CFBundleIdentifier</key><string>org.bad</string>\n"                             \
	"<key>CFBundleExecutable</key><string>Bad</string>\n"                                 \
	"<key>IOKitPersonalities</key><dict><key>One</key><dict>\n"                           \
	"<key>IOProviderClass</key><string>IOUserResources</string>\n"                        \
	"<key>IOResourceMatch</key><string>IOKit</string>\n"                                  \
	"<key>IOClass</key><string>IOUserService</string>\n"                                  \
	"<key>IOUserClass</key><string>Bad</string>\n"                                        \
	"<key>IOUserServerName</key><string>org.bad</string>\n"                               \
	"</dict></dict></dict></plist>\n"                                                     \
	"END\n"                                                                              \
	"cat >Bad/Bad.iig <<'END'\n"                                                          \
	"#include <DriverKit/IOService.iig>\n"                                                \
	"class Bad : public IOService {\n"                                                    \
	"public:\n"                                                                          \
	"	virtual kern_return_t Start(IOService *provider) override;\n"                 \
	"};\n"                                                                               \
	"END\n"                                                                              \
	"bad() {\n"                                                                          \
	"{ cat <<'END'\n"                                                                    \
	"#include <stdlib.h>\n"                                                               \
	"#include <string.h>\n"                                                               \
	"#include <DriverKit/IOLib.h>\n"                                                      \
	"#include <DriverKit/OSString.h>\n"                                                   \
	"#include \"Bad.h\"\n"                                                                \
	"kern_return_t IMPL(Bad, Start)\n"                                                    \
	"{\n"                                                                                \
	"END\n"                                                                              \
	"echo \"$1\"\n"                                                                      \
	"echo 'return Start(provider, SUPERDISPATCH); }'; } >Bad/Bad.cpp\n"                   \
	"}\n"                                                                                \
	"bad '" body "'\n"

static void check_says(const char *part)
{
	tools_check_says(&program, part);
}

TEST_SECONDS(driver_that_never_returns_from_start_is_ended_and_shows_where_it_is, SECONDS)
{
	run_script(MISBEHAVING("for (;;) { IOSleep(10); }") "$dext build Bad && "
		   "$dext run Bad.dext -n -t 300ms -- echo goes on");
	tools_check_status(&program, 0);
	check_says("driver Bad of org.bad on IOUserResources: Start has not returned after 300 ms");
	check_says("org.bad: is in Bad::Start\norg.bad: the stack, ");
	check_says(" Bad::Start_Impl at ");
	check_says("/Bad/Bad.cpp:8\n");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(driver_that_aborts_names_class_and_method_and_line, SECONDS)
{
	run_script(MISBEHAVING("abort();") "$dext build Bad && "
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	check_says("org.bad: crashed with SIGABRT in Bad::Start\norg.bad: the stack, ");
	check_says(" Bad::Start_Impl at ");
	check_says("/Bad/Bad.cpp:8\n");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(driver_that_throws_names_class_and_method_and_line, SECONDS)
{
	run_script(MISBEHAVING("throw 1;") "$dext build Bad 2>&1; $dext build Bad -- -fexceptions && "
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	CHECK(strstr(program.out, "Bad/Bad.cpp:8:1: error: cannot use 'throw'") != NULL);
	check_says("terminate called after throwing an instance of 'int'");
	check_says("org.bad: crashed with SIGABRT in Bad::Start\n");
	check_says(" Bad::Start_Impl at ");
	CHECK(strstr(program.out, "goes on\n") != NULL);
}

TEST_SECONDS(driver_that_overruns_its_stack_names_class_and_method, SECONDS)
{
	run_script(MISBEHAVING("volatile char text[8]; for (int i = 0; i < 64; i++) { "
			       "(&text[0])[i] = 1; }")
		   "$dext build Bad 2>/dev/null && $dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	check_says("*** stack smashing detected ***");
	check_says("org.bad: crashed with SIGABRT in Bad::Start\n");
	check_says(" Bad::Start_Impl at ");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(driver_that_returns_a_bool_from_start_is_told_so, SECONDS)
{
	run_script(MISBEHAVING("return true;") "$dext build Bad && "
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	check_says("Start failed: no status, but true, as of a bool; success is kIOReturnSuccess, 0 "
		   "(0x1)");
	CHECK_STR_EQ(program.out, "goes on\n");
}

TEST_SECONDS(driver_that_misbehaves_leaves_the_others_alone, SECONDS)
{
	run_script(MISBEHAVING("abort();") "driver && $dext build Loop && $dext build --client "
		   "$from/app.c -o app || exit 9\n"
		   "for body in 'abort();' '*(volatile int *)8 = 1;' 'for (;;) { }' 'return true;' \\\n"
		   "	'memset(IOMalloc(16), 1, 65536);' \\\n"
		   "	'OSString *s = OSString::withCString(\"x\"); s->release(); s->release();'\n"
		   "do\n"
		   "	bad \"$body\" && $dext build Bad 2>/dev/null || exit 9\n"
		   "	$dext run -t 10s Bad.dext Loop.dext -- ./app app 2>/dev/null || exit 9\n"
		   "done | grep -c 'went out and came back the same'");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "6\n");
}

TEST_SECONDS(sanitizer_shows_where_a_buffer_overruns, SECONDS)
{
	run_script(MISBEHAVING("*((volatile char *)IOMalloc(16) + 16) = 1;")
		   "$dext build --sanitize address Bad 2>/dev/null || skip no address sanitizer\n"
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	check_says("heap-buffer-overflow");
	check_says("Bad::Start");
}

TEST_SECONDS(sanitizer_shows_a_release_too_many, SECONDS)
{
	run_script(MISBEHAVING("OSString *text = OSString::withCString(\"x\"); text->release(); "
			       "text->release();")
		   "$dext build --sanitize address Bad 2>/dev/null || skip no address sanitizer\n"
		   "$dext run Bad.dext -n -- echo goes on");
	tools_check_status(&program, 0);
	check_says("heap-use-after-free");
	check_says("Bad::Start");
}
