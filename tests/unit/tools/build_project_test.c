/* SPDX-License-Identifier: MIT
 *
 * build_project_test - which sources and settings an Xcode project gives a driver.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "build_project.h"
#include "build_settings.h"
#include "test.h"

static char *directory;
static struct dx_project project;

static char *path_of(const char *name)
{
	char *path = NULL;

	CHECK(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

static void make_file(const char *name, const char *text)
{
	char path[512];
	FILE *file = NULL;

	CHECK_LT(snprintf(path, sizeof(path), "%s/%s", directory, name), (int)sizeof(path));
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "we");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

/* A project of an application and a driver; %s: the driver's settings, then more objects. */
static void make_project(const char *settings, const char *more)
{
	char text[8192];

	CHECK_EQ(dx_private_dir_new("build-project", &directory), 0);
	CHECK_LT(snprintf(text, sizeof(text),
			  "// !$*UTF8*$!\n{ objects = {\n"
			  "TOP = {isa = PBXProject; mainGroup = G; targets = (APP, DEXT);"
			  " buildConfigurationList = TOPLIST;};\n"
			  "TOPLIST = {buildConfigurations = (TOPDEBUG, TOPRELEASE);};\n"
			  "TOPDEBUG = {name = Debug; buildSettings = {WHICH = debug;};};\n"
			  "TOPRELEASE = {name = Release; baseConfigurationReference = XC;"
			  " buildSettings = {WHICH = release; MANY = (one, \"two words\");};};\n"
			  "APP = {isa = PBXNativeTarget; name = App;"
			  " productType = \"com.apple.product-type.application\";};\n"
			  "DEXT = {isa = PBXNativeTarget; name = Pad; buildPhases = (HEADERS, PHASE);"
			  " productType = \"com.apple.product-type.driver-extension\";"
			  " fileSystemSynchronizedGroups = (OWN);"
			  " buildConfigurationList = LIST;};\n"
			  "LIST = {buildConfigurations = (RELEASE);};\n"
			  "RELEASE = {name = Release; buildSettings = {%s};};\n"
			  "HEADERS = {isa = PBXHeadersBuildPhase; files = (BH);};\n"
			  "PHASE = {isa = PBXSourcesBuildPhase; files = (B1, B2, B3, BGONE, BAD);};\n"
			  "B1 = {fileRef = F1;}; B2 = {fileRef = F2;}; B3 = {fileRef = F3;};\n"
			  "BH = {fileRef = FH;}; BGONE = {fileRef = FGONE;};\n"
			  "F1 = {path = Pad.cpp; sourceTree = \"<group>\";};\n"
			  "F2 = {path = src/Pad.iig; sourceTree = SOURCE_ROOT;};\n"
			  "F3 = {path = shared.c; sourceTree = \"<group>\";};\n"
			  "FH = {path = Pad.h;}; FGONE = {path = gone.cpp;};\n"
			  "XC = {path = Pad.xcconfig;};\n"
			  "G = {isa = PBXGroup; children = (GSRC, F3, XC, OWN, OTHER, G);};\n"
			  "GSRC = {isa = PBXGroup; path = src; children = (F1, F2, FH, FGONE);};\n"
			  "%s}; rootObject = TOP; }\n",
			  settings, more),
		 (int)sizeof(text));
	make_file("Pad.xcodeproj/project.pbxproj", text);
	make_file("src/Pad.cpp", "");
	make_file("src/Pad.h", "");
	make_file("src/Pad.iig", "");
	make_file("src/stale.cpp", "");
	make_file("src/Info.plist", "");
	make_file("shared.c", "");
}

static int open_project(const char *info)
{
	char *path = path_of("Pad.xcodeproj");
	char *list = info == NULL ? NULL : path_of(info);
	int rc = dx_project_open(path, list, &project);

	free(list);
	free(path);
	return rc;
}

/* Names from the directory on, in order, each with a comma behind it. */
static void check_sources(const char *expected)
{
	struct dx_words paths = {0};
	char found[512] = "";

	CHECK_EQ(dx_project_sources(&project, &paths), 0);
	dx_words_sort(&paths);
	for (size_t i = 0; i < paths.nr; i++) {
		size_t length = strlen(found);

		(void)snprintf(found + length, sizeof(found) - length, "%s,",
			       paths.items[i] + strlen(directory) + 1);
	}
	CHECK_STR_EQ(found, expected);
	dx_words_fini(&paths);
}

static void end(void)
{
	dx_project_close(&project);
	CHECK_EQ(dx_private_dir_remove(directory), 0);
	free(directory);
}

TEST(project_names_the_sources_that_are_there)
{
	make_project("", "");
	CHECK_EQ(open_project(NULL), 1);
	check_sources("shared.c,src/Pad.cpp,src/Pad.iig,");
	end();
}

TEST(project_is_the_one_that_has_the_property_list)
{
	char *info = NULL;

	make_project("INFOPLIST_FILE = \"$(DIR)/Info.plist\"; DIR = src;", "");
	make_file("Info.plist", "");
	CHECK_EQ(open_project("Info.plist"), 0);
	CHECK_EQ(open_project("src/Info.plist"), 1);
	info = dx_project_info(&project);
	CHECK(info != NULL && strstr(info, "/src/Info.plist") != NULL);
	free(info);
	end();
}

TEST(project_settings_of_a_target_are_above_those_of_the_project_and_its_file)
{
	struct dx_words words = {0};

	make_project("MANY = (\"$(inherited)\", \"$(SRCROOT)/three\", \"$(NOBODY)\");"
		     " FILE = target; \"FILE[arch=x]\" = other; \"SDK[sdk=driverkit*]\" = yes;",
		     "");
	make_file("Pad.xcconfig", "// comment\nFILE = file\nONLY[sdk=driverkit*]= here // so\n"
				  "#include \"more.xcconfig\"\n#include? \"gone.xcconfig\"\nWHICH=file\n");
	make_file("more.xcconfig", "MORE = 1\n#include \"more.xcconfig\"\nbroken\n[x\n");
	CHECK_EQ(open_project(NULL), 1);
	CHECK_STR_EQ(dx_variables_get(&project.settings, "WHICH"), "release");
	CHECK_STR_EQ(dx_variables_get(&project.settings, "FILE"), "target");
	CHECK_STR_EQ(dx_variables_get(&project.settings, "ONLY"), "here");
	CHECK_STR_EQ(dx_variables_get(&project.settings, "MORE"), "1");
	CHECK_STR_EQ(dx_variables_get(&project.settings, "SDK"), "yes");
	CHECK_STR_EQ(dx_variables_get(&project.settings, "TARGET_NAME"), "Pad");
	dx_project_words(&project, "MANY", &words);
	CHECK_EQ(words.nr, 4u);
	CHECK_STR_EQ(words.items[0], "one");
	CHECK(strstr(words.items[3], "/three") != NULL);
	dx_words_fini(&words);
	dx_project_words(&project, "NOT_SET", &words);
	CHECK_EQ(words.nr, 0u);
	end();
}

TEST(project_words_may_be_in_quotes)
{
	struct dx_words words = {0};

	make_project("LIST = \"a 'b c' d\\\\ e \\\"f g\\\"\";", "");
	CHECK_EQ(open_project(NULL), 1);
	dx_project_words(&project, "LIST", &words);
	CHECK_EQ(words.nr, 4u);
	CHECK_STR_EQ(words.items[1], "b c");
	CHECK_STR_EQ(words.items[2], "d e");
	CHECK_STR_EQ(words.items[3], "f g");
	dx_words_fini(&words);
	end();
}

TEST(project_folders_in_step_give_all_but_what_is_excepted)
{
	make_project("", "OWN = {isa = PBXFileSystemSynchronizedRootGroup; path = own;"
			 " exceptions = (EX);};\n"
			 "EX = {target = DEXT; membershipExceptions = (Info.plist, deep/no.cpp);};\n"
			 "OTHER = {isa = PBXFileSystemSynchronizedRootGroup; path = other;"
			 " exceptions = (EAPP, EDEXT);};\n"
			 "EAPP = {target = APP; membershipExceptions = (app.cpp);};\n"
			 "EDEXT = {target = DEXT; membershipExceptions = (both.cpp, gone.cpp);};\n");
	make_file("own/a.cpp", "");
	make_file("own/Info.plist", "");
	make_file("own/.hidden.cpp", "");
	make_file("own/deep/b.iig", "");
	make_file("own/deep/no.cpp", "");
	make_file("other/app.cpp", "");
	make_file("other/both.cpp", "");
	CHECK_EQ(open_project(NULL), 1);
	check_sources("other/both.cpp,own/a.cpp,own/deep/b.iig,shared.c,src/Pad.cpp,src/Pad.iig,");
	end();
}

TEST(project_without_a_driver_is_none)
{
	make_project("", "");
	make_file("Pad.xcodeproj/project.pbxproj", "{ objects = {}; rootObject = A; }");
	CHECK_EQ(open_project(NULL), 0);
	make_file("Pad.xcodeproj/project.pbxproj", "( not, a, dictionary )");
	CHECK_EQ(open_project(NULL), 0);
	make_file("Pad.xcodeproj/project.pbxproj", "{ broken");
	CHECK_EQ(open_project(NULL), 0);
	make_file("Pad.xcodeproj/project.pbxproj", "{ objects = (); rootObject = (); }");
	CHECK_EQ(open_project(NULL), 0);
	make_file("Pad.xcodeproj/project.pbxproj",
		  "{ objects = { T = {targets = (X, D, (y)); };"
		  " D = {isa = PBXNativeTarget; buildPhases = text;"
		  " productType = \"com.apple.product-type.driver-extension\";}; };"
		  " rootObject = T; }");
	CHECK_EQ(open_project(NULL), 1);
	check_sources("");
	end();
}

TEST(settings_that_nobody_sets_are_empty)
{
	struct dx_variables variables = {0};

	CHECK_EQ(dx_variables_set_pair(&variables, "A=${NOBODY}x$(ALSO:lower)$B$("), 0);
	dx_settings_complete(&variables);
	CHECK_STR_EQ(dx_variables_get(&variables, "NOBODY"), "");
	CHECK_STR_EQ(dx_variables_get(&variables, "ALSO"), "");
	CHECK(dx_variables_get(&variables, "B") == NULL);
	dx_variables_fini(&variables);
}
