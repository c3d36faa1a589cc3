/* SPDX-License-Identifier: MIT
 *
 * tools_build_test - `dext build`: bundles and clients that run, and what wrong input gets.
 *
 * Sources are those of the stream example, changed by the scripts below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "tools_support.h"

/* Compilers run in these tests, on a machine that may be busy. */
#define SECONDS 120u

static struct tools_program program;

static void run_script(const char *script)
{
	tools_script(&program, SECONDS - 20, script);
}

static void check_status(int status)
{
	tools_check_status(&program, status);
}

static void check_says(const char *part)
{
	tools_check_says(&program, part);
}

static void check_line(const char *part)
{
	if (!tools_is_one_line(program.err, part)) {
		FAIL("not one line with '%s': %s", part, program.err);
	}
}

/* --- What is built runs ---------------------------------------------------------------------- */

TEST_SECONDS(build_of_a_driver_and_its_client_gives_what_runs, SECONDS)
{
	run_script("driver && $dext build Loop && $dext build --client $from/app.c -o app &&\n"
		   "$dext run Loop.dext -- ./app app && test -s compile_commands.json");
	check_status(0);
	CHECK(strstr(program.out, "went out and came back the same") != NULL);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(build_of_a_client_finds_headers_in_other_directories, SECONDS)
{
	run_script("mkdir 'other headers' && echo '#define NUMBER 42' >'other headers/number.h'\n"
		   "printf '#include \"number.h\"\\nint main(void) { return NUMBER; }\\n' >app.c\n"
		   "$dext build --client -I 'other headers' app.c -o app && ./app");
	check_status(42);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(build_of_a_client_knows_what_is_beside_the_c_library_elsewhere, SECONDS)
{
	run_script("cat >app.c <<'END'\n"
		   "#include <IOKit/IOKitLib.h>\n"
		   "#include <os/log.h>\n"
		   "#include <string.h>\n"
		   "#include <time.h>\n"
		   "int main(int argc, char **argv __unused)\n"
		   "{\n"
		   "	char text[4];\n"
		   "	strlcpy(text, \"abcdef\", sizeof(text));\n"
		   "	os_log(OS_LOG_DEFAULT, \"%{public}s %d%%\\n\", text, argc);\n"
		   "	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW) > 0 ? 42 : 1;\n"
		   "}\n"
		   "END\n"
		   "cp app.c app.cpp\n"
		   "$dext build --client app.c -o app && $dext build --client app.cpp -o app++ || "
		   "exit 9\n"
		   "./app; test $? -eq 42 || exit 9; ./app++");
	check_status(42);
	CHECK_STR_EQ(program.err, "app: abc 1%\napp++: abc 1%\n");
}

TEST_SECONDS(build_of_a_client_with_blocks_gives_what_runs, SECONDS)
{
	run_script("clang -print-file-name=libBlocksRuntime.so 2>/dev/null | grep -q / ||\n"
		   "	skip clang or the blocks runtime is not installed\n"
		   "cat >app.c <<'END'\n"
		   "#include <IOKit/IOKitLib.h>\n"
		   "int main(void)\n"
		   "{\n"
		   "	dispatch_queue_t queue = dispatch_queue_create(\"blocks\", NULL);\n"
		   "	__block int number = 1;\n"
		   "	dispatch_async(queue, ^{ number += 1; });\n"
		   "	dispatch_sync(queue, ^{ number *= 21; });\n"
		   "	dispatch_release(queue);\n"
		   "	return number;\n"
		   "}\n"
		   "END\n"
		   "cp app.c app.cpp\n"
		   "$dext build --client app.c -o app && $dext build --client app.cpp -o app++ || "
		   "exit 9\n"
		   "./app; ./app++ && exit 9 || test $? -eq 42 || exit 9; ./app");
	check_status(42);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(build_leaves_out_the_client_that_lies_beside_the_driver, SECONDS)
{
	run_script("$dext build $from -o Loop.dext && test -x Loop.dext/Stream");
	check_status(0);
	check_line("app.c: left out, it has a main function");
}

TEST_SECONDS(build_skips_hidden_directories_and_the_output_of_builds, SECONDS)
{
	run_script("driver && cd Loop && mkdir .hidden out.build build && for d in .hidden "
		   "out.build build\n"
		   "do echo 'int broken' >$d/x.c; done\n"
		   "$dext build . -o Stream.dext && $dext build . -o Stream.dext");
	check_status(0);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(build_finds_headers_of_other_directories_by_name, SECONDS)
{
	run_script("driver && mkdir Loop/include && mv Loop/stream.h Loop/include && $dext build "
		   "Loop");
	check_status(0);
}

TEST_SECONDS(build_replaces_the_build_variables_of_xcode, SECONDS)
{
	run_script(
		"driver && sed -i 's/org.opendext.example.Stream/$(PRODUCT_BUNDLE_IDENTIFIER)/;\n"
		"s/<string>1</<string>${CURRENT_PROJECT_VERSION}</' Loop/Info.plist\n"
		"$dext build Loop -D PRODUCT_BUNDLE_IDENTIFIER=org.test.loop &&\n"
		"grep -c 'org.test.loop<' Loop.dext/Info.plist && ! grep '[$][({]' "
		"Loop.dext/Info.plist");
	check_status(0);
	CHECK_STR_EQ(program.out, "3\n");
}

TEST_SECONDS(build_adds_the_keys_that_xcode_generates, SECONDS)
{
	run_script("driver && sed -i '5,12d;13,14d' Loop/Info.plist && $dext build Loop &&\n"
		   "grep -c '<string>driver.Loop<' Loop.dext/Info.plist && test -x Loop.dext/Loop");
	check_status(0);
	CHECK_STR_EQ(program.out, "1\n");
}

TEST_SECONDS(build_that_fails_leaves_the_bundle_of_the_last_one, SECONDS)
{
	run_script("driver && $dext build Loop && cp -r Loop.dext before && echo 'int x =' "
		   ">>Loop/driver.c\n"
		   "$dext build Loop && exit 9\n"
		   "diff -r before Loop.dext");
	check_status(0);
}

TEST_SECONDS(build_with_a_sanitizer_reports_what_the_driver_did, SECONDS)
{
	run_script("driver && command -v clang >/dev/null || skip clang is not installed\n"
		   "sed -i '/^static kern_return_t stream_start/,/provider);/"
		   "s/provider);/&\\n\\tchar *volatile block = malloc(3);\\n\\tblock[3] = 1;/' "
		   "Loop/driver.c && sed -i '1i #include <stdlib.h>' Loop/driver.c\n"
		   "$dext build Loop --debug --sanitize address,undefined || exit 9\n"
		   "$dext run Loop.dext -- true");
	check_says("heap-buffer-overflow");
	check_says("stream_start");
	check_says("driver.c:");
}

TEST_SECONDS(build_of_a_cplusplus_driver_gives_what_runs, SECONDS)
{
	run_script("need_cxx\n"
		   "$dext build $from/../stream-cxx -o Stream.dext &&\n"
		   "$dext build --client $from/app.c -o app && $dext run Stream.dext -- ./app app");
	check_status(0);
	CHECK(strstr(program.out, "went out and came back the same") != NULL);
}

/* There is no HID system, but its drivers compile, start and send what nobody takes. */
TEST_SECONDS(build_of_an_event_service_gives_what_starts, SECONDS)
{
	run_script("need_cxx\n"
		   "mkdir Keys && sed 's/<string>IOUSBHost[A-Za-z]*</<string>IOUserResources</"
		   ";s/>Stream</>Keys</;s/>StreamClient</>Keys</;/<key>id[VP]/,+1d' "
		   "$from/Info.plist >Keys/Info.plist\n"
		   "cat >Keys/Keys.iig <<'END'\n"
		   "#include <HIDDriverKit/IOUserHIDEventService.iig>\n"
		   "class IOHIDElement;\n"
		   "class Keys : public IOUserHIDEventService {\n"
		   "public:\n"
		   "	virtual kern_return_t Start(IOService *provider) override;\n"
		   "	virtual void handleReport(uint64_t timestamp, uint8_t *report,\n"
		   "		uint32_t reportLength, IOHIDReportType type, uint32_t reportID) "
		   "override LOCALONLY;\n"
		   "};\n"
		   "END\n"
		   "cat >Keys/Keys.cpp <<'END'\n"
		   "#include <DriverKit/IOLib.h>\n"
		   "#include <HIDDriverKit/HIDDriverKit.h>\n"
		   "#include \"Keys.h\"\n"
		   "void Keys::handleReport(uint64_t, uint8_t *, uint32_t, IOHIDReportType, uint32_t) {}\n"
		   "kern_return_t IMPL(Keys, Start)\n"
		   "{\n"
		   "	OSAction *action = nullptr;\n"
		   "	kern_return_t status = Start(provider, SUPERDISPATCH);\n"
		   "	if (status == 0) status = CreateActionReportAvailable(8, &action);\n"
		   "	OSSafeReleaseNULL(action);\n"
		   "	if (status == 0) status = dispatchKeyboardEvent(0, kHIDPage_KeyboardOrKeypad, "
		   "kHIDUsage_KeyboardA, 1, 0, true);\n"
		   "	if (status == 0) status = dispatchRelativePointerEvent(0, 1 << 16, 0, 0, "
		   "kIOHIDPointerEventOptionsNoAcceleration, false);\n"
		   "	if (status == 0) status = dispatchRelativeScrollWheelEvent(0, 0, 0, 0, 0, "
		   "false);\n"
		   "	IOLog(\"status %x, elements %d\", status, getElements() != nullptr);\n"
		   "	return OSDynamicCast(IOHIDInterface, provider) == nullptr ? status : 1;\n"
		   "}\n"
		   "END\n"
		   "$dext build Keys && $dext run -n Keys.dext -- echo runs");
	check_status(0);
	check_says(": status 0, elements 0\n");
	CHECK_STR_EQ(program.out, "runs\n");
}

/* --- Wrong input ----------------------------------------------------------------------------- */

TEST_SECONDS(build_without_a_property_list_says_so, SECONDS)
{
	run_script("driver && rm Loop/Info.plist && $dext build Loop");
	check_status(1);
	check_line("dext build: Loop: no Info.plist with IOKitPersonalities here or below");
}

TEST_SECONDS(build_with_a_variable_that_is_not_set_names_file_line_and_key, SECONDS)
{
	run_script("driver && sed -i '14s/.*/<string>$(BUILD_NUMBER)<\\/string>/' Loop/Info.plist\n"
		   "$dext build Loop");
	check_status(1);
	check_line(
		"dext build: Loop/Info.plist:14: key CFBundleVersion: variable $(BUILD_NUMBER) is "
		"not set; give it with -D BUILD_NUMBER=VALUE");
}

TEST_SECONDS(build_with_a_class_that_no_source_defines_names_file_and_line, SECONDS)
{
	run_script("driver && sed -i '34s/>.*</>NoSuchClass</' Loop/Info.plist\n"
		   "$dext build Loop; status=$?; test -e Loop.dext && exit 9; exit $status");
	check_status(1);
	check_line("Loop/Info.plist:33: key IOUserClass: no source defines a class 'NoSuchClass'");
}

TEST_SECONDS(build_with_a_value_of_another_type_names_file_line_and_key, SECONDS)
{
	run_script("driver && sed -i '34s/.*/<integer>7<\\/integer>/' Loop/Info.plist && $dext "
		   "build Loop");
	check_status(1);
	check_line("Loop/Info.plist:33: key IOUserClass: must be a string");
}

TEST_SECONDS(build_with_a_property_list_that_is_none_names_the_line, SECONDS)
{
	run_script("driver && sed -i '20s/.*/<kay>x<\\/kay>/' Loop/Info.plist && $dext build Loop");
	check_status(1);
	check_line("Loop/Info.plist:20: is not a property list");
}

TEST_SECONDS(build_of_two_drivers_at_once_asks_for_one, SECONDS)
{
	run_script(
		"driver && mkdir all && cp -r Loop all/A && cp -r Loop all/B && $dext build all");
	check_status(1);
	check_line("all: more than one driver: all/A/Info.plist, all/B/Info.plist");
}

TEST_SECONDS(build_shows_the_place_of_a_compile_error_and_ends_with_the_file, SECONDS)
{
	run_script("driver && echo 'int x = nothing;' >Loop/other.c && $dext build Loop -j 2");
	check_status(1);
	check_says("Loop/other.c:1:9: error:");
	check_says("dext build: cannot compile 'Loop/other.c'\n");
}

TEST_SECONDS(build_with_headers_of_a_family_that_is_not_there_says_so, SECONDS)
{
	run_script("driver && echo '#include <AudioDriverKit/AudioDriverKit.h>' >Loop/other.c\n"
		   "$dext build Loop");
	check_status(1);
	check_says("Loop/other.c:1:10: fatal error: 'AudioDriverKit/AudioDriverKit.h' file not "
		   "found");
	check_says("dext build: there is no AudioDriverKit here; there are DriverKit, USBDriverKit");
}

TEST_SECONDS(build_with_a_missing_function_fails_when_it_links, SECONDS)
{
	run_script(
		"driver && echo 'void f(void); void g(void); void g(void) { f(); }' >Loop/other.c\n"
		"$dext build Loop; status=$?; test -e Loop.dext && exit 9; exit $status");
	check_status(1);
	check_says("undefined reference to `f'");
	check_says("dext build: cannot link");
}

TEST_SECONDS(build_of_a_broken_iig_names_it, SECONDS)
{
	run_script(
		"driver && echo 'class Broken : public { ;' >Loop/Broken.iig && $dext build Loop");
	check_status(1);
	check_says("Loop/Broken.iig");
}

TEST_SECONDS(build_of_objective_c_says_that_it_is_not_supported, SECONDS)
{
	run_script("driver && mv Loop/driver.c Loop/driver.m && $dext build Loop");
	check_status(1);
	check_line("Loop: no .iig, .cpp or .c file; not supported: Loop/driver.m");
}

TEST_SECONDS(build_of_a_client_that_does_not_exist_names_it, SECONDS)
{
	run_script("$dext build --client nothing.c -o app");
	check_status(1);
	check_line("nothing.c: No such file or directory");
}

TEST_SECONDS(build_without_a_compiler_says_what_is_missing, SECONDS)
{
	run_script("CC=/nonexistent/cc $dext build --client $from/app.c -o app");
	check_status(1);
	check_line("/nonexistent/cc: is not installed");
}

/* --- Options --------------------------------------------------------------------------------- */

static void check_usage(const char *arguments, const char *part)
{
	char script[256];

	CHECK_LT(snprintf(script, sizeof(script), "$dext build %s", arguments),
		 (int)sizeof(script));
	run_script(script);
	check_status(2);
	check_line(part);
}

TEST_SECONDS(build_refuses_options_that_mean_nothing, SECONDS)
{
	check_usage("", "one directory with a driver is needed");
	check_usage("a b", "one directory with a driver is needed");
	check_usage("--client", "a client needs source files");
	check_usage("--client $from/app.c", "a client needs a name");
	check_usage("--client $from/app.c -D A=B -o app", "a client has no property list");
	check_usage("-D A. .", "-D needs NAME=VALUE, not 'A.'");
	check_usage("-j 0 .", "-j needs a number");
	check_usage("-o '' .", "-o needs a name");
	check_usage("-s x .", "no --socket");
	check_usage("--sanitize address,thread .", "--sanitize takes");
	check_usage("--sanitize '' .", "--sanitize takes");
	check_usage("$from -o Stream", "the name of a bundle ends with .dext");
	check_usage("--nothing .", "unknown option");
}
