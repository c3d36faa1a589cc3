/* SPDX-License-Identifier: MIT
 *
 * tools_project_test - `dext build` of directories that hold more than one driver's sources: what
 * an Xcode project, a template, a pattern says of them.
 */
#include <string.h>

#include "test.h"
#include "tools_support.h"

#define SECONDS 120u /* compilers run here */

/* A project with one driver. settings: of its target; sources: file references, "F1 = {...};". */
#define PROJECT(settings, phase, references)                                                  \
	"project <<'END'\n"                                                                   \
	"{ objects = {\n"                                                                     \
	"P = {isa = PBXProject; mainGroup = G; targets = (T); };\n"                           \
	"T = {isa = PBXNativeTarget; name = Target; buildPhases = (S);\n"                     \
	" productType = \"com.apple.product-type.driver-extension\";\n"                       \
	" buildConfigurationList = L; };\n"                                                   \
	"L = {buildConfigurations = (R); };\n"                                                \
	"R = {name = Release; buildSettings = {" settings "}; };\n"                           \
	"S = {isa = PBXSourcesBuildPhase; files = (" phase "); };\n"                          \
	"B1 = {fileRef = F1; }; B2 = {fileRef = F2; };\n"                                     \
	"G = {isa = PBXGroup; children = (F1, F2); };\n" references "\n"                      \
	"}; rootObject = P; }\n"                                                              \
	"END\n"

static struct tools_program program;

static void run_script(const char *script)
{
	tools_script(&program, SECONDS - 20, script);
}

TEST_SECONDS(project_decides_which_sources_are_of_the_driver, SECONDS)
{
	run_script("driver && echo '#include \"gone.h\"' >Loop/stale.c\n" PROJECT(
		"INFOPLIST_FILE = Loop/Info.plist;", "B1", "F1 = {path = Loop/driver.c; };")
		   "$dext build Loop && $dext build . -o All.dext && test -x All.dext/Stream && "
		   "$dext build --client $from/app.c -o app && $dext run All.dext -- ./app app");
	tools_check_status(&program, 0);
	CHECK(strstr(program.out, "went out and came back the same") != NULL);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(project_gives_variables_definitions_and_search_paths, SECONDS)
{
	run_script(
		"driver && mkdir -p more/deep headers && echo '#define DEEP 1' >more/deep/deep.h\n"
		"echo '#define BY_NAME 1' >headers/by_name.h\n"
		"cat >Loop/check.c <<'END'\n"
		"#include <deep.h>\n"
		"#include \"by_name.h\"\n"
		"_Static_assert(DEEP + BY_NAME + GIVEN == 44, \"\");\n"
		"END\n"
		"sed -i '14s/.*/<string>$(MODULE_VERSION)$(TEAM)<\\/string>/' Loop/Info.plist\n" PROJECT(
			"INFOPLIST_FILE = \"$(SRCROOT)/Loop/Info.plist\"; MODULE_VERSION = 7.5;"
			"GCC_PREPROCESSOR_DEFINITIONS = (\"GIVEN=42\", \"$(inherited)\"); "
			"TEAM = \"${NOBODY}\"; HEADER_SEARCH_PATHS = \"more/**\";",
			"B1, B2", "F1 = {path = Loop/driver.c; }; F2 = {path = Loop/check.c; };")
		"$dext build Loop && grep 7.5 Loop.dext/Info.plist");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "<string>7.5</string>\n");
}

TEST_SECONDS(project_finds_the_property_list_among_several, SECONDS)
{
	run_script("driver && mkdir Kext && sed 's/Stream/Kernel/' Loop/Info.plist >Info.plist && "
		   "cp Info.plist Kext\n" PROJECT("INFOPLIST_FILE = Loop/Info.plist;", "B1",
						  "F1 = {path = Loop/driver.c; };")
		   "$dext build . -o Out.dext && test -x Out.dext/Stream");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(project_may_ask_for_a_later_language, SECONDS)
{
	run_script("need_cxx\n"
		   "driver && cat >Loop/later.cpp <<'END'\n"
		   "static_assert(__cplusplus > 201703L, \"\");\n"
		   "END\n" PROJECT("INFOPLIST_FILE = Loop/Info.plist; "
				   "CLANG_CXX_LANGUAGE_STANDARD = \"gnu++20\";",
				   "B1, B2",
				   "F1 = {path = Loop/driver.c; }; F2 = {path = Loop/later.cpp; };")
		   "$dext build Loop");
	tools_check_status(&program, 0);
}

TEST_SECONDS(project_that_cannot_be_read_is_left_alone, SECONDS)
{
	run_script("driver && echo '{ broken' | project && $dext build Loop && test -x "
		   "Loop.dext/Stream");
	tools_check_status(&program, 0);
}

TEST_SECONDS(project_may_be_given_another_property_list, SECONDS)
{
	run_script("driver && echo '#include \"gone.h\"' >Loop/stale.c && mv Loop/Info.plist "
		   "mine.plist\n" PROJECT("INFOPLIST_FILE = Loop/Info.plist;", "B1",
					  "F1 = {path = Loop/driver.c; };")
		   "$dext build Loop --plist mine.plist && test -x Loop.dext/Stream");
	tools_check_status(&program, 0);
}

TEST_SECONDS(build_leaves_out_what_a_pattern_names, SECONDS)
{
	run_script("driver && mkdir Loop/old && for f in stale.c old/a.c old/b.c more.c\n"
		   "do echo '#include \"gone.h\"' >Loop/$f; done\n"
		   "$dext build Loop -x stale.c --exclude old --exclude 'Loop/mo*.c'");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.err, "");
}

TEST_SECONDS(build_fills_templates_of_headers_and_of_the_property_list, SECONDS)
{
	run_script("driver && cd Loop && sed '14s/.*/<string>@VERSION@<\\/string>/' Info.plist "
		   ">Info.plist.in && rm Info.plist\n"
		   "echo '#define VERSION \"@VERSION@\"' >version.h.in\n"
		   "cat >check.c <<'END'\n"
		   "#include \"version.h\"\n"
		   "_Static_assert(sizeof(VERSION) == 6, \"\");\n"
		   "END\n"
		   "cd .. && $dext build Loop; $dext build Loop -D VERSION=1.2.3 && "
		   "grep 1.2.3 Loop.dext/Info.plist");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "<string>1.2.3</string>\n");
	CHECK_STR_EQ(program.err, "dext build: Loop/Info.plist.in:14: @VERSION@ is not set; give it "
				  "with -D VERSION=VALUE\n");
}

TEST_SECONDS(build_warns_of_a_class_that_only_create_would_miss, SECONDS)
{
	run_script("driver && cat >insert <<'END'\n"
		   "<key>OtherProperties</key><dict>\n"
		   "<key>IOUserClass</key><string>Missing</string>\n"
		   "</dict>\n"
		   "END\n"
		   "line=$(grep -n 'IOProviderClass' Loop/Info.plist | head -1 | cut -d: -f1)\n"
		   "sed -i \"$((line - 1))r insert\" Loop/Info.plist && $dext build Loop");
	tools_check_status(&program, 0);
	if (!tools_is_one_line(program.err, "warning: key IOUserClass: no source defines a class "
					    "'Missing': Create() will fail")) {
		FAIL("not that warning: %s", program.err);
	}
}

/* Prints the number of files that a build compiles. */
#define COUNTED "compiled() { $dext build -v Loop \"$@\" 2>&1 | grep -c -- ' -c '; }\n"

TEST_SECONDS(build_compiles_again_only_what_has_changed, SECONDS)
{
	run_script("driver && echo '#define N 1' >'Loop/my own.h'\n"
		   "echo '#include \"my own.h\"' >Loop/other.c; " COUNTED
		   "compiled; compiled; echo '#define N 2' >'Loop/my own.h'; compiled\n"
		   "echo 'int n;' >>Loop/other.c; compiled; compiled --debug; compiled --debug\n"
		   "rm Loop.build/*other.c.o; compiled --debug; test -x Loop.dext/Stream");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "2\n0\n1\n1\n2\n0\n1\n");
}

TEST_SECONDS(build_forgets_the_headers_of_interfaces_that_are_gone, SECONDS)
{
	run_script("need_cxx\n"
		   "driver && for n in One Two; do cat >Loop/$n.iig <<END\n"
		   "#include <DriverKit/IOService.iig>\n"
		   "class $n : public IOService {\n"
		   "	virtual kern_return_t Start(IOService *provider) override;\n"
		   "};\n"
		   "END\n"
		   "printf \"#include \\\"$n.h\\\"\\nkern_return_t IMPL($n, Start) { return 0; }\\n\" "
		   ">Loop/$n.cpp\n"
		   "done; " COUNTED "compiled; compiled; rm Loop/Two.*; compiled; "
		   "ls Loop.build/derived/Loop");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "5\n0\n3\nOne.h\nOne.iig.cpp\n");
}

TEST_SECONDS(build_of_several_bundles_keeps_the_commands_of_all, SECONDS)
{
	run_script("driver && $dext build Loop && $dext build Loop -o $PWD/Other.dext && "
		   "$dext build --client $from/app.c -o app && $dext build Loop\n"
		   "grep -o '\"output\": .*' compile_commands.json | sed 's/.*w.//'");
	tools_check_status(&program, 0);
	CHECK_STR_EQ(program.out, "Other.build/0-driver.c.o\",\napp.build/0-app.c.o\",\n"
				  "Loop.build/0-driver.c.o\",\n");
}
